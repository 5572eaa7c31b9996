/*
 * A task that replaces its process by another program has crashed; the program is ended and the pool goes on.
 * Broken by: a verdict that waits until the new program ends, or a program that stays.
 */
#include "tasks.h"

static int become_sleep(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    char *environment[] = {NULL};
    execle("/bin/sleep", "sleep", "1000", (char *)NULL, environment);
    return errno;
}

static int become_true(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

/* A program that ends by itself may be seen as the exit that it is. */
static void check(mortal_pool *pool, mortal_function *function, bool ends)
{
    mortal_verdict verdict = wait_for(submit(pool, function, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK(verdict.cause == MORTAL_CAUSE_EXEC || (ends && verdict.cause == MORTAL_CAUSE_EXIT));
    CHECK_EQ(verdict.culprit, 1);
    check_pool_works(pool);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(2);
    mortal_future neighbour = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    for (unsigned i = 0; i < 3; i++) {
        check(pool, become_sleep, false);
        check(pool, become_true, true);
    }
    gate_open(gate);
    CHECK_EQ(outcome_of(neighbour), MORTAL_DONE);
    CHECK_EQ(stats_of(pool).host_deaths, 6);
    CHECK_EQ(stats_of(pool).host_kills, 0); /* nobody asked */
    drain(pool);
}
