/*
 * During the grace of a kill should_stop is true: a task that returns keeps its result, one that does not is killed
 * after it.
 * Broken by: a task that is not asked, one that is asked without a kill, a grace that stays set for the next task.
 */
#include "tasks.h"

static int work_until_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct gate *gate = *(struct gate *const *)input;
    if (mortal_task_should_stop(task))
        return 1;
    word_add(&gate->arrived, 1);
    while (!mortal_task_should_stop(task))
        ;
    return mortal_task_reply(task, "half of it", 11);
}

static int was_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_should_stop(task);
}

static void one_task(mortal_pool *pool, struct gate *gate)
{
    mortal_verdict verdict = {0};
    mortal_future future = submit_at(pool, work_until_asked, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(future, MORTAL_FOREVER, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_STR((const char *)verdict.result, "half of it");
    CHECK_EQ(stats_of(pool).host_kills, 0);
    mortal_future next = submit(pool, was_asked, NULL, 0);
    CHECK_EQ(outcome_of(next), MORTAL_DONE); /* nobody asked this one */
}

static void all_of_them(mortal_pool *pool, struct gate *gates)
{
    mortal_kill_report report = {0};
    mortal_future willing = submit_at(pool, work_until_asked, &gates[0]);
    mortal_future deaf = submit_at(pool, task_endless, &gates[1]);
    mortal_future pending = submit(pool, was_asked, NULL, 0);
    word_await(&gates[0].arrived, 1);
    word_await(&gates[1].arrived, 1);
    CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, MS(300), MORTAL_FOREVER, &report));
    CHECK_EQ(report.finished_first, 1);
    CHECK_EQ(report.killed, 1);
    CHECK_EQ(report.never_started, 0);
    CHECK_EQ(outcome_of(willing), MORTAL_DONE);
    CHECK_EQ(outcome_of(deaf), MORTAL_KILLED);
    CHECK_EQ(outcome_of(pending), MORTAL_DONE);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    mortal_pool *pool = pool_with(2);
    one_task(pool, &gates[0]);
    all_of_them(pool, &gates[1]);
    check_pool_works(pool);
    drain(pool);
}
