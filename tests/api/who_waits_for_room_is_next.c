/*
 * Producers do not starve each other: the room that a full queue makes goes to who waits for it, in the order in which they
 * came, and not to who asks at the right moment; and so does memory for inputs. Counted: not one task of another producer
 * is taken while somebody waits and there is no more room than for them.
 * Broken by: a submit that takes the room that another one was woken for.
 */
#include "tasks.h"

#include <pthread.h>

enum { QUEUE = 3, WAITERS = 4, ROUNDS = 5, LARGE = 3000 };

struct scene {
    mortal_pool *pool;
    struct gate *gate;
};

struct waiter {
    struct scene *scene;
    size_t bytes;
    word thread, returned;
    mortal_future future;
    pthread_t id;
};

static uint8_t input[LARGE];

static void *submit_and_wait(void *argument)
{
    struct waiter *waiter = argument;
    word_set(&waiter->thread, (uint32_t)syscall(SYS_gettid));
    waiter->future = submit(waiter->scene->pool, task_nothing, input, waiter->bytes);
    word_set(&waiter->returned, 1);
    return NULL;
}

/* Returns when it sleeps in its submit, behind those that came before. */
static void begin_to_wait(struct waiter *waiter)
{
    char who[64];
    CHECK_EQ(pthread_create(&waiter->id, NULL, submit_and_wait, waiter), 0);
    word_await(&waiter->thread, 1);
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&waiter->thread));
    POLL_UNTIL(state_of(who) == 'S' || atomic_load(&waiter->returned) != 0);
    CHECK_EQ(atomic_load(&waiter->returned), 0);
}

static void end_waiting(struct waiter *waiter)
{
    word_await(&waiter->returned, 1);
    CHECK_EQ(pthread_join(waiter->id, NULL), 0);
}

/* One place is made at a time, and everybody else asks for it at once and again and again. */
static void check_line(mortal_pool *pool, struct gate *gate, size_t bytes, int places)
{
    struct scene scene = {pool, gate};
    struct waiter waiters[WAITERS] = {{.scene = NULL}};
    mortal_future held[WAITERS] = {{0, 0}};
    for (int i = 0; i < places; i++)
        held[i] = submit(pool, task_nothing, input, bytes);
    CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, input, bytes, NULL, NULL), -EAGAIN);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){.scene = &scene, .bytes = bytes};
        begin_to_wait(&waiters[i]);
    }
    for (int i = 0; i < WAITERS; i++) {
        mortal_future first = i < places ? held[i] : waiters[i - places].future;
        CHECK_OK(mortal_future_cancel(first));
        for (int turn = 0; turn < 20; turn++)
            CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, input, bytes, NULL, NULL), -EAGAIN);
        end_waiting(&waiters[i]);
        CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, input, bytes, NULL, NULL), -EAGAIN);
        for (int later = i + 1; later < WAITERS; later++)
            CHECK_EQ(atomic_load(&waiters[later].returned), 0);
        CHECK_OK(mortal_future_release(first));
    }
    for (int i = WAITERS - places; i < WAITERS; i++) {
        CHECK_OK(mortal_future_cancel(waiters[i].future));
        CHECK_OK(mortal_future_release(waiters[i].future));
    }
    CHECK_EQ(stats_of(pool).pending, 0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = QUEUE, .inputs_bytes = 4096});
    mortal_future running = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    for (int round = 0; round < ROUNDS; round++)
        check_line(pool, gate, 8, QUEUE);
    check_line(pool, gate, LARGE, 1); /* the memory for inputs holds one of them */
    gate_open(gate);
    CHECK_EQ(outcome_and_release(running), MORTAL_DONE);
    drain(pool);
}
