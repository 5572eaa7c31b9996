/*
 * All tasks can be submitted first and waited for afterwards, far more than the queue has room for, up to
 * held_tasks.
 * Broken by: a pool that stalls because nobody takes its verdicts while everybody submits.
 */
#include "tasks.h"

enum { TASKS = 100000, QUEUE = 256 };

void test(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .queue_tasks = QUEUE, .held_tasks = TASKS});
    mortal_future *futures = calloc(TASKS, sizeof *futures);
    CHECK(futures != NULL);
    for (uint64_t i = 0; i < TASKS; i++)
        futures[i] = submit(pool, task_double, &i, sizeof i);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ENOBUFS);
    for (uint64_t i = 0; i < TASKS; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        uint64_t answer = 0;
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, sizeof answer);
        memcpy(&answer, verdict.result, sizeof answer);
        CHECK_EQ(answer, i * 2);
    }
    CHECK_EQ(stats_of(pool).held, TASKS);
    for (unsigned i = 0; i < TASKS; i++)
        CHECK_OK(mortal_future_release(futures[i]));
    CHECK_EQ(stats_of(pool).held, 0);
    check_pool_works(pool);
    free(futures);
    drain(pool);
}
