/*
 * A pool whose circuit breaker opens all the time, and which several threads mend as often, gives every task its
 * verdict, once, and every result.
 * Broken by: a mend that meets a death half way, a host that stays without leave to claim, two mends that undo each
 * other.
 */
#include "tasks.h"

#include <pthread.h>

enum { THREADS = 3, TASKS = 150, TASKS_LONG = 2000 };

static mortal_pool *pool;

static int every_third(mortal_task *task, const void *input, size_t input_bytes)
{
    if (*(const uint64_t *)input % 3 == 0)
        abort();
    return task_double(task, input, input_bytes);
}

/* The call, mending the pool whenever it says that this is what it needs. */
#define MENDING(call)                              \
    do {                                           \
        int mending_error;                         \
        while ((mending_error = (call)) == -EHOSTDOWN) \
            CHECK_OK(mortal_pool_mend(pool));      \
        CHECK_OK(mending_error);                   \
    } while (0)

static void *submit_and_wait(void *tasks)
{
    mortal_future *futures = calloc(*(const uint64_t *)tasks, sizeof *futures);
    CHECK(futures != NULL);
    for (uint64_t i = 0; i < *(const uint64_t *)tasks; i++)
        MENDING(mortal_pool_submit(pool, every_third, &i, sizeof i, NULL, &futures[i]));
    for (uint64_t i = 0; i < *(const uint64_t *)tasks; i++) {
        mortal_verdict verdict;
        MENDING(mortal_future_wait(futures[i], MORTAL_FOREVER, &verdict));
        CHECK_EQ(verdict.outcome, i % 3 == 0 ? MORTAL_CRASHED : MORTAL_DONE);
        if (i % 3 != 0)
            CHECK_EQ(*(const uint64_t *)verdict.result, 2 * i);
    }
    free(futures);
    return NULL;
}

void test(void)
{
    pthread_t threads[THREADS];
    uint64_t tasks = TEST_LONG ? TASKS_LONG : TASKS;
    pool = pool_like((mortal_pool_options){.workers = 2, .deaths = 1});
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_create(&threads[i], NULL, submit_and_wait, &tasks));
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_OK(pthread_join(threads[i], NULL));
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_CRASHED], THREADS * ((tasks + 2) / 3));
    CHECK_EQ(stats.ended[MORTAL_DONE], THREADS * tasks - stats.ended[MORTAL_CRASHED]);
    CHECK_EQ(stats.pending + stats.running, 0);
    CHECK(stats.breaker_opened > 0);
    harness_note("opened and mended %u times", stats.breaker_opened);
    CHECK_OK(mortal_pool_mend(pool));
    check_pool_works(pool);
    drain(pool);
}
