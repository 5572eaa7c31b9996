/*
 * A host that somebody else kills (an operator, the kernel short of memory) is a crash of its task, and the pool
 * goes on.
 * Broken by: a death that nobody asked for and nobody notices.
 */
#include "tasks.h"

static void one(mortal_pool *pool, struct gate *gate, int signal)
{
    mortal_future future = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(kill(host_of(future), signal));
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_SIGNAL);
    CHECK_EQ(verdict.signal, signal);
    CHECK_EQ(verdict.culprit, 1);
    check_pool_works(pool);
}

/* Two tasks in one host, and no telling which of them is to blame. */
static void two(mortal_pool *pool, struct gate *gate)
{
    mortal_future futures[2] = {submit_at(pool, task_held, gate), submit_at(pool, task_held, gate)};
    word_await(&gate->arrived, 2);
    CHECK_OK(kill(host_of(futures[0]), SIGKILL));
    for (unsigned i = 0; i < 2; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
        CHECK_EQ(verdict.signal, SIGKILL);
        CHECK_EQ(verdict.culprit, 0);
    }
    check_pool_works(pool);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    mortal_pool *pool = pool_with(2), *shared = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    one(pool, &gates[0], SIGKILL);
    one(pool, &gates[1], SIGTERM);
    two(shared, &gates[2]);
    CHECK_EQ(stats_of(pool).host_deaths, 2);
    CHECK_EQ(stats_of(pool).host_kills, 0);
    drain(pool);
    drain(shared);
}
