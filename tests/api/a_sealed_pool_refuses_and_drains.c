/*
 * A sealed pool says -ESHUTDOWN to new tasks and runs what it has. Sealing works in a signal handler, any number of
 * times.
 * Broken by: a submit that gets through, or a pending task that a seal drops.
 */
#include "tasks.h"

enum { PENDING = 20 };

static mortal_pool *sealed_by_signal;

static void seal_it(int signal)
{
    (void)signal;
    mortal_pool_seal(sealed_by_signal);
}

static void seal_in_a_handler(mortal_pool *pool)
{
    struct sigaction action = {.sa_handler = seal_it}, before;
    sealed_by_signal = pool;
    CHECK_OK(sigaction(SIGUSR1, &action, &before));
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(sigaction(SIGUSR1, &before, NULL));
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *count = harness_shared(sizeof *count);
    mortal_pool *pool = pool_with(1);
    mortal_future running = submit_at(pool, task_held, gate), futures[PENDING];
    for (unsigned i = 0; i < PENDING; i++)
        futures[i] = submit_at(pool, task_count, count);

    seal_in_a_handler(pool);
    mortal_pool_seal(pool);
    mortal_pool_seal(NULL);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ESHUTDOWN);
    CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ESHUTDOWN);

    gate_open(gate);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    for (unsigned i = 0; i < PENDING; i++)
        CHECK_EQ(outcome_of(futures[i]), MORTAL_DONE);
    CHECK_EQ(atomic_load(count), PENDING);
    drain(pool);
}
