/*
 * Streams of tasks from one, two and four producers, waited for with a few in flight each; each is done once and answers
 * what it should. On hosts of their own and all in one.
 */
#include "twin.h"

enum { IN_FLIGHT = 8 };

struct producer {
    mortal_pool *pool;
    uint32_t number, tasks;
};

static _Atomic uint32_t ran;

/* Every second task answers; the others are done and that is all. */
static int square_or_nothing(mortal_task *task, const void *input, size_t input_bytes)
{
    uint64_t number;
    atomic_fetch_add(&ran, 1);
    CHECK_EQ(input_bytes, sizeof number);
    memcpy(&number, input, sizeof number);
    if (number % 2 == 0)
        return 0;
    number *= number;
    return mortal_task_reply(task, &number, sizeof number);
}

static void take_in(mortal_future future, uint64_t number)
{
    mortal_verdict verdict;
    CHECK_OK(mortal_future_wait(future, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, number % 2 == 0 ? 0 : sizeof number);
    if (number % 2 != 0)
        CHECK_EQ(*(const uint64_t *)verdict.result, number * number);
    CHECK_OK(mortal_future_release(future));
}

static void *produce(void *argument)
{
    struct producer *me = argument;
    mortal_future futures[IN_FLIGHT];
    uint64_t base = (uint64_t)me->number << 24;
    for (uint32_t i = 0; i < me->tasks + IN_FLIGHT; i++) {
        if (i >= IN_FLIGHT)
            take_in(futures[i % IN_FLIGHT], base + i - IN_FLIGHT);
        if (i < me->tasks)
            futures[i % IN_FLIGHT] = submit(me->pool, square_or_nothing, &(uint64_t){base + i}, sizeof(uint64_t));
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t workers_per_host, uint32_t producers, uint32_t tasks)
{
    struct producer producer[4];
    pthread_t threads[4];
    mortal_pool *pool = twin_open(workers, workers_per_host, (mortal_pool_options){.queue_tasks = 64});
    atomic_store(&ran, 0);
    for (uint32_t i = 0; i < producers; i++) {
        producer[i] = (struct producer){.pool = pool, .number = i, .tasks = tasks};
        threads[i] = thread_start(produce, &producer[i]);
    }
    for (uint32_t i = 0; i < producers; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(atomic_load(&ran), producers * tasks);
    CHECK_EQ(stats_of(pool).held, 0);
    twin_close(pool);
}

void test(void)
{
    uint32_t tasks = more_if_long(2000);
    for (uint32_t producers = 1; producers <= 4; producers *= 2) {
        check(1, 1, producers, tasks);
        check(3, 1, producers, tasks);
        check(4, 4, producers, tasks);
        check(5, 2, producers, tasks);
    }
}
