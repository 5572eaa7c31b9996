/*
 * The queue is full, a submit was refused, a task that waits is cancelled: the next submit has room and does not sleep.
 * Broken by: a last look for room that is saved because the one before, for another submit, was in vain. Where the workers
 * are busy for long, nobody wakes the submitter then but its own look around, after half a second.
 */
#include "tasks.h"

#include <sys/resource.h>

enum { QUEUE = 8, ROUNDS = 5 };

static long sleeps(void)
{
    struct rusage usage;
    CHECK_OK(getrusage(RUSAGE_THREAD, &usage));
    return usage.ru_nvcsw;
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = QUEUE});
    mortal_future running = submit_at(pool, task_held, gate), waiting[QUEUE], none;
    bool without_sleep = false;
    word_await(&gate->arrived, 1);
    for (unsigned i = 0; i < QUEUE; i++)
        CHECK_OK(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, &waiting[i]));
    for (unsigned round = 0; round < ROUNDS; round++) { /* the kernel may let it sleep for reasons of its own, now and then */
        CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, &none), -EAGAIN);
        CHECK_OK(mortal_future_cancel(waiting[round]));
        CHECK_EQ(outcome_and_release(waiting[round]), MORTAL_CANCELLED);
        long before = sleeps();
        waiting[round] = submit(pool, task_nothing, NULL, 0);
        without_sleep = without_sleep || sleeps() == before;
    }
    CHECK(without_sleep);
    gate_open(gate);
    CHECK_EQ(outcome_and_release(running), MORTAL_DONE);
    for (unsigned i = 0; i < QUEUE; i++)
        CHECK_EQ(outcome_and_release(waiting[i]), MORTAL_DONE);
    end(pool);
}
