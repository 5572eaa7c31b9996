/*
 * Workers stay asleep while one of them runs brisk tasks as fast as they come. When one of those tasks turns out to be
 * long, and waits for the one that was submitted behind it, somebody else starts that one.
 * Broken by: wake-ups saved for a deputy that is not there, or that does not look when it wakes.
 */
#include "twin.h"

enum { STREAM = 300 };

static word ran, release_long;

static int wait_for_release(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    while (atomic_load(&release_long) == 0)
        sched_yield();
    return 0;
}

static int release_it(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    atomic_store(&release_long, 1);
    return 0;
}

static void check(uint32_t workers, uint32_t workers_per_host, uint32_t rounds)
{
    mortal_pool *pool = twin_open(workers, workers_per_host, (mortal_pool_options){.held_tasks = 64});
    uint32_t covered = 0;
    atomic_store(&ran, 0);
    for (uint32_t round = 0; round < rounds; round++) {
        mortal_future futures[2];
        for (uint32_t i = 0; i < STREAM; i++) {
            word *counter = &ran;
            CHECK_OK(mortal_pool_submit(pool, task_count, &counter, sizeof counter, NULL, NULL));
            while (atomic_load(&ran) != round * STREAM + i + 1)
                sched_yield();
        }
        covered += atomic_load(&claims_head(twin_region())->deputy) != 0;
        atomic_store(&release_long, 0);
        CHECK_OK(mortal_pool_submit(pool, wait_for_release, NULL, 0, NULL, &futures[0]));
        CHECK_OK(mortal_pool_submit(pool, release_it, NULL, 0, NULL, &futures[1]));
        CHECK_EQ(outcome_and_release(futures[0]), MORTAL_DONE);
        CHECK_EQ(outcome_and_release(futures[1]), MORTAL_DONE);
    }
    harness_note("%u workers, %u a host: a deputy slept in %u of %u rounds", workers, workers_per_host, covered, rounds);
    twin_close(pool);
}

void test(void)
{
    check(2, 1, more_if_long(300));
    check(3, 3, more_if_long(300));
    check(6, 2, more_if_long(300));
}
