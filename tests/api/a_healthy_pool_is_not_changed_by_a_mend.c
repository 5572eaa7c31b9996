/*
 * To mend a pool whose circuit breaker is not open, or that has none, from one thread or several, is no error and
 * changes nothing: not the hosts, not what runs or waits, not the count of deaths.
 * Broken by: a mend that restarts hosts, that forgives deaths or opens what is closed.
 */
#include "tasks.h"

#include <pthread.h>

enum { THREADS = 4, MENDS = 200 };

static void *mend(void *pool)
{
    for (int i = 0; i < MENDS; i++)
        CHECK_OK(mortal_pool_mend(pool));
    return NULL;
}

static void mend_from_all_sides(mortal_pool *pool)
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_create(&threads[i], NULL, mend, pool));
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_join(threads[i], NULL));
    until_single_threaded();
}

static void check_unchanged(mortal_pool *pool, struct gate *gate)
{
    memset(gate, 0, sizeof *gate);
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    pid_t host = host_of(held);
    mortal_future pending = submit(pool, task_nothing, NULL, 0);
    uint64_t deaths = stats_of(pool).host_deaths;
    mend_from_all_sides(pool);
    CHECK_EQ(host_of(held), host);
    CHECK_EQ(look_at(pending).phase, MORTAL_PENDING);
    CHECK_EQ(stats_of(pool).host_deaths, deaths);
    CHECK_EQ(stats_of(pool).breaker, 0);
    CHECK_EQ(stats_of(pool).breaker_opened, 0);
    gate_open(gate);
    CHECK_EQ(outcome_of(held), MORTAL_DONE);
    CHECK_EQ(outcome_of(pending), MORTAL_DONE);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(1);
    check_unchanged(pool, gate);
    drain(pool);

    pool = pool_like((mortal_pool_options){.workers = 1, .deaths = 1});
    check_unchanged(pool, gate);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    check_unchanged(pool, gate);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    CHECK_EQ(stats_of(pool).breaker, 1); /* the first death was not forgotten */
    mend_from_all_sides(pool);
    CHECK_EQ(stats_of(pool).breaker, 0);
    CHECK_EQ(stats_of(pool).breaker_opened, 1);
    check_pool_works(pool);
    mortal_pool_seal(pool);
    CHECK_OK(mortal_pool_mend(pool));
    drain(pool);
}
