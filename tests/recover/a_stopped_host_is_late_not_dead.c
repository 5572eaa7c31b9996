/*
 * A host that is stopped is late, not dead: its task goes on when it is continued, and meanwhile others take the
 * work, also the wake-ups that the stopped one swallowed. A stopped host can be killed.
 * Broken by: a recovery of a task that still runs, or a wake-up that only reaches a sleeper which cannot wake.
 */
#include "tasks.h"

enum { TASKS = 50 };

static void run_some(mortal_pool *pool)
{
    for (unsigned i = 0; i < TASKS; i++)
        check_pool_works(pool);
}

static pid_t hold(mortal_pool *pool, struct gate *gate, mortal_future *future)
{
    *future = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    return host_of(*future);
}

static void stop(pid_t host)
{
    CHECK_OK(kill(host, SIGSTOP));
    POLL_UNTIL(state_of_process(host) == 'T');
}

static void stopped_at_work(mortal_pool *pool, struct gate *gate)
{
    mortal_future future;
    pid_t host = hold(pool, gate, &future);
    stop(host);
    gate_open(gate);
    run_some(pool);
    CHECK_EQ(look_at(future).phase, MORTAL_RUNNING);
    CHECK_OK(kill(host, SIGCONT));
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.attempts, 1);
    CHECK_EQ(atomic_load(&gate->passed), 1);
}

/* Both hosts are known, one is stopped while idle, and each task must reach the other one. */
static void stopped_while_idle(mortal_pool *pool, struct gate *gates)
{
    mortal_future futures[2];
    pid_t hosts[2];
    for (unsigned i = 0; i < 2; i++)
        hosts[i] = hold(pool, &gates[i], &futures[i]);
    CHECK(hosts[0] != hosts[1]);
    for (unsigned i = 0; i < 2; i++)
        gate_open(&gates[i]);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(outcome_of(futures[i]), MORTAL_DONE);
    for (unsigned i = 0; i < 2; i++) {
        stop(hosts[i]);
        run_some(pool);
        CHECK_OK(kill(hosts[i], SIGCONT));
        run_some(pool);
    }
}

static void stopped_and_killed(mortal_pool *pool, struct gate *gate)
{
    mortal_future future;
    pid_t host = hold(pool, gate, &future);
    stop(host);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(future), MORTAL_KILLED);
    CHECK(harness_process_gone(host));
}

void test(void)
{
    struct gate *gates = gates_make(4);
    mortal_pool *pool = pool_with(2);
    stopped_at_work(pool, &gates[0]);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    stopped_while_idle(pool, &gates[1]);
    stopped_and_killed(pool, &gates[3]);
    run_some(pool);
    drain(pool);
}
