/*
 * Threads use a pool without a pause while another one closes it, and open nothing but their eyes: every call that comes
 * too late says so, none of them touches what is gone, and what was submitted in time has run.
 */
#include "twin.h"

enum { CALLERS = 3 };

static mortal_pool *pool;
static word in_time, ran;

static bool is_over(int error)
{
    CHECK(error == 0 || error == -ESHUTDOWN || error == -EINVAL || error == -ESTALE || error == -EAGAIN ||
          error == -ETIMEDOUT || error == -EBUSY || error == -EALREADY);
    return error == -ESHUTDOWN || error == -EINVAL || error == -ESTALE;
}

/* One of each, until the pool is closed. */
static void *call(void *argument)
{
    uint64_t dice = *(const uint32_t *)argument;
    word *counter = &ran;
    for (;;) {
        mortal_future future;
        mortal_verdict verdict;
        mortal_look look;
        mortal_stats stats;
        int error = mortal_pool_try_submit(pool, task_count, &counter, sizeof counter, NULL, &future);
        if (is_over(error))
            return NULL;
        if (error != 0)
            continue;
        atomic_fetch_add(&in_time, 1);
        if (below(&dice, 4) == 0 && mortal_future_cancel(future) == 0)
            atomic_fetch_sub(&in_time, 1);
        if (is_over(mortal_future_look(future, &look)) || is_over(mortal_pool_stats(pool, &stats)) ||
            is_over(mortal_future_wait(future, below(&dice, 2) * MORTAL_FOREVER, &verdict)) ||
            is_over(mortal_future_release(future)))
            return NULL;
    }
}

static void check_round(uint32_t round)
{
    pthread_t threads[CALLERS];
    uint32_t numbers[CALLERS];
    uint64_t dice = round;
    pool = twin_open(2, 1 + round % 2, (mortal_pool_options){.queue_tasks = 8, .held_tasks = 64});
    atomic_store(&in_time, 0);
    atomic_store(&ran, 0);
    for (uint32_t i = 0; i < CALLERS; i++) {
        numbers[i] = round * CALLERS + i;
        threads[i] = thread_start(call, &numbers[i]);
    }
    spin(below(&dice, 300000));
    twin_close(pool);
    for (uint32_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(atomic_load(&ran), atomic_load(&in_time));
}

void test(void)
{
    for (uint32_t round = 0; round < more_if_long(60); round++)
        check_round(round);
}
