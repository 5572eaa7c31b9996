/*
 * A task that is still pending when its within_ns is over ends expired, never starts, and needs nobody to wait for
 * it.
 * Broken by: an expiry that only waiters notice, one that starts the task after all, or one that hits tasks without
 * a limit.
 */
#include "tasks.h"

enum { TASKS = 50 };

static mortal_future submit_within(mortal_pool *pool, word *count, uint64_t within_ns)
{
    return submit_like(pool, task_count, &count, sizeof count, (mortal_task_options){.within_ns = within_ns});
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *counts = harness_shared(2 * sizeof *counts);
    mortal_future short_ones[TASKS], others[TASKS];
    mortal_pool *pool = pool_with(1);
    mortal_future running = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    for (unsigned i = 0; i < TASKS; i++) {
        short_ones[i] = submit_within(pool, &counts[0], MS(1 + i % 7));
        others[i] = submit_within(pool, &counts[1], i % 2 ? 0 : i % 4 ? MORTAL_FOREVER : SECONDS(3600));
    }

    POLL_UNTIL(stats_of(pool).ended[MORTAL_EXPIRED] == TASKS);
    for (unsigned i = 0; i < TASKS; i++) {
        mortal_verdict verdict = wait_for(short_ones[i]);
        CHECK_EQ(verdict.outcome, MORTAL_EXPIRED);
        CHECK_EQ(verdict.attempts, 0);
        CHECK_ERR(mortal_future_cancel(short_ones[i]), -EALREADY);
    }
    gate_open(gate);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    for (unsigned i = 0; i < TASKS; i++)
        CHECK_EQ(outcome_of(others[i]), MORTAL_DONE);
    CHECK_EQ(atomic_load(&counts[0]), 0);
    CHECK_EQ(atomic_load(&counts[1]), TASKS);
    drain(pool);
}
