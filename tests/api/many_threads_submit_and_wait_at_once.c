/*
 * Any thread of the owner may submit, wait, cancel, kill and release at once; each gets the answers to its own
 * questions.
 * Broken by: a ledger or wake-up that two threads share without agreeing.
 */
#include "tasks.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 40, BATCH = 16 };

struct party {
    mortal_pool *pool;
    uint64_t first;
};

static void check_one(mortal_future future, uint64_t number, bool is_cancelled)
{
    mortal_verdict verdict = wait_for(future);
    uint64_t answer = 0;
    if (is_cancelled) {
        CHECK_EQ(verdict.outcome, MORTAL_CANCELLED);
    } else {
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, sizeof answer);
        memcpy(&answer, verdict.result, sizeof answer);
        CHECK_EQ(answer, number * 2);
    }
    CHECK_OK(mortal_future_release(future));
}

static void *take_part(void *argument)
{
    struct party *party = argument;
    mortal_future futures[BATCH];
    bool is_cancelled[BATCH];
    uint64_t number = party->first;
    for (unsigned round = 0; round < ROUNDS; round++, number += BATCH) {
        for (uint64_t i = 0; i < BATCH; i++) {
            uint64_t own = number + i;
            futures[i] = submit(party->pool, task_double, &own, sizeof own);
        }
        for (unsigned i = 0; i < BATCH; i++)
            is_cancelled[i] = i % 4 == 3 && mortal_future_cancel(futures[i]) == 0;
        for (unsigned i = 0; i < BATCH; i++)
            check_one(futures[i], number + i, is_cancelled[i]);
    }
    return NULL;
}

void test(void)
{
    struct party parties[THREADS];
    pthread_t threads[THREADS];
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .queue_tasks = 32});
    for (unsigned i = 0; i < THREADS; i++) {
        parties[i] = (struct party){pool, i * 1000000u};
        CHECK_OK(pthread_create(&threads[i], NULL, take_part, &parties[i]));
    }
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_join(threads[i], NULL));
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.submitted, THREADS * ROUNDS * BATCH);
    CHECK_EQ(stats.held, 0);
    drain(pool);
}
