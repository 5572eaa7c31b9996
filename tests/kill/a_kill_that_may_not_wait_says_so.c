/*
 * With a time-out of 0 a kill sets the death going and returns: dead already, or -EINPROGRESS; the verdict follows.
 * Broken by: a kill that calls a task dead which still dies, or one that is forgotten because nobody waits for it.
 */
#include "tasks.h"

enum { ROUNDS = 50 };

static void one_round(mortal_pool *pool, struct gate *gate, bool whole_pool)
{
    mortal_kill_report report = {0};
    mortal_future future = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    int error = whole_pool ? mortal_pool_kill(pool, MORTAL_RUNNING, 0, 0, &report)
                           : mortal_future_kill(future, 0, 0, NULL);
    CHECK(error == 0 || error == -EINPROGRESS);
    if (error == 0)
        CHECK_EQ(look_at(future).phase, MORTAL_ENDED);
    if (whole_pool && error == 0)
        CHECK_EQ(report.killed, 1);
    CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < ROUNDS; i++)
        one_round(pool, &gates[i], i % 2);
    CHECK_EQ(stats_of(pool).host_kills, ROUNDS);
    check_pool_works(pool);
    drain(pool);
}
