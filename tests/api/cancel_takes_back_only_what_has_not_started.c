/*
 * cancel ends a pending task, says -EBUSY of a running one and -EALREADY of one that has ended.
 * Broken by: a cancelled task that runs, a running one that is called cancelled, a verdict that a late cancel
 * changes.
 */
#include "tasks.h"

enum { TASKS = 200 };

static void each_phase_has_its_answer(mortal_pool *pool, struct gate *gate, word *count)
{
    mortal_future running = submit_at(pool, task_held, gate), pending = submit_at(pool, task_count, count);
    word_await(&gate->arrived, 1);
    CHECK_ERR(mortal_future_cancel(running), -EBUSY);
    CHECK_OK(mortal_future_cancel(pending));
    CHECK_ERR(mortal_future_cancel(pending), -EALREADY);
    mortal_verdict verdict = wait_for(pending);
    CHECK_EQ(verdict.outcome, MORTAL_CANCELLED);
    CHECK(verdict.result == NULL);
    CHECK_EQ(verdict.attempts, 0);

    gate_open(gate);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    CHECK_ERR(mortal_future_cancel(running), -EALREADY);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    CHECK_OK(mortal_future_release(running));
    CHECK_ERR(mortal_future_cancel(running), -ESTALE);
    CHECK_EQ(atomic_load(count), 0);
}

/* Racing with the workers: whoever is told "cancelled" did not run, and everybody else did, once. */
static void what_cancel_says_is_true(mortal_pool *pool, word *counts)
{
    mortal_future futures[TASKS];
    int answers[TASKS];
    for (unsigned i = 0; i < TASKS; i++)
        futures[i] = submit_at(pool, task_count, &counts[i]);
    for (unsigned i = TASKS; i-- > 0;)
        answers[i] = mortal_future_cancel(futures[i]);
    for (unsigned i = 0; i < TASKS; i++) {
        CHECK(answers[i] == 0 || answers[i] == -EBUSY || answers[i] == -EALREADY);
        CHECK_EQ(outcome_of(futures[i]), answers[i] == 0 ? MORTAL_CANCELLED : MORTAL_DONE);
        CHECK_EQ(atomic_load(&counts[i]), answers[i] == 0 ? 0 : 1);
        CHECK_OK(mortal_future_release(futures[i]));
    }
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *counts = harness_shared((TASKS + 1) * sizeof *counts);
    mortal_pool *pool = pool_with(1);
    each_phase_has_its_answer(pool, gate, &counts[TASKS]);
    what_cancel_says_is_true(pool, counts);
    drain(pool);
}
