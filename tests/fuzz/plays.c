/*
 * plays.c - which call of the owner comes next, and what hosts do between and during the calls: as the input says
 *
 * Afterwards hosts behave, all is killed, and the pool must be as good as new.
 */
#include "world.h"

#include "region/cells.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { PLAYS_CALLS_MOST = 400, GROUPS = 2, CELLS = 4 };

struct held {
    bool is_used, has_verdict, is_delivered;
    int group; /* -1: none */
    mortal_future future;
    mortal_verdict verdict;
    uint64_t sum;
};

static struct held held[SLOTS];
static mortal_group *groups[GROUPS];
static uint64_t submitted;
static struct owned {
    bool is_open;
    size_t bytes;
    mortal_cell cell;
} cells[CELLS];


static int task(mortal_task *self, const void *input, size_t input_bytes)
{
    (void)self, (void)input, (void)input_bytes;
    return 0; /* no host calls it */
}

/* ---- what the owner must keep to ---------------------------------------------------------------------------------- */

static uint64_t sum_of(const mortal_verdict *verdict)
{
    const volatile uint8_t *result = verdict->result;
    uint64_t sum = 0;
    for (size_t i = 0; i < verdict->result_bytes; i++)
        sum = sum * 31 + result[i];
    return sum;
}

static void check_result(const mortal_verdict *verdict)
{
    const struct geometry *g = &world.region->g;
    const uint8_t *result = verdict->result, *answers = world.region->answers;
    MUST((result == NULL) == (verdict->result_bytes == 0));
    MUST(result == NULL || verdict->outcome == MORTAL_DONE || verdict->outcome == MORTAL_FAILED);
    MUST((uintptr_t)result % 16 == 0 && verdict->result_bytes <= g->arena_bytes - g->arena_heap);
    if (verdict->result_bytes > COPY_RESULT_BYTES)
        MUST(result >= answers && result + verdict->result_bytes <= answers + g->lives * g->arena_bytes);
    else
        MUST(result == NULL || result < answers || result >= answers + g->lives * g->arena_bytes);
}

/* The first verdict of a future is its only one. Results that are read in place are the host's to spoil. */
static void take(struct held *one, const mortal_verdict *verdict)
{
    uint64_t sum = sum_of(verdict);
    check_result(verdict);
    MUST(verdict->outcome >= MORTAL_DONE && verdict->outcome <= MORTAL_LOST);
    MUST(verdict->tag == one && memcmp(&verdict->future, &one->future, sizeof one->future) == 0);
    MUST(!one->has_verdict || memcmp(verdict, &one->verdict, sizeof *verdict) == 0);
    MUST(!one->has_verdict || verdict->result_bytes > COPY_RESULT_BYTES || sum == one->sum);
    one->has_verdict = true;
    one->verdict = *verdict;
    one->sum = sum;
}

static void check_counts(void)
{
    mortal_stats stats;
    uint64_t all = 0, in_hand = 0;
    MUST(mortal_pool_stats(world.handle, &stats) == 0);
    for (unsigned i = 0; i < 16; i++)
        all += stats.ended[i];
    for (unsigned i = 0; i < SLOTS; i++)
        in_hand += held[i].is_used;
    MUST(stats.submitted == submitted && all + stats.pending + stats.running == submitted);
    MUST(stats.held >= in_hand && stats.held <= SLOTS && stats.broken == 0);
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

static struct held *one_of(void) { return &held[bytes_take(&world.input, 1) % SLOTS]; }

static void ask_for_more(mortal_task_options *options)
{
    unsigned more = (unsigned)bytes_take(&world.input, 1);
    options->soft_deadline_ns = more & 1 ? 100000u << more / 16 : 0;
    options->soft_signal = more & 2 ? SIGUSR1 : 0;
    options->shield_ns = more & 4 ? 1000000 : 0;
    options->cpu_ns = more & 8 ? 1000000u << more / 16 : 0;
    if (options->deadline_ns != 0 && options->soft_deadline_ns >= options->deadline_ns)
        options->soft_deadline_ns = 0;
}

/* Without waiting: whoever runs may go on for ever, and that is right. */
static void call_submit(void)
{
    static const uint8_t input[512];
    static const uint16_t sizes[] = {0, 8, 64, 65, 512, 1, 63, 300};
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    struct held *one = one_of();
    if (one->is_used)
        return;
    *one = (struct held){.is_used = true, .group = kind % 4 < GROUPS && groups[kind % 4] != NULL ? (int)(kind % 4) : -1};
    mortal_task_options options = {.size = sizeof options, .tag = one, .attempts = kind & 64 ? 2 : 1,
                                   .group = one->group < 0 ? NULL : groups[one->group],
                                   .name = kind & 4 ? "a name" : NULL,
                                   .deadline_ns = kind & 128 ? 1000000u << kind % 16 : 0,
                                   .within_ns = kind % 64 > 55 ? 10000u << kind % 32 : 0};
    if (world.is_rich)
        ask_for_more(&options);
    int error = mortal_pool_try_submit(world.handle, task, input, sizes[kind / 4 % 8], &options, &one->future);
    MUST(error == 0 || error == -EAGAIN || error == -ENOBUFS);
    one->is_used = error == 0;
    submitted += error == 0;
}

static void call_wait(uint64_t timeout_ns)
{
    struct held *one = one_of();
    mortal_verdict verdict;
    if (!one->is_used)
        return;
    int error = mortal_future_wait(one->future, timeout_ns, &verdict);
    MUST(error == 0 || (error == -ETIMEDOUT && !one->has_verdict));
    if (error == 0)
        take(one, &verdict);
}

static void call_kill(uint64_t grace_ns, uint64_t timeout_ns)
{
    struct held *one = one_of();
    mortal_verdict verdict;
    if (!one->is_used)
        return;
    int error = mortal_future_kill(one->future, grace_ns, timeout_ns, &verdict);
    MUST(error == 0 || (error == -EINPROGRESS && timeout_ns != MORTAL_FOREVER && !one->has_verdict));
    if (error == 0)
        take(one, &verdict);
}

static void call_look(void)
{
    struct held *one = one_of();
    mortal_look look;
    if (!one->is_used)
        return;
    MUST(mortal_future_look(one->future, &look) == 0);
    MUST(look.phase == MORTAL_PENDING || look.phase == MORTAL_RUNNING || look.phase == MORTAL_ENDED);
    MUST(!one->has_verdict || (look.phase == MORTAL_ENDED && look.outcome == one->verdict.outcome));
}

static void call_cancel(void)
{
    struct held *one = one_of();
    mortal_verdict verdict;
    if (!one->is_used)
        return;
    int error = mortal_future_cancel(one->future);
    MUST(error == -EALREADY || (!one->has_verdict && (error == 0 || error == -EBUSY)));
    if (error == -EBUSY)
        return;
    MUST(mortal_future_wait(one->future, 0, &verdict) == 0 && (error != 0 || verdict.outcome == MORTAL_CANCELLED));
    take(one, &verdict);
}

static void call_release(void)
{
    struct held *one = one_of();
    if (!one->is_used)
        return;
    int first = mortal_future_release(one->future), again = mortal_future_release(one->future);
    MUST(first == 0 && again == -ESTALE);
    one->is_used = false;
}

static void call_next(uint64_t timeout_ns)
{
    int number = (int)(bytes_take(&world.input, 1) % GROUPS);
    mortal_verdict verdict;
    unsigned outstanding = 0;
    if (groups[number] == NULL)
        return;
    for (unsigned i = 0; i < SLOTS; i++)
        outstanding += held[i].is_used && held[i].group == number && !held[i].is_delivered;
    int error = mortal_group_next(groups[number], timeout_ns, &verdict);
    MUST(outstanding == 0 ? error == -ENOENT : error == 0 || error == -ETIMEDOUT);
    if (error != 0)
        return;
    struct held *one = verdict.tag;
    MUST(one >= held && one < held + SLOTS && one->is_used && one->group == number && !one->is_delivered);
    one->is_delivered = true;
    take(one, &verdict);
}

static void call_group(void)
{
    int number = (int)(bytes_take(&world.input, 1) % GROUPS);
    if (groups[number] == NULL) {
        MUST(mortal_group_open(&groups[number], world.handle) == 0);
        return;
    }
    MUST(mortal_group_close(groups[number]) == 0);
    groups[number] = NULL;
    for (unsigned i = 0; i < SLOTS; i++)
        if (held[i].group == number)
            held[i].group = -1;
}

static void call_kill_many(bool of_group)
{
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    int scope = (int)(kind % 3) + 1;
    uint64_t grace = kind & 8 ? 1000000 : 0, timeout = kind & 16 ? MORTAL_FOREVER : kind & 32 ? 1000000000 : 0;
    mortal_kill_report report;
    mortal_group *group = groups[kind >> 6 & 1];
    if (of_group && group == NULL)
        return;
    mortal_stats before;
    MUST(mortal_pool_stats(world.handle, &before) == 0);
    int error = of_group ? mortal_group_kill(group, scope, grace, timeout, &report)
                         : mortal_pool_kill(world.handle, scope, grace, timeout, &report);
    MUST(error == 0 || (error == -EINPROGRESS && timeout != MORTAL_FOREVER && report.still_dying != 0));
    MUST((uint64_t)report.killed + report.never_started + report.finished_first + report.still_dying <=
         before.pending + before.running);
}

static void call_obituary(void)
{
    static mortal_obituary obituary;
    static char text[1 << 18];
    uint64_t number = bytes_take(&world.input, 1);
    if (mortal_pool_obituary(world.handle, number, &obituary) != 0)
        return;
    MUST(obituary.line_count <= MORTAL_OBITUARY_LINES && obituary.frame_count <= MORTAL_OBITUARY_FRAMES);
    MUST(number == 0 || obituary.number == number);
    size_t text_bytes = mortal_obituary_text(&obituary, text, sizeof text);
    MUST(text_bytes == strlen(text));
    size_t json_bytes = mortal_obituary_json(&obituary, text, sizeof text);
    MUST(json_bytes == strlen(text));
}

static int add_one(void *value, void *argument)
{
    ++*(uint8_t *)value;
    return *(const unsigned *)argument & 64 ? 1 : 0;
}

/* Its word may be any; where the value is comes from the owner's own records. */
static void call_cell(void)
{
    static uint8_t value[4096];
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    struct owned *one = &cells[kind / 4 % CELLS];
    int error = 0;
    if (!one->is_open) {
        one->bytes = bytes_take(&world.input, 2) % sizeof value + 1;
        error = mortal_cell_open(world.handle, one->bytes, kind & 32 ? value : NULL, &one->cell);
        MUST(error == 0 || error == -ENOBUFS);
        one->is_open = error == 0;
        return;
    }
    if (kind % 4 == 0) {
        MUST(mortal_cell_close(one->cell) == 0);
        error = mortal_cell_read(one->cell, value, one->bytes);
        MUST(error == -ESTALE);
        one->is_open = false;
    } else if (kind % 4 == 1) {
        error = mortal_cell_update(one->cell, add_one, &kind);
        MUST(error == 0 || error == -EBADMSG || (error == -ECANCELED && kind & 64));
    } else {
        uint64_t word = atomic_load(cell_word_of(world.region, (uint32_t)one->cell.place));
        bool is_there = (word & ((1u << CELL_BUFFER_BITS) - 1)) < cells_buffer_of_owner(world.region) + 2;
        error = mortal_cell_read(one->cell, value, one->bytes);
        MUST(error == (is_there ? 0 : -EBADMSG)); /* beyond the last buffer something else may be mapped */
    }
}

static void call_latency(void)
{
    mortal_latency latency;
    MUST(mortal_pool_latency(world.handle, MORTAL_LATENCY_OF_KILLS, &latency) == 0);
    MUST(latency.median_ns <= latency.p99_ns && latency.p99_ns <= latency.max_ns);
}

static void call_now(void)
{
    mortal_pool_kill_now(world.handle, (int)(bytes_take(&world.input, 1) % 3) + 1);
}

static void play(void)
{
    world.sleeps = 0;
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    if (kind >= 252) {
        call_obituary();
        return;
    }
    if (world.is_rich && kind % 32 >= 30) {
        if (kind % 32 == 30)
            call_cell();
        else
            call_latency();
        return;
    }
    switch (kind % 32) {
    case 0: case 1: case 2: case 3: case 4: case 5: call_submit(); break;
    case 6: call_wait(0); break;
    case 7: call_wait(2000000000); break;
    case 8: call_look(); break;
    case 9: call_cancel(); break;
    case 10: call_release(); break;
    case 11: call_next(0); break;
    case 12: call_next(2000000000); break;
    case 13: call_group(); break;
    case 14: call_kill_many(false); break;
    case 15: call_kill_many(true); break;
    case 16: call_kill(0, MORTAL_FOREVER); break;
    case 17: call_kill(1000000, kind & 32 ? 1000000000 : 0); break;
    case 18: call_now(); break;
    case 19: check_counts(); break;
    default: world_act(); break;
    }
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void end_all(void)
{
    mortal_verdict verdict;
    call_obituary();
    world.sleeps = 0;
    MUST(mortal_pool_kill(world.handle, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL) == 0);
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!held[i].is_used)
            continue;
        world.sleeps = 0;
        MUST(mortal_future_wait(held[i].future, MORTAL_FOREVER, &verdict) == 0);
        take(&held[i], &verdict);
    }
    check_counts();
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!held[i].is_used)
            continue;
        MUST(mortal_future_wait(held[i].future, 0, &verdict) == 0);
        take(&held[i], &verdict);
        MUST(mortal_future_release(held[i].future) == 0);
        held[i].is_used = false;
    }
}

/* What was released while it ran may hold its slot and its worker until it is found to be nobody's. */
static void check_pool_works(void)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        mortal_future future;
        mortal_verdict verdict;
        world.sleeps = 0;
        MUST(mortal_pool_submit(world.handle, task, "12345678", 8, NULL, &future) == 0);
        submitted++;
        MUST(mortal_future_wait(future, MORTAL_FOREVER, &verdict) == 0);
        MUST(verdict.outcome == MORTAL_DONE && verdict.result_bytes == 8);
        MUST(*(const uint8_t *)verdict.result == (uint32_t)future.place + 1);
        MUST(mortal_future_release(future) == 0);
    }
    check_counts();
}

/* Nobody is left at work for a task that has ended. */
static void check_nobody_is_held(void)
{
    for (unsigned i = 0; i < 4; i++) {
        world.now_ns += 600000000;
        world_turn();
    }
    for (uint32_t berth = 0; berth < world.region->g.berths; berth++)
        for (uint32_t worker = 0; worker < WORKERS_PER_HOST; worker++)
            MUST(!world.players[berth][worker].runs && !world.players[berth][worker].parked);
}

void plays_run(const uint8_t *input, size_t bytes, bool is_rich)
{
    memset(held, 0, sizeof held);
    memset(groups, 0, sizeof groups);
    memset(cells, 0, sizeof cells);
    submitted = 0;
    world_open(input, bytes, is_rich);
    for (unsigned i = 0; i < PLAYS_CALLS_MOST && world.input.at != world.input.end; i++)
        play();
    world.input.at = world.input.end;
    world.settles = true;
    end_all();
    check_nobody_is_held();
    check_pool_works();
    world_close();
}
