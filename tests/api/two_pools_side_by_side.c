/*
 * Several pools live in one process without knowing of each other.
 * Broken by: a kill, crash, close or full queue of one that the other notices, or a future that means two tasks.
 */
#include "tasks.h"

enum { TASKS = 100 };

static void both_compute(mortal_pool *one, mortal_pool *two)
{
    mortal_future futures[2][TASKS];
    for (uint64_t i = 0; i < TASKS; i++) {
        uint64_t other = i + 1000;
        futures[0][i] = submit(one, task_double, &i, sizeof i);
        futures[1][i] = submit(two, task_double, &other, sizeof other);
        CHECK(memcmp(&futures[0][i], &futures[1][i], sizeof futures[0][i]) != 0);
    }
    for (uint64_t i = 0; i < 2 * TASKS; i++) {
        mortal_future future = futures[i % 2][i / 2];
        mortal_verdict verdict = wait_for(future);
        uint64_t answer = 0;
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        memcpy(&answer, verdict.result, sizeof answer);
        CHECK_EQ(answer, 2 * (i / 2 + i % 2 * 1000));
        CHECK_OK(mortal_future_release(future));
    }
}

static void trouble_in_one_does_not_reach_the_other(mortal_pool *one, mortal_pool *two, struct gate *gates)
{
    mortal_future calm = submit_at(two, task_held, &gates[0]), endless = submit_at(one, task_endless, &gates[1]);
    word_await(&gates[0].arrived, 1);
    word_await(&gates[1].arrived, 1);
    CHECK_EQ(outcome_of(submit(one, task_crash, NULL, 0)), MORTAL_CRASHED);
    CHECK_OK(mortal_pool_kill(one, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(endless), MORTAL_KILLED);
    CHECK_EQ(look_at(calm).phase, MORTAL_RUNNING);
    both_compute(one, two);
    end(one);
    CHECK_ERR(mortal_future_wait(endless, 0, NULL), -ESTALE);
    CHECK_EQ(look_at(calm).phase, MORTAL_RUNNING);
    gate_open(&gates[0]);
    CHECK_EQ(outcome_of(calm), MORTAL_DONE);
    CHECK_EQ(stats_of(two).host_deaths, 0);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    mortal_pool *one = pool_with(2), *two = pool_with(2);
    both_compute(one, two);
    trouble_in_one_does_not_reach_the_other(one, two, gates);
    check_pool_works(two);
    drain(two);
}
