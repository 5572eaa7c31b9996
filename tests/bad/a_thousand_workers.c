/*
 * 1024 workers, the most there may be, work: in hosts of 32, each runs a task at the same time.
 * Broken by: a worker number that does not fit where it is kept.
 */
#include "tasks.h"

enum { WORKERS = 1024, PER_HOST = 32 };

void test(void)
{
    static mortal_future futures[WORKERS];
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = WORKERS, .workers_per_host = PER_HOST,
                                                        .results_bytes = 1 << 20});
    for (unsigned i = 0; i < WORKERS; i++)
        futures[i] = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, WORKERS);
    CHECK_EQ(stats_of(pool).running, WORKERS);
    gate_open(gate);
    for (unsigned i = 0; i < WORKERS; i++)
        CHECK_EQ(outcome_of(futures[i]), MORTAL_DONE);
    check_pool_works(pool);
    drain(pool);
}
