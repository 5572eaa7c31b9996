/*
 * Threads wait in mortal_future_take() when their tasks are killed, one by one, all at once, or with the supervisor:
 * each hears how its task ended, and its future is released.
 * Broken by: a take that sleeps on, or that leaves a future behind which nobody has any more.
 */
#include "tasks.h"

#include <pthread.h>

enum { TAKERS = 4 };

struct taker {
    mortal_future future;
    mortal_verdict verdict;
    uint64_t room;
    pthread_t thread;
};

static void *take(void *argument)
{
    struct taker *taker = argument;
    CHECK_OK(mortal_future_take(taker->future, MORTAL_FOREVER, &taker->verdict, &taker->room, sizeof taker->room));
    return NULL;
}

static void begin(mortal_pool *pool, struct gate *gate, struct taker *takers)
{
    for (unsigned i = 0; i < TAKERS; i++) {
        takers[i] = (struct taker){.future = submit_at(pool, task_endless, gate), .room = 99};
        CHECK_EQ(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
    }
    word_await(&gate->arrived, TAKERS);
}

static void finish(struct taker *taker, int outcome)
{
    CHECK_EQ(pthread_join(taker->thread, NULL), 0);
    CHECK_EQ(taker->verdict.outcome, outcome);
    CHECK(taker->verdict.result == NULL && taker->verdict.result_bytes == 0 && taker->room == 99);
    CHECK_ERR(mortal_future_wait(taker->future, 0, NULL), -ESTALE);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    struct taker takers[TAKERS];
    mortal_pool *pool = pool_with(TAKERS);
    begin(pool, &gates[0], takers);
    for (unsigned i = 0; i < TAKERS; i++) { /* whoever is first, its taker may have released it already */
        int error = mortal_future_kill(takers[i].future, 0, MORTAL_FOREVER, NULL);
        CHECK(error == 0 || error == -ESTALE);
        finish(&takers[i], MORTAL_KILLED);
    }
    begin(pool, &gates[1], takers);
    CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
    for (unsigned i = 0; i < TAKERS; i++)
        finish(&takers[i], MORTAL_KILLED);
    CHECK_EQ(stats_of(pool).held, 0);
    check_pool_works(pool);
    begin(pool, &gates[2], takers);
    CHECK_OK(kill(supervisor_of(pool), SIGKILL));
    for (unsigned i = 0; i < TAKERS; i++)
        finish(&takers[i], MORTAL_LOST);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
}
