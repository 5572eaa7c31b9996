/*
 * Submitters sleep because the queue, or the memory for inputs, is full, and a task that waits is cancelled: they are rung
 * by that very call. No worker will do it: what was cancelled never comes to one.
 * Broken by: an end by the owner's own word that rings nobody, and is noticed at the next look around.
 */
#include "twin.h"

enum { QUEUE = 4, LARGE = 3000 };

static mortal_pool *pool;

struct submitter {
    size_t bytes;
    pthread_t thread;
};

static void *submit_late(void *argument)
{
    static const uint8_t input[LARGE];
    const struct submitter *me = argument;
    CHECK_OK(mortal_pool_submit(pool, task_nothing, input, me->bytes, NULL, NULL));
    return NULL;
}

/* Asleep, or just about to: it has looked for the last time. */
static void await_sleepers(const uint32_t *sleepers)
{
    for (bool there = false; !there; sched_yield()) {
        seat_lock(twin.pool);
        there = *sleepers != 0;
        seat_unlock(twin.pool);
    }
}

static void check(size_t bytes, uint32_t waiting)
{
    struct gate *gate = gates_make(1);
    struct submitter late = {.bytes = bytes};
    static const uint8_t input[LARGE];
    mortal_future pending[QUEUE];
    pool = twin_open(1, 1, (mortal_pool_options){.queue_tasks = QUEUE, .inputs_bytes = 4096, .held_tasks = 16});
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    for (uint32_t i = 0; i < waiting; i++)
        pending[i] = submit(pool, task_nothing, input, bytes);
    late.thread = thread_start(submit_late, &late);
    await_sleepers(bytes > INLINE_INPUT_BYTES ? &twin.pool->input_sleepers : &twin.pool->room_sleepers);
    uint32_t bell = atomic_load(&claims_head(twin_region())->room_bell);
    CHECK_OK(mortal_future_cancel(pending[0]));
    CHECK(atomic_load(&claims_head(twin_region())->room_bell) != bell);
    pthread_join(late.thread, NULL);
    gate_open(gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    CHECK_EQ(outcome_and_release(pending[0]), MORTAL_CANCELLED);
    for (uint32_t i = 1; i < waiting; i++)
        CHECK_EQ(outcome_and_release(pending[i]), MORTAL_DONE);
    mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL);
}

void test(void)
{
    check(0, QUEUE);
    check(LARGE, 1);
}
