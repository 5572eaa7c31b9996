/*
 * While a worker is free no task waits behind a slow one: with two workers, and a task that never ends in front, each later
 * task starts; also after a stream of tasks so short that workers had stopped waking each other, with hosts of their own and
 * with one for all, and whatever the priorities.
 * Broken by: tasks that are dealt out to workers before they are free, a push that wakes nobody since somebody is awake.
 */
#include "twin.h"

enum { WORKERS = 3, STREAM = 3000, AFTER = 20 };

static void check(uint32_t workers_per_host, int32_t slow_priority)
{
    struct gate *gate = gates_make(1);
    word *count = harness_shared(sizeof *count);
    mortal_pool *pool = twin_open(WORKERS, workers_per_host, (mortal_pool_options){.queue_tasks = 1000});
    mortal_future slow[WORKERS - 1];
    for (uint32_t i = 0; i < STREAM; i++)
        CHECK_OK(mortal_pool_submit(pool, task_count, &count, sizeof count, NULL, NULL));
    for (uint32_t i = 0; i < WORKERS - 1; i++) {
        slow[i] = submit_like(pool, task_held, &gate, sizeof gate, (mortal_task_options){.priority = slow_priority});
        CHECK_OK(mortal_pool_submit(pool, task_count, &count, sizeof count, NULL, NULL));
    }
    word_await(&gate->arrived, WORKERS - 1); /* all but one are taken */
    for (uint32_t i = 1; i <= AFTER; i++) { /* each of these would otherwise wait for the gate, which opens after them */
        mortal_task_options options = {.size = sizeof options, .priority = (int32_t)(i % 3) - 1};
        CHECK_OK(mortal_pool_submit(pool, task_count, &count, sizeof count, &options, NULL));
        word_await(count, STREAM + WORKERS - 1 + i);
    }
    gate_open(gate);
    for (uint32_t i = 0; i < WORKERS - 1; i++)
        CHECK_EQ(outcome_and_release(slow[i]), MORTAL_DONE);
    twin_close(pool);
}

void test(void)
{
    check(1, MORTAL_PRIORITY_NORMAL);
    check(1, MORTAL_PRIORITY_HIGH);
    check(WORKERS, MORTAL_PRIORITY_LOW);
}
