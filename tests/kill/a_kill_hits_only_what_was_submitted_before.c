/*
 * A kill of the pool reaches what was submitted before the call; whatever other threads submit meanwhile is either
 * hit as a whole or runs, and every task submitted after its return runs.
 * Broken by: a kill that goes on and catches later tasks.
 */
#include "hits.h"
#include "tasks.h"

#include <pthread.h>

enum { ROUNDS = 300, LENGTH_NS = 1000000 };

static word stop;
static word *begun;
static struct hits hits;

static int take_a_while(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    atomic_fetch_add(begun, 1);
    for (uint64_t end = mortal_now_ns() + LENGTH_NS; mortal_now_ns() < end;)
        ;
    return 0;
}

static void *submit_on(void *pool)
{
    while (!atomic_load(&stop)) {
        mortal_future future = submit(pool, take_a_while, NULL, 0);
        int outcome = outcome_and_release(future);
        CHECK(outcome == MORTAL_DONE || outcome == MORTAL_CANCELLED || outcome == MORTAL_KILLED);
        hits.of[hit_of(MORTAL_PENDING, outcome, false)]++;
    }
    return NULL;
}

void test(void)
{
    pthread_t thread;
    begun = harness_shared(sizeof *begun);
    mortal_pool *pool = pool_with(2);
    CHECK_OK(pthread_create(&thread, NULL, submit_on, pool));
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % 2) /* else it has been submitted only just now */
            harness_wait_at_least(begun, atomic_load(begun) + 1);
        CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
        check_pool_works(pool);
        mortal_pool_kill_now(pool, MORTAL_UNENDED);
        check_pool_works(pool);
    }
    atomic_store(&stop, 1);
    CHECK_OK(pthread_join(thread, NULL));
    hits_check("tasks that met kills,", &hits, 1u << HIT_RUNNING | 1u << HIT_FINISHED);
    drain(pool);
}
