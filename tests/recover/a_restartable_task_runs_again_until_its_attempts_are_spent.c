/*
 * A task with attempts over 1 runs again when it crashes, knows which attempt it is, and is quarantined when they are
 * spent.
 * Broken by: a task without attempts that runs twice, one with attempts that runs once too often, a kill that is
 * retried.
 */
#include "tasks.h"

enum { ATTEMPTS = 4, CRASHES_TWICE = 2, CRASHES_ALWAYS = 1000 };

struct plan {
    struct gate *gate;
    unsigned crashes;
};

static int crash_as_planned(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct plan *plan = input;
    unsigned attempt = mortal_task_attempt(task);
    if (word_add(&plan->gate->arrived, 1) + 1 != attempt)
        return 99;
    if (attempt <= plan->crashes)
        abort();
    return 0;
}

static int fail(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    return 5;
}

static void check(mortal_pool *pool, struct plan plan, uint32_t attempts, int outcome, uint32_t starts)
{
    struct gate *gate = plan.gate;
    mortal_task_options options = {.attempts = attempts};
    mortal_future future = submit_like(pool, crash_as_planned, &plan, sizeof plan, options);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, outcome);
    CHECK_EQ(verdict.attempts, starts);
    CHECK_EQ(atomic_load(&gate->arrived), starts);
    CHECK_EQ(look_at(future).attempt, starts);
}

static void only_crashes_are_retried(mortal_pool *pool, struct gate *gates)
{
    void *place = &gates[0];
    mortal_task_options often = {.attempts = ATTEMPTS};
    CHECK_EQ(outcome_of(submit_like(pool, fail, &place, sizeof place, often)), MORTAL_FAILED);
    CHECK_EQ(atomic_load(&gates[0].arrived), 1);

    place = &gates[1];
    mortal_future endless = submit_like(pool, task_endless, &place, sizeof place, often);
    word_await(&gates[1].arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(endless), MORTAL_KILLED);
    check_pool_works(pool);
    CHECK_EQ(atomic_load(&gates[1].arrived), 1);
}

void test(void)
{
    struct gate *gates = gates_make(7);
    mortal_pool *pool = pool_with(1);
    check(pool, (struct plan){&gates[0], CRASHES_ALWAYS}, 0, MORTAL_CRASHED, 1);
    check(pool, (struct plan){&gates[1], CRASHES_ALWAYS}, 1, MORTAL_CRASHED, 1);
    check(pool, (struct plan){&gates[2], CRASHES_ALWAYS}, ATTEMPTS, MORTAL_QUARANTINED, ATTEMPTS);
    check(pool, (struct plan){&gates[3], CRASHES_TWICE}, ATTEMPTS, MORTAL_DONE, CRASHES_TWICE + 1);
    check(pool, (struct plan){&gates[4], 0}, ATTEMPTS, MORTAL_DONE, 1);
    only_crashes_are_retried(pool, &gates[5]);
    CHECK_EQ(stats_of(pool).requeued, ATTEMPTS - 1 + CRASHES_TWICE);
    drain(pool);
}
