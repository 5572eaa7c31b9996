/*
 * While the kernel cannot tell that a host has ended a kill says so, the task has no verdict, and the pool goes on with
 * another host; when it has ended all is told and counted. Here a debugger holds up the end: what it traces is not over
 * for anybody else before the debugger has heard of it.
 * Broken by: a verdict by time-out, a pool that waits for the dying host, a replaced host that is not counted, or whose
 * task is forgotten; a time that begins anew with each kill of a host.
 */
#include "tasks.h"

#include <sys/ptrace.h>

static mortal_future start(mortal_pool *pool, struct gate *gate)
{
    mortal_future future = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    return future;
}

static bool hold_up(pid_t host)
{
    return ptrace(PTRACE_SEIZE, host, NULL, NULL) == 0;
}

static void let_go(pid_t host)
{
    int status;
    CHECK_EQ(waitpid(host, &status, __WALL), host);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static mortal_latency latency_of(mortal_pool *pool, int of)
{
    mortal_latency latency;
    CHECK_OK(mortal_pool_latency(pool, of, &latency));
    return latency;
}

static void everybody_says_so(mortal_pool *pool, mortal_future stuck)
{
    CHECK_ERR(mortal_future_kill(stuck, 0, MS(50), NULL), -EINPROGRESS);
    CHECK_EQ(look_at(stuck).phase, MORTAL_RUNNING);
    mortal_kill_report report;
    CHECK_ERR(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MS(1), &report), -EINPROGRESS);
    CHECK_EQ(report.still_dying, 1);
    CHECK_EQ(report.killed, 0);
}

static void a_kill(mortal_pool *pool, struct gate *gate)
{
    mortal_future stuck = start(pool, gate);
    pid_t host = host_of(stuck);
    if (!hold_up(host))
        harness_skip("this process may not trace its children's children");
    everybody_says_so(pool, stuck);
    check_pool_works(pool);
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.replaced, 1);
    CHECK_EQ(stats.dying, 1);
    CHECK_EQ(stats.host_deaths, 0);
    CHECK_EQ(look_at(stuck).phase, MORTAL_RUNNING);
    CHECK_EQ(latency_of(pool, MORTAL_LATENCY_OF_KILLS).count, 0);
    let_go(host);
    CHECK_EQ(outcome_and_release(stuck), MORTAL_KILLED);
    mortal_latency latency = latency_of(pool, MORTAL_LATENCY_OF_KILLS);
    CHECK_EQ(latency.count, 1);
    CHECK(latency.max_ns >= MS(50)); /* it was still dying when that long was over */
}

static void a_deadline(mortal_pool *pool, struct gate *gate)
{
    mortal_task_options soon = {.deadline_ns = MS(300)};
    mortal_future stuck = submit_like(pool, task_endless, &gate, sizeof gate, soon);
    (void)comes_to(stuck, &gate->arrived);
    pid_t host = look_at(stuck).host; /* 0: on a machine as slow as that it is over */
    if (host > 0 && hold_up(host)) {
        check_pool_works(pool); /* not before another host took its place */
        CHECK_EQ(stats_of(pool).replaced, 2);
        let_go(host);
    }
    CHECK_EQ(outcome_and_release(stuck), MORTAL_TIMED_OUT);
    CHECK_EQ(latency_of(pool, MORTAL_LATENCY_OF_DEADLINES).count, 1);
}

/* A second task of the same host is killed while it dies: its death answers the first request. */
static void two_kills_of_one_host(struct gate *gates)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    mortal_future first = start(pool, &gates[0]), second = start(pool, &gates[1]);
    pid_t host = host_of(first);
    CHECK_EQ(host_of(second), host);
    CHECK(hold_up(host));
    CHECK_ERR(mortal_future_kill(first, 0, MS(50), NULL), -EINPROGRESS);
    (void)mortal_future_kill(second, 0, 0, NULL);
    let_go(host);
    CHECK_EQ(outcome_and_release(first), MORTAL_KILLED);
    (void)outcome_and_release(second); /* killed, or collateral: it was too late to die of its own kill */
    mortal_latency latency = latency_of(pool, MORTAL_LATENCY_OF_KILLS);
    CHECK_EQ(latency.count, 1);
    CHECK(latency.max_ns >= MS(50));
    drain(pool);
}

void test(void)
{
    struct gate *gates = gates_make(4);
    mortal_pool *pool = pool_with(1);
    a_kill(pool, &gates[0]);
    a_deadline(pool, &gates[1]);
    POLL_UNTIL(stats_of(pool).dying == 0);
    check_pool_works(pool);
    drain(pool);
    two_kills_of_one_host(&gates[2]);
}
