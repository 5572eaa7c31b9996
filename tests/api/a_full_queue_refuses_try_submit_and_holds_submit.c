/*
 * At most queue_tasks tasks are pending: then try_submit says -EAGAIN and submit waits until one has started.
 * Broken by: a bound that is not kept, a submit that returns too early, or one that is never woken.
 */
#include "tasks.h"

#include <pthread.h>

enum { QUEUE = 5 };

struct late {
    mortal_pool *pool;
    struct gate *gate;
    word thread, returned, saw_open;
    mortal_future future;
};

static void *submit_late(void *argument)
{
    struct late *late = argument;
    word_set(&late->thread, (uint32_t)syscall(SYS_gettid));
    late->future = submit(late->pool, task_nothing, NULL, 0);
    atomic_store(&late->saw_open, atomic_load(&late->gate->open));
    word_set(&late->returned, 1);
    return NULL;
}

/* True once the thread sleeps in its submit; also when it came back, so that a broken submit is seen. */
static bool is_held(struct late *late)
{
    char who[64];
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&late->thread));
    return atomic_load(&late->returned) || state_of(who) == 'S';
}

static void fill(mortal_pool *pool, mortal_future *futures)
{
    for (unsigned i = 0; i < QUEUE; i++)
        CHECK_OK(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, &futures[i]));
    mortal_future none = {0, 0};
    for (unsigned i = 0; i < 3; i++)
        CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, &none), -EAGAIN);
    CHECK(none.place == 0 && none.life == 0);
    CHECK_EQ(stats_of(pool).pending, QUEUE);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = QUEUE});
    mortal_future running = submit_at(pool, task_held, gate), futures[QUEUE];
    word_await(&gate->arrived, 1);
    fill(pool, futures);

    struct late late = {.pool = pool, .gate = gate};
    pthread_t thread;
    CHECK_OK(pthread_create(&thread, NULL, submit_late, &late));
    word_await(&late.thread, 1);
    POLL_UNTIL(is_held(&late));
    CHECK_EQ(atomic_load(&late.returned), 0);
    gate_open(gate);
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_EQ(atomic_load(&late.saw_open), 1);

    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    for (unsigned i = 0; i < QUEUE; i++)
        CHECK_EQ(outcome_of(futures[i]), MORTAL_DONE);
    CHECK_EQ(outcome_of(late.future), MORTAL_DONE);
    drain(pool);
}
