/*
 * 256 workers on whatever processors there are, in hosts of their own and in four hosts of 64: each runs a task at the same
 * time, all are killed at once and come back, some are killed one by one while the others stay, and what waited is done.
 * Broken by: a table that is too small for so many; a place that is given out twice when hundreds die at once.
 */
#include "tasks.h"

enum { WORKERS = 256, SINGLE_KILLS = 40 };

static mortal_future futures[WORKERS];

/* Asleep: what is to be seen is the pool, and not how two processors serve 256 loops. */
static int stay(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    while (pause() != 0)
        ;
    return 0;
}

static void all_begin(mortal_pool *pool, struct gate *gate, uint32_t workers)
{
    atomic_store(&gate->arrived, 0);
    for (uint32_t i = 0; i < workers; i++)
        futures[i] = submit_at(pool, stay, gate);
    word_await(&gate->arrived, workers);
}

static void all_end(uint32_t workers)
{
    for (uint32_t i = 0; i < workers; i++) {
        int outcome = outcome_and_release(futures[i]);
        CHECK(outcome == MORTAL_KILLED || outcome == MORTAL_COLLATERAL);
    }
}

static void check(uint32_t workers, uint32_t per_host)
{
    struct gate *gate = gates_make(1);
    mortal_kill_report report;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = workers, .workers_per_host = per_host,
                                                        .results_bytes = 1 << 16, .held_tasks = 4096});
    all_begin(pool, gate, workers);
    CHECK_EQ(stats_of(pool).running, workers);
    for (uint32_t i = 0; i < 1000; i++) /* waits behind them */
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL));
    CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed, workers);
    all_end(workers);
    all_begin(pool, gate, workers);
    for (uint32_t i = 0; i < SINGLE_KILLS; i++)
        CHECK_OK(mortal_future_kill(futures[i * workers / SINGLE_KILLS], 0, MORTAL_FOREVER, NULL));
    CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report));
    all_end(workers);
    check_pool_works(pool);
    drain(pool);
}

void test(void)
{
    check(WORKERS, 1);
    check(WORKERS, 64);
}
