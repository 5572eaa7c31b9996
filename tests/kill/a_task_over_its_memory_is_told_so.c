/*
 * A task that takes more memory than its host may have ends "out of memory", whatever it does about the refusal that it
 * dies of, and whichever kind of memory it is; one that deals with the refusal has its own verdict. No other task is
 * touched, and the next one has room again.
 * Broken by: memory that escapes the cap, a refusal that is told as a mere crash, or a mere crash told as one.
 */
#include "tasks.h"

#include <sys/mman.h>

enum { CAP_MIB = 96, MIB = 1 << 20 };

static char *more(void)
{
    char *memory = malloc(4 * MIB);
    if (memory)
        memset(memory, 1, 4 * MIB);
    return memory;
}

/* Kept for ever: the host dies of it. */
static void take_all(void)
{
    static char *volatile newest;
    do
        newest = more();
    while (newest != NULL);
}

/* Does not look whether there was any. */
static int die_of_null(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    for (unsigned i = 0; i < 1000; i++) {
        char *volatile memory = malloc(4 * MIB);
        memset(memory, 1, 4 * MIB);
    }
    return 0;
}

/* As C++ does with a bad_alloc that nobody catches. */
static int abort_for_memory(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    take_all();
    abort();
}

static int exit_for_memory(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    take_all();
    exit(3);
}

static int answer_for_memory(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    char *blocks[64], *last = NULL;
    unsigned count = 0;
    for (; count < COUNT(blocks) && (last = more()) != NULL; count++)
        blocks[count] = last;
    for (unsigned i = 0; i < count; i++)
        free(blocks[i]);
    return last == NULL ? 77 : 0;
}

/* The kernel refuses none of these. */
static void fill(int flags, int fd)
{
    const size_t size = 512ul * MIB;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    compute_for_ever();
}

static int fill_shared(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    fill(MAP_SHARED | MAP_ANONYMOUS, -1);
    return 0;
}

static int fill_memfd(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    int fd = (int)syscall(SYS_memfd_create, "bomb", 1u);
    CHECK(fd >= 0 && ftruncate(fd, 512ll * MIB) == 0);
    fill(MAP_SHARED, fd);
    return 0;
}

/* A refusal long ago, and dealt with, has nothing to do with it. */
static int crash_after_an_earlier_refusal(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    volatile int *nowhere = (int *)16;
    return *nowhere;
}

static int answer_much(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    void *result = mortal_task_result(task, (size_t)8 * MIB);
    if (!result)
        return 1;
    memset(result, 1, (size_t)8 * MIB);
    harness_sleep_ms(5); /* to be looked at */
    return 0;
}

static int fill_inherited(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    memset(*(char *const *)input, 1, (size_t)2 * CAP_MIB * MIB);
    harness_sleep_ms(300);
    return 0;
}

/* Results, and what the program itself shares with its hosts, are not a host's own. */
static void check_what_does_not_count(mortal_pool *pool, void *inherited)
{
    mortal_future held[2 * CAP_MIB / 8 / 4];
    for (unsigned i = 0; i < COUNT(held); i++) {
        held[i] = submit(pool, answer_much, NULL, 0);
        CHECK_EQ(outcome_of(held[i]), MORTAL_DONE);
    }
    CHECK_EQ(outcome_of(submit_at(pool, fill_inherited, inherited)), MORTAL_DONE);
}

static void check_one(mortal_pool *pool, mortal_function *function, int cause, const char *text_part)
{
    char text[200];
    mortal_verdict verdict = wait_for(submit(pool, function, NULL, 0));
    mortal_verdict_text(&verdict, text, sizeof text);
    harness_note("%s", text);
    CHECK_EQ(verdict.outcome, MORTAL_OUT_OF_MEMORY);
    CHECK_EQ(verdict.cause, cause);
    CHECK_EQ(verdict.culprit, 1);
    CHECK_EQ(verdict.attempts, 1);
    CHECK(strstr(text, text_part) != NULL);
    check_pool_works(pool);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    void *inherited = harness_shared((size_t)2 * CAP_MIB * MIB);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .memory_bytes = (size_t)CAP_MIB * MIB});
    mortal_stats stats = stats_of(pool);
    CHECK((stats.caps & MORTAL_CAPS_MEMORY_REFUSED) != 0 && (stats.caps & MORTAL_CAPS_MEMORY_WATCHED) != 0);
    CHECK(stats.empty_host_bytes > 0 && stats.empty_host_bytes < (uint64_t)CAP_MIB * MIB);
    mortal_future bystander = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    check_one(pool, die_of_null, MORTAL_CAUSE_SIGNAL, "SIGSEGV");
    check_one(pool, abort_for_memory, MORTAL_CAUSE_SIGNAL, "SIGABRT");
    check_one(pool, exit_for_memory, MORTAL_CAUSE_EXIT, "code 3");
    check_one(pool, fill_shared, MORTAL_CAUSE_MEMORY, "held more");
    check_one(pool, fill_memfd, MORTAL_CAUSE_MEMORY, "held more");
    mortal_verdict verdict = wait_for(submit(pool, answer_for_memory, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_FAILED);
    CHECK_EQ(verdict.status, 77);
    CHECK_EQ(outcome_of(submit(pool, crash_after_an_earlier_refusal, NULL, 0)), MORTAL_CRASHED);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    check_what_does_not_count(pool, inherited);
    gate_open(gate);
    CHECK_EQ(outcome_of(bystander), MORTAL_DONE);
    CHECK_EQ(stats_of(pool).ended[MORTAL_OUT_OF_MEMORY], 5);
    drain(pool);
}
