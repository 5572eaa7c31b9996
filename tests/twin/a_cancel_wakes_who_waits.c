/*
 * A thread sleeps until a task ends, and another takes the task back before it started: the one that slept is woken by that.
 * Broken by: a cancel that leaves the wake-up to a worker, which never comes to that task.
 */
#include "twin.h"

static word waiting;

static void *wait_for_it(void *argument)
{
    word_set(&waiting, (uint32_t)syscall(SYS_gettid));
    CHECK_EQ(outcome_of(*(mortal_future *)argument), MORTAL_CANCELLED);
    return NULL;
}

static void await_sleep(const struct order *order)
{
    char who[64];
    word_await(&waiting, 1);
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&waiting));
    POLL_UNTIL(atomic_load(&order->watched) != 0 && state_of(who) == 'S');
}

static void check(mortal_pool *pool)
{
    mortal_future future = submit(pool, task_nothing, NULL, 0);
    uint32_t slot = 1; /* the second task of this pool: nothing has been released yet */
    atomic_store(&waiting, 0);
    pthread_t thread = thread_start(wait_for_it, &future);
    await_sleep(order_of(twin_region(), slot));
    CHECK_OK(mortal_future_cancel(future));
    /* Nobody is left asleep on the word for this call to wake. */
    CHECK_EQ(syscall(SYS_futex, word_futex(claim_of(twin_region(), slot)), FUTEX_WAKE, INT32_MAX, NULL, NULL, 0), 0);
    pthread_join(thread, NULL);
    CHECK_OK(mortal_future_release(future)); /* its slot is the next one's */
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = twin_open(1, 1, (mortal_pool_options){0});
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    for (unsigned round = 0; round < 10; round++)
        check(pool);
    gate_open(gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    twin_close(pool);
}
