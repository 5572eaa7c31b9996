/*
 * Several threads may wait for the same future: all wake up, all read the same verdict.
 * Broken by: a wake-up that reaches one of several sleepers.
 */
#include "tasks.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 30 };

static mortal_future awaited;
static word sleepers;

static void *wait_too(void *outcome)
{
    atomic_fetch_add(&sleepers, 1);
    *(int *)outcome = outcome_of(awaited);
    return NULL;
}

static void one_round(mortal_pool *pool, struct gate *gate)
{
    pthread_t threads[THREADS];
    int outcomes[THREADS];
    atomic_store(&sleepers, 0);
    awaited = submit_at(pool, task_held, gate);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_create(&threads[i], NULL, wait_too, &outcomes[i]));
    while (atomic_load(&sleepers) < THREADS)
        sched_yield();
    gate_open(gate);
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_OK(pthread_join(threads[i], NULL));
        CHECK_EQ(outcomes[i], MORTAL_DONE);
    }
    CHECK_OK(mortal_future_release(awaited));
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < ROUNDS; i++)
        one_round(pool, &gates[i]);
    drain(pool);
}
