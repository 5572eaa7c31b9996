/*
 * Threads that submit, wait, look and kill while another closes the pool get an error, never a crash and never an
 * endless wait.
 * Broken by: a pool that is freed under a caller, or a sleeper that close forgets.
 */
#include "tasks.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 24 };

struct party {
    mortal_pool *pool;
    mortal_future held;
    unsigned role;
    word turns;
};

static bool means_closed(int error)
{
    CHECK(error == 0 || error == -ESHUTDOWN || error == -EINVAL || error == -ESTALE);
    return error != 0;
}

static int play(struct party *party)
{
    mortal_stats stats;
    switch (party->role) {
    case 0:
        return mortal_pool_kill(party->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL);
    case 1:
        return mortal_pool_submit(party->pool, task_nothing, NULL, 0, NULL, NULL);
    case 2:
        return mortal_pool_stats(party->pool, &stats);
    default:
        return mortal_future_wait(party->held, MORTAL_FOREVER, NULL);
    }
}

static void *take_part(void *argument)
{
    struct party *party = argument;
    do
        word_add(&party->turns, 1);
    while (!means_closed(play(party)));
    return NULL;
}

static void one_round(struct gate *gate, unsigned round)
{
    static const int ways[] = {MORTAL_CLOSE_KILL, MORTAL_CLOSE_CANCEL, MORTAL_CLOSE_DRAIN};
    static struct party parties[THREADS];
    pthread_t threads[THREADS];
    mortal_pool *pool = pool_with(2);
    mortal_future held = submit_at(pool, task_held, gate);
    for (unsigned i = 0; i < THREADS; i++) {
        parties[i] = (struct party){.pool = pool, .held = held, .role = i};
        CHECK_OK(pthread_create(&threads[i], NULL, take_part, &parties[i]));
    }
    for (unsigned i = 0; i < THREADS; i++)
        word_await(&parties[i].turns, 1);
    CHECK_OK(mortal_pool_close(pool, ways[round % 3], 0, NULL));
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_join(threads[i], NULL));
    until_single_threaded();
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    for (unsigned round = 0; round < ROUNDS; round++)
        one_round(&gates[round], round);
    CHECK_EQ(harness_children(), 0);
}
