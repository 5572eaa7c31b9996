/*
 * A kill by a future that was released, or whose task has ended, touches nothing: not the task that took over its
 * place, and not the one that runs on the same worker.
 * Broken by: futures without a generation, or kills that are aimed at a worker instead of a task.
 */
#include "tasks.h"

enum { OLD = 300 };

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_future old[OLD];
    mortal_verdict verdict = {0};
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .held_tasks = 32, .queue_tasks = 16});
    for (unsigned i = 0; i < OLD; i++) {
        old[i] = submit(pool, task_nothing, NULL, 0);
        CHECK_EQ(outcome_and_release(old[i]), MORTAL_DONE);
    }
    mortal_future ended = submit(pool, task_nothing, NULL, 0);
    CHECK_EQ(outcome_of(ended), MORTAL_DONE);
    mortal_future running = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);

    for (unsigned i = 0; i < OLD; i++)
        CHECK_ERR(mortal_future_kill(old[i], 0, MORTAL_FOREVER, &verdict), -ESTALE);
    CHECK_OK(mortal_future_kill(ended, 0, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(look_at(running).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    CHECK_EQ(stats_of(pool).host_kills, 0);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    drain(pool);
}
