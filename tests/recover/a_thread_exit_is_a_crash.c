/*
 * A task that ends its worker thread has crashed; its future does not wait for a thread that is no more.
 * Broken by: a host that lives on with a worker less, or a future that never ends.
 */
#include "tasks.h"

#include <pthread.h>
#include <threads.h>

static void by_pthread(void)
{
    pthread_exit(NULL);
}

static void by_c11(void)
{
    thrd_exit(0);
}

static void by_system_call(void)
{
    syscall(SYS_exit, 0);
}

static void by_cancelling_itself(void)
{
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void (*const doors[])(void) = {by_pthread, by_c11, by_system_call, by_cancelling_itself};

static int leave(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    doors[*(const unsigned *)input]();
    return 0;
}

void test(void)
{
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < COUNT(doors); i++) {
        mortal_verdict verdict = wait_for(submit(pool, leave, &i, sizeof i));
        CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
        CHECK_EQ(verdict.cause, MORTAL_CAUSE_THREAD_EXIT);
        CHECK_EQ(verdict.culprit, 1);
        check_pool_works(pool);
    }
    drain(pool);
}
