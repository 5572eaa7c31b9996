/* load.c - the tasks of a storm: what they do, and what they say of themselves outside of the pool */
#include "storm.h"

#include <time.h>

#define PAUSE_NS 19000000u

struct answer {
    uint64_t serial, sum, bytes;
};

uint64_t load_sum(const uint8_t *bytes, size_t count)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

void load_payload(const struct assignment *assignment, uint8_t *payload)
{
    for (uint32_t i = 0; i < assignment->payload_bytes; i++)
        payload[i] = (uint8_t)(dice_mix(assignment->seed + i / 8) >> i % 8 * 8);
}

static uint64_t pattern(const struct assignment *assignment, size_t index)
{
    return dice_mix(assignment->seed ^ 0x5bd1e995u) + index * 0x9e3779b97f4a7c15u;
}

static bool answer(mortal_task *task, const struct assignment *mine, uint64_t sum)
{
    if (mine->result_bytes == 0)
        return true;
    if (mine->result_bytes > 4096 && mortal_task_result(task, mine->result_bytes / 2) == NULL)
        return false;
    uint8_t *result = mortal_task_result(task, mine->result_bytes);
    if (result == NULL)
        return false;
    struct answer head = {mine->serial, sum, mine->result_bytes};
    memcpy(result, &head, sizeof head);
    for (size_t at = sizeof head; at < mine->result_bytes; at += sizeof(uint64_t)) {
        uint64_t value = pattern(mine, at);
        memcpy(result + at, &value, sizeof value);
    }
    return true;
}

bool load_result_is_right(const struct assignment *assignment, const mortal_verdict *verdict)
{
    struct answer head;
    if (verdict->result_bytes != assignment->result_bytes)
        return false;
    if (verdict->result_bytes == 0)
        return true;
    const uint8_t *result = verdict->result;
    memcpy(&head, result, sizeof head);
    bool right = head.serial == assignment->serial && head.sum == assignment->sum && head.bytes == assignment->result_bytes;
    for (size_t at = sizeof head; right && at < assignment->result_bytes; at += sizeof(uint64_t)) {
        uint64_t value;
        memcpy(&value, result + at, sizeof value);
        right = value == pattern(assignment, at);
    }
    return right && (uintptr_t)result % 16 == 0;
}

/* With a single worker starts follow the order of submits, within a priority: whatever began before, began for an earlier
 * task. But a host that takes over 20 ms to die does not hold up the others, and what it had claimed waits for its death.
 * Then nothing has begun for so long when the other host takes over: only after such a pause may a task have been overtaken,
 * and only if the pool says that it replaced such a host. */
static void tell_begin(mortal_task *task, const struct assignment *mine, struct record *record)
{
    struct scene *scene = mine->scene;
    _Atomic uint64_t *last = &scene->last[mine->producer][mine->priority - MORTAL_PRIORITY_LOW];
    uint64_t seen = atomic_load(last), now = mortal_now_ns();
    bool after_pause = now - atomic_exchange(&scene->begun_ns, now) > PAUSE_NS;
    while (seen < mine->serial && !atomic_compare_exchange_weak(last, &seen, mine->serial))
        ;
    if (seen > mine->serial)
        atomic_fetch_add(now - atomic_load(&scene->paused_ns) < SECONDS(1) ? &scene->replaced : &scene->overtaken, 1);
    else if (after_pause)
        atomic_store(&scene->paused_ns, now);
    atomic_store(&record->last_attempt, mortal_task_attempt(task));
    atomic_fetch_add(&record->begins, 1);
}

/* Children that outlive their task, some of them daemons: they die with the host. */
static void leave_children(uint64_t seed)
{
    pid_t child = fork();
    if (child != 0)
        return;
    if (seed % 4 == 0 && setsid() > 0 && fork() != 0)
        _exit(0);
    for (;;)
        pause();
}

_Noreturn static void end_host(const struct assignment *mine)
{
    atomic_fetch_add(&mine->scene->suicides, 1);
    if (mine->kind == KIND_EXIT) {
        if (mine->seed % 2)
            exit((int)(mine->seed / 2 % 3));
        _exit((int)(mine->seed / 2 % 3));
    }
    if (mine->seed % 2)
        *(volatile int *)16 = 1;
    abort();
}

static void spin_for(uint64_t duration_ns)
{
    for (uint64_t end = mortal_now_ns() + duration_ns; mortal_now_ns() < end;)
        ;
}

/* Few compute: a storm on a machine with few processors would otherwise wait for them most of its time. */
static void hang(mortal_task *task, const struct assignment *mine, struct record *record)
{
    const struct timespec rest = {.tv_nsec = 20000};
    while (!mine->polite || !mortal_task_should_stop(task)) {
        atomic_fetch_add(&record->beats, 1);
        if (mine->kind == KIND_BLOCK)
            (void)(mine->polite || mine->seed % 2 ? nanosleep(&rest, NULL) : pause());
    }
}

static void use_memory(const struct assignment *mine)
{
    size_t bytes = 1 + mine->seed % 200000;
    volatile uint8_t *memory = malloc(bytes);
    for (size_t i = 0; memory != NULL && i < bytes; i += 4096)
        memory[i] = 1;
    free((void *)(uintptr_t)memory);
}

int load_task(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct assignment *mine = input;
    struct record *record = &mine->scene->records[mine->producer][mine->record];
    if (atomic_load(&record->serial) != mine->serial) {
        atomic_fetch_add(&mine->scene->strangers, 1);
        return 0;
    }
    tell_begin(task, mine, record);
    uint64_t sum = load_sum((const uint8_t *)(mine + 1), input_bytes - sizeof *mine);
    if (input_bytes != sizeof *mine + mine->payload_bytes || sum != mine->sum)
        atomic_fetch_add(&mine->scene->spoiled, 1);
    if (mine->kind == KIND_CRASH || mine->kind == KIND_EXIT)
        end_host(mine);
    if (mine->kind == KIND_FORK)
        leave_children(mine->seed);
    if (mine->kind == KIND_LARGE)
        use_memory(mine);
    if (mine->kind == KIND_SLOW)
        spin_for(mine->spin_ns);
    if (mine->kind == KIND_HANG || mine->kind == KIND_BLOCK)
        hang(task, mine, record);
    if (!answer(task, mine, sum))
        atomic_fetch_add(&mine->scene->refused, 1);
    atomic_fetch_add(&record->ends, 1);
    return mine->kind == KIND_FAIL ? STATUS_OF_FAIL : 0;
}
