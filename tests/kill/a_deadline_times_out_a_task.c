/*
 * A task that runs longer than its deadline_ns, counted from its start, is killed and ends timed out; nobody needs
 * to wait.
 * Broken by: a deadline counted from submit, one that only fires when somebody looks, one that hits the task after.
 */
#include "tasks.h"

enum { TASKS = 12 };

static void each_with_its_own(mortal_pool *pool, struct gate *gate)
{
    mortal_future timed[TASKS], calm[TASKS];
    for (unsigned i = 0; i < TASKS; i++) {
        mortal_task_options soon = {.deadline_ns = MS(1 + i % 4 * 5)};
        timed[i] = submit_like(pool, task_endless, &gate, sizeof gate, soon);
        calm[i] = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.deadline_ns = LIMIT});
    }
    POLL_UNTIL(stats_of(pool).ended[MORTAL_TIMED_OUT] == TASKS);
    for (unsigned i = 0; i < TASKS; i++) {
        mortal_verdict verdict = wait_for(timed[i]);
        CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
        CHECK_EQ(verdict.attempts, 1);
        CHECK(verdict.result == NULL);
        CHECK_EQ(outcome_of(calm[i]), MORTAL_DONE);
    }
    CHECK_EQ(stats_of(pool).host_kills, TASKS);
}

/* Pending for longer than its deadline, which begins with its start; a task that expires tells that time has passed. */
static void it_counts_from_the_start(mortal_pool *pool, struct gate *gate)
{
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    mortal_future patient = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.deadline_ns = MS(500)});
    mortal_future clock = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.within_ns = MS(600)});
    CHECK_EQ(outcome_of(clock), MORTAL_EXPIRED);
    CHECK_EQ(look_at(patient).phase, MORTAL_PENDING);
    gate_open(gate);
    CHECK_EQ(outcome_of(held), MORTAL_DONE);
    CHECK_EQ(outcome_of(patient), MORTAL_DONE);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(1);
    each_with_its_own(pool, &gates[0]);
    it_counts_from_the_start(pool, &gates[1]);
    check_pool_works(pool);
    drain(pool);
}
