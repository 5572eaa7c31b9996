/*
 * held_tasks bounds everything that is not released: beyond it submit says -ENOBUFS at once, and each release makes
 * room.
 * Broken by: a submit that waits for what only its caller can do, or a bound that drifts.
 */
#include "tasks.h"

enum { HELD = 16, ROUNDS = 50 };

void test(void)
{
    mortal_future futures[HELD];
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = HELD, .held_tasks = HELD});
    for (unsigned i = 0; i < HELD; i++)
        futures[i] = submit(pool, task_nothing, NULL, 0);
    for (unsigned i = 0; i < HELD; i++)
        CHECK_EQ(outcome_of(futures[i]), MORTAL_DONE);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ENOBUFS);
    CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ENOBUFS);
    CHECK(strstr(mortal_why(), "release") != NULL);

    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_OK(mortal_future_release(futures[i % HELD]));
        futures[i % HELD] = submit(pool, task_nothing, NULL, 0);
        CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ENOBUFS);
        CHECK_EQ(outcome_of(futures[i % HELD]), MORTAL_DONE);
    }
    CHECK_EQ(stats_of(pool).held, HELD);
    drain(pool);
}
