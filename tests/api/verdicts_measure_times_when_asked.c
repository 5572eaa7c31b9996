/*
 * With MORTAL_MEASURE_TIMES a verdict tells how long its task was queued and ran; without, both are zero.
 * Broken by: times of another task or attempt. Only bounds that hold on any machine are checked.
 */
#include "tasks.h"

static int run_for(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    uint64_t end = mortal_now_ns() + *(const uint64_t *)input;
    while (mortal_now_ns() < end)
        ;
    return 0;
}

static void measured(void)
{
    uint64_t short_run = MS(1), long_run = MS(3);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .measure = MORTAL_MEASURE_TIMES});
    uint64_t start = mortal_now_ns();
    mortal_future first = submit(pool, run_for, &long_run, sizeof long_run);
    mortal_future second = submit(pool, run_for, &short_run, sizeof short_run);
    mortal_verdict one = wait_for(first), two = wait_for(second);
    uint64_t took = mortal_now_ns() - start;
    CHECK(one.ran_ns >= long_run && one.ran_ns + one.queued_ns <= took);
    CHECK(two.ran_ns >= short_run && two.ran_ns + two.queued_ns <= took);
    CHECK(one.ran_ns + two.ran_ns <= took);
    drain(pool);
}

static void not_measured(void)
{
    uint64_t run = MS(1);
    mortal_pool *pool = pool_with(1);
    mortal_verdict verdict = wait_for(submit(pool, run_for, &run, sizeof run));
    CHECK_EQ(verdict.ran_ns, 0);
    CHECK_EQ(verdict.queued_ns, 0);
    drain(pool);
}

void test(void)
{
    measured();
    not_measured();
}
