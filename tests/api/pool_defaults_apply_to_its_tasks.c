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

void test(void)
{
    struct gate *gates = gates_make(2);
    char name[] = "default name";
    mortal_task_options defaults = {.size = sizeof defaults, .name = name, .attempts = 3, .deadline_ns = MS(200)};
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .task = &defaults});
    memset(&defaults, 0xff, sizeof defaults);
    memset(name, 'x', sizeof name);

    mortal_verdict verdict = wait_for(submit(pool, crash_until_the_third_attempt, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.attempts, 3);
    CHECK_EQ(outcome_of(submit_at(pool, task_endless, &gates[0])), MORTAL_TIMED_OUT);

    /* options of its own replace the defaults as a whole */
    mortal_task_options once = {.attempts = 1};
    CHECK_EQ(outcome_of(submit_like(pool, crash_until_the_third_attempt, NULL, 0, once)), MORTAL_CRASHED);
    drain(pool);
}
