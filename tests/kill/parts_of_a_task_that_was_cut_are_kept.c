/*
 * Every part that a task had emitted is kept when it is killed, times out, crashes, is collateral or lost, and however
 * many hosts come and go before it is taken; a part that was not emitted is never there. Parts of a start that was cut
 * come before those of the next one, and say which they are of.
 * Broken by: an arena that is given to another host while parts lie in it, a start that writes over the parts of the
 * one before.
 */
#include "parts.h"

enum { PARTS = 9, STARTS = 5, HOSTS = 200 };

enum way { CRASH, HANG, WAIT_TO_BE_KILLED };

struct plan {
    uint32_t seed;
    enum way way;
    struct gate *gate;
};

/* Each start has other parts, and the last of several returns. */
static int emit_and_end(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct plan plan = *(const struct plan *)input;
    uint32_t attempt = mortal_task_attempt(task);
    for (uint32_t i = 0; i < PARTS; i++)
        if (emit_part(task, plan.seed * 100 + attempt, i, 200, 0) != 0)
            return 1;
    word_add(&plan.gate->arrived, 1);
    if (attempt == STARTS)
        return 0;
    if (plan.way == CRASH)
        abort();
    compute_for_ever();
}

static void check_start(mortal_future future, uint32_t seed, uint32_t attempt)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        mortal_part part = part_of(future);
        CHECK_EQ(part.attempt, attempt);
        CHECK_EQ(part.number, (attempt - 1) * PARTS + i);
        part_check(&part, seed * 100 + attempt, i, 200);
    }
}

static void check_no_more(mortal_future future)
{
    mortal_part part;
    CHECK_ERR(mortal_future_next(future, LIMIT, &part), -ENOENT);
    CHECK_OK(mortal_future_release(future));
}

/* More than are kept for another look before arenas are given out again. */
static void hosts_come_and_go(mortal_pool *pool)
{
    for (unsigned i = 0; i < HOSTS; i++)
        CHECK_EQ(outcome_and_release(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
}

static void once_each_way(mortal_pool *pool, struct gate *gates)
{
    static const int outcomes[] = {[CRASH] = MORTAL_CRASHED, [HANG] = MORTAL_TIMED_OUT, [WAIT_TO_BE_KILLED] = MORTAL_KILLED};
    mortal_future futures[3];
    for (enum way way = CRASH; way <= WAIT_TO_BE_KILLED; way++) {
        struct plan plan = {.seed = way, .way = way, .gate = &gates[way]};
        futures[way] = submit_like(pool, emit_and_end, &plan, sizeof plan,
                                   (mortal_task_options){.deadline_ns = way == HANG ? MS(50) : 0});
        word_await(&gates[way].arrived, 1);
        if (way == WAIT_TO_BE_KILLED)
            CHECK_OK(mortal_future_kill(futures[way], 0, MORTAL_FOREVER, NULL));
        CHECK_EQ(outcome_of(futures[way]), outcomes[way]);
    }
    hosts_come_and_go(pool);
    for (enum way way = CRASH; way <= WAIT_TO_BE_KILLED; way++) {
        check_start(futures[way], way, 1);
        check_no_more(futures[way]);
    }
}

static void start_after_start(mortal_pool *pool, struct gate *gate, enum way way, bool meanwhile)
{
    struct plan plan = {.seed = 7, .way = way, .gate = gate};
    atomic_store(&gate->arrived, 0);
    mortal_future future = submit_like(pool, emit_and_end, &plan, sizeof plan,
                                       (mortal_task_options){.attempts = STARTS, .deadline_ns = way == HANG ? MS(30) : 0});
    for (uint32_t attempt = 1; meanwhile && attempt <= STARTS; attempt++)
        check_start(future, 7, attempt);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    if (!meanwhile)
        hosts_come_and_go(pool);
    for (uint32_t attempt = 1; !meanwhile && attempt <= STARTS; attempt++)
        check_start(future, 7, attempt);
    check_no_more(future);
}

/* Six earlier starts have parts that nobody took: the seventh has to wait until somebody does. */
static int emit_one_and_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint32_t attempt = mortal_task_attempt(task);
    struct gate *gate = *(struct gate *const *)input;
    if (attempt == 7) {
        if (mortal_task_emit(task, &attempt, sizeof attempt, 0) != -EAGAIN)
            return 2;
        word_add(&gate->arrived, 1);
    }
    if (mortal_task_emit(task, &attempt, sizeof attempt, MORTAL_FOREVER) != 0)
        return 3;
    if (attempt < 20)
        abort();
    return 0;
}

static void more_starts_than_are_kept(mortal_pool *pool, struct gate *gate)
{
    atomic_store(&gate->arrived, 0);
    mortal_future future = submit_like(pool, emit_one_and_crash, &gate, sizeof gate, (mortal_task_options){.attempts = 20});
    word_await(&gate->arrived, 1);
    for (uint32_t attempt = 1; attempt <= 20; attempt++) {
        mortal_part part = part_of(future);
        CHECK_EQ(part.attempt, attempt);
        CHECK_EQ(*(const uint32_t *)part.data, attempt);
    }
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    check_no_more(future);
}

static void collateral_and_lost(struct gate *gates)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    mortal_future futures[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct plan plan = {.seed = i, .way = WAIT_TO_BE_KILLED, .gate = &gates[i]};
        atomic_store(&gates[i].arrived, 0);
        futures[i] = submit(pool, emit_and_end, &plan, sizeof plan);
        word_await(&gates[i].arrived, 1);
    }
    CHECK_OK(mortal_future_kill(futures[0], 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(futures[1]), MORTAL_COLLATERAL);
    check_start(futures[1], 1, 1);
    check_no_more(futures[1]);
    struct plan plan = {.seed = 6, .way = WAIT_TO_BE_KILLED, .gate = &gates[2]};
    atomic_store(&gates[2].arrived, 0);
    mortal_future lost = submit(pool, emit_and_end, &plan, sizeof plan);
    word_await(&gates[2].arrived, 1);
    CHECK_EQ(kill(supervisor_of(pool), SIGKILL), 0);
    CHECK_EQ(outcome_of(lost), MORTAL_LOST);
    check_start(futures[0], 0, 1);
    check_start(lost, 6, 1);
    check_no_more(lost);
    check_no_more(futures[0]);
    end(pool);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .stream_bytes = 16384});
    once_each_way(pool, gates);
    for (int meanwhile = 0; meanwhile < 2; meanwhile++) {
        start_after_start(pool, gates, CRASH, meanwhile);
        start_after_start(pool, gates, HANG, meanwhile);
    }
    more_starts_than_are_kept(pool, gates);
    drain(pool);
    collateral_and_lost(gates);
}
