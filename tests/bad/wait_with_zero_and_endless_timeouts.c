/*
 * Time-outs from 0 to for ever, and limits near the end of the clock, do what they say and never overflow.
 * Broken by: a deadline that wraps round to the past.
 */
#include "tasks.h"

static const uint64_t endless[] = {MORTAL_FOREVER, MORTAL_FOREVER - 1, UINT64_MAX / 2, (uint64_t)INT64_MAX,
                                   (uint64_t)INT64_MAX + 1};

static void nothing_times_out_early(mortal_pool *pool, mortal_group *group)
{
    for (unsigned i = 0; i < COUNT(endless); i++) {
        mortal_task_options options = {.within_ns = endless[i], .deadline_ns = endless[i], .group = group};
        mortal_verdict verdict = {0};
        mortal_future future = submit_like(pool, task_nothing, NULL, 0, options);
        CHECK_OK(mortal_future_wait(future, endless[i], &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_OK(mortal_group_next(group, endless[i], &verdict));
        CHECK_OK(mortal_future_kill(future, endless[i], endless[i], &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, endless[i], endless[i], NULL));
    }
}

static void zero_does_not_wait(mortal_pool *pool, mortal_group *group, struct gate *gate)
{
    void *place = gate;
    mortal_verdict verdict;
    mortal_future future = submit_like(pool, task_held, &place, sizeof place, (mortal_task_options){.group = group});
    word_await(&gate->arrived, 1);
    for (uint64_t timeout = 0; timeout < 3; timeout++) {
        CHECK_ERR(mortal_future_wait(future, timeout, &verdict), -ETIMEDOUT);
        CHECK_ERR(mortal_group_next(group, timeout, &verdict), -ETIMEDOUT);
    }
    gate_open(gate);
    CHECK_OK(mortal_future_wait(future, MORTAL_FOREVER, &verdict));
    CHECK_OK(mortal_future_wait(future, 0, &verdict));
    CHECK_OK(mortal_group_next(group, 0, &verdict));
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(1);
    mortal_group *group = NULL;
    CHECK_OK(mortal_group_open(&group, pool));
    nothing_times_out_early(pool, group);
    zero_does_not_wait(pool, group, gate);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, UINT64_MAX / 2, NULL));
}
