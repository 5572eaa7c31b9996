/*
 * A kill of the pool reaches what was submitted before the call; whatever other threads submit meanwhile is either
 * hit as a whole or runs, and every task submitted after its return runs.
 * Broken by: a kill that goes on and catches later tasks.
 */
#include "tasks.h"

#include <pthread.h>

enum { ROUNDS = 300 };

static word stop;

static void *submit_on(void *pool)
{
    while (!atomic_load(&stop)) {
        mortal_future future = submit(pool, task_nothing, NULL, 0);
        int outcome = outcome_and_release(future);
        CHECK(outcome == MORTAL_DONE || outcome == MORTAL_CANCELLED || outcome == MORTAL_KILLED);
    }
    return NULL;
}

void test(void)
{
    pthread_t thread;
    mortal_pool *pool = pool_with(2);
    CHECK_OK(pthread_create(&thread, NULL, submit_on, pool));
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
        check_pool_works(pool);
        mortal_pool_kill_now(pool, MORTAL_UNENDED);
        check_pool_works(pool);
    }
    atomic_store(&stop, 1);
    CHECK_OK(pthread_join(thread, NULL));
    drain(pool);
}
