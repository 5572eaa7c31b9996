/*
 * A pool is closed once: again is -EINVAL, at the same time is -EALREADY; neither harms another pool.
 * Broken by: a second close that frees twice, or closes the pool that took over the place.
 */
#include "tasks.h"

#include <pthread.h>

struct closer {
    mortal_pool *pool;
    struct gate *gate;
    word started;
    int error;
};

static void *close_it(void *argument)
{
    struct closer *closer = argument;
    word_set(&closer->started, 1);
    closer->error = mortal_pool_close(closer->pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL);
    return NULL;
}

static void one_after_the_other(void)
{
    mortal_pool *pool = pool_with(1);
    drain(pool);
    CHECK_ERR(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL), -EINVAL);
    mortal_pool *other = pool_with(1);
    if (other != pool)
        CHECK_ERR(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL), -EINVAL);
    check_pool_works(other);
    drain(other);
}

/* The first close waits for a held task, so the second surely finds it at work. */
static void at_the_same_time(struct gate *gate)
{
    struct closer closer = {.pool = pool_with(1), .gate = gate};
    mortal_stats stats;
    pthread_t thread;
    int error;
    submit_at(closer.pool, task_held, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(pthread_create(&thread, NULL, close_it, &closer));
    word_await(&closer.started, 1);
    POLL_UNTIL((error = mortal_pool_stats(closer.pool, &stats)) != 0);
    CHECK_ERR(mortal_pool_mend(closer.pool), error);
    CHECK_ERR(error, -ESHUTDOWN);
    CHECK_ERR(mortal_pool_close(closer.pool, MORTAL_CLOSE_KILL, 0, NULL), -EALREADY);
    gate_open(gate);
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_OK(closer.error);
    CHECK_EQ(atomic_load(&gate->passed), 1);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    one_after_the_other();
    at_the_same_time(gate);
}
