/*
 * mortal_pool_options.task holds for every task submitted without options, and is copied at open.
 * Broken by: defaults that are forgotten, or read after open from memory that is the caller's again.
 */
#include "tasks.h"

static int crash_until_the_third_attempt(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    if (mortal_task_attempt(task) < 3)
        abort();
    return 0;
}

static mortal_pool *pool_with_defaults(mortal_task_options defaults)
{
    defaults.size = sizeof defaults;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .task = &defaults});
    memset(&defaults, 0xff, sizeof defaults);
    return pool;
}

static void attempts_apply(void)
{
    char         name[] = "default name";
    mortal_pool *pool = pool_with_defaults((mortal_task_options){.name = name, .attempts = 3});
    memset(name, 'x', sizeof name);
    mortal_verdict verdict = wait_for(submit(pool, crash_until_the_third_attempt, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.attempts, 3);

    /* options of its own replace the defaults as a whole */
    mortal_task_options once = {.attempts = 1};
    CHECK_EQ(outcome_of(submit_like(pool, crash_until_the_third_attempt, NULL, 0, once)), MORTAL_CRASHED);
    drain(pool);
}

/* Only of a task that never returns, which is late however long anything takes. */
static void the_deadline_applies(void)
{
    struct gate   *gate = gates_make(1);
    mortal_pool   *pool = pool_with_defaults((mortal_task_options){.attempts = 2, .deadline_ns = MS(20)});
    mortal_verdict verdict = wait_for(submit_at(pool, task_endless, gate));
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.attempts, 2);
    drain(pool);
}

void test(void)
{
    attempts_apply();
    the_deadline_applies();
}
