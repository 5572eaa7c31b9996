/*
 * From a process with other threads open says -EBUSY and what to do; a thread that has been joined does not count.
 * Broken by: hosts forked while another thread holds a lock, or a count that is wrong right after a join.
 */
#include "tasks.h"

#include <pthread.h>

enum { ROUNDS = 100 };

static void *stay(void *gate)
{
    gate_pass(gate);
    return NULL;
}

static void while_a_thread_lives(struct gate *gate)
{
    pthread_t thread;
    mortal_pool *pool = NULL;
    CHECK_OK(pthread_create(&thread, NULL, stay, gate));
    word_await(&gate->arrived, 1);
    CHECK_ERR(mortal_pool_open(&pool, NULL), -EBUSY);
    CHECK(pool == NULL);
    CHECK(strstr(mortal_why(), "thread") != NULL);
    CHECK_EQ(harness_children(), 0);
    gate_open(gate);
    CHECK_OK(pthread_join(thread, NULL));
}

static void *leave(void *nothing)
{
    return nothing;
}

/* pthread_join returns a moment before the kernel has let go of the thread. */
static void right_after_a_join(void)
{
    mortal_pool_options small = {.size = sizeof small, .workers = 1, .standby = MORTAL_NONE};
    for (unsigned i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        mortal_pool *pool = NULL;
        CHECK_OK(pthread_create(&thread, NULL, leave, NULL));
        CHECK_OK(pthread_join(thread, NULL));
        CHECK_OK(mortal_pool_open(&pool, &small));
        drain(pool);
    }
}

void test(void)
{
    struct gate *gate = gates_make(1);
    while_a_thread_lives(gate);
    right_after_a_join();
}
