/*
 * Several threads may kill at once, the same task or all of them; every call returns, and all read the same verdict.
 * Broken by: a request word that two kills overwrite, or a caller that waits for a death that another one was told.
 */
#include "tasks.h"

#include <pthread.h>

enum { THREADS = 6, ROUNDS = 40 };

struct party {
    mortal_pool *pool;
    mortal_future victim;
    int outcome;
};

static void *kill_the_same(void *argument)
{
    struct party *party = argument;
    mortal_verdict verdict = {0};
    CHECK_OK(mortal_future_kill(party->victim, 0, MORTAL_FOREVER, &verdict));
    party->outcome = verdict.outcome;
    return NULL;
}

static void *kill_all(void *argument)
{
    struct party *party = argument;
    mortal_kill_report report = {0};
    CHECK_OK(mortal_pool_kill(party->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.still_dying, 0);
    party->outcome = MORTAL_KILLED;
    return NULL;
}

static void together(mortal_pool *pool, struct gate *gate, bool with_kill_all)
{
    struct party parties[THREADS];
    pthread_t threads[THREADS];
    mortal_future victim = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    for (unsigned i = 0; i < THREADS; i++) {
        parties[i] = (struct party){pool, victim, 0};
        CHECK_OK(pthread_create(&threads[i], NULL, with_kill_all && i % 2 ? kill_all : kill_the_same, &parties[i]));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_OK(pthread_join(threads[i], NULL));
        CHECK_EQ(parties[i].outcome, MORTAL_KILLED);
    }
    CHECK_EQ(outcome_and_release(victim), MORTAL_KILLED);
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    mortal_pool *pool = pool_with(2);
    for (unsigned i = 0; i < ROUNDS; i++)
        together(pool, &gates[i], i % 2);
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_KILLED], ROUNDS);
    CHECK_EQ(stats.host_kills, ROUNDS);
    check_pool_works(pool);
    drain(pool);
}
