/*
 * Hosts that die while they have nothing to do are replaced, and no task is lost or blamed for it.
 * Broken by: a pool that shrinks with each death, or a task that waits for a host which is no more.
 */
#include "tasks.h"

enum { WORKERS = 2, ROUNDS = 10 };

static void learn_hosts(mortal_pool *pool, struct gate *gate, pid_t *hosts)
{
    mortal_future futures[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        futures[i] = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++)
        hosts[i] = host_of(futures[i]);
    gate_open(gate);
    for (unsigned i = 0; i < WORKERS; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS + 1);
    pid_t hosts[WORKERS];
    mortal_pool *pool = pool_with(WORKERS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        learn_hosts(pool, &gates[round], hosts);
        for (unsigned i = 0; i < WORKERS; i++)
            CHECK_OK(kill(hosts[i], SIGKILL));
        check_pool_works(pool);
        POLL_UNTIL(stats_of(pool).host_deaths == (round + 1) * WORKERS);
    }
    learn_hosts(pool, &gates[ROUNDS], hosts);
    POLL_UNTIL(stats_of(pool).hosts == WORKERS && stats_of(pool).standby == 1);
    CHECK_EQ(stats_of(pool).ended[MORTAL_CRASHED], 0);
    drain(pool);
}
