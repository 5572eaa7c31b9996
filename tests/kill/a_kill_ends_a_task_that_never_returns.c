/*
 * A task that computes for ever, with all signals blocked, is killed; a kill tells what it found in every phase.
 * Broken by: a kill that asks where it should kill, or a verdict that does not fit what happened.
 */
#include "tasks.h"

static void a_running_task_is_cut(mortal_pool *pool, struct gate *gate, mortal_verdict *verdict)
{
    mortal_future future = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    pid_t host = host_of(future);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, verdict));
    CHECK_EQ(verdict->outcome, MORTAL_KILLED);
    CHECK_EQ(verdict->attempts, 1);
    CHECK_EQ(verdict->cause, 0);
    CHECK(verdict->result == NULL);
    CHECK(harness_process_gone(host));
    mortal_verdict again = wait_for(future);
    CHECK(memcmp(&again, verdict, sizeof again) == 0);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    CHECK_OK(mortal_future_release(future));
}

static void a_pending_task_is_cancelled(mortal_pool *pool, struct gate *gate, word *count, mortal_verdict *verdict)
{
    mortal_future running = submit_at(pool, task_held, gate), pending = submit_at(pool, task_count, count);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(pending, 0, MORTAL_FOREVER, verdict));
    CHECK_EQ(verdict->outcome, MORTAL_CANCELLED);
    CHECK_EQ(look_at(running).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    CHECK_EQ(atomic_load(count), 0);
}

static void a_finished_task_keeps_its_result(mortal_pool *pool, mortal_verdict *verdict)
{
    mortal_future future = submit(pool, task_echo, "finished first", 15);
    wait_for(future);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, verdict));
    CHECK_EQ(verdict->outcome, MORTAL_DONE);
    CHECK_STR((const char *)verdict->result, "finished first");
}

void test(void)
{
    struct gate *gates = gates_make(2);
    word *count = harness_shared(sizeof *count);
    mortal_verdict verdict = {0};
    mortal_pool *pool = pool_with(1);
    a_running_task_is_cut(pool, &gates[0], &verdict);
    a_pending_task_is_cancelled(pool, &gates[1], count, &verdict);
    a_finished_task_keeps_its_result(pool, &verdict);
    check_pool_works(pool);
    drain(pool);
}
