/*
 * Hosts that end because a kill or a limit in time asked for it are not counted by the circuit breaker, nor are tasks
 * that fail; the first death that nobody asked for is.
 * Broken by: a breaker that counts deaths and not reasons.
 */
#include "tasks.h"

enum { ROUNDS = 3, TOGETHER = 2 };

static mortal_future start(mortal_pool *pool, struct gate *gate, mortal_task_options options)
{
    void *place = gate;
    atomic_store(&gate->arrived, 0);
    mortal_future endless = submit_like(pool, task_endless, &place, sizeof place, options);
    if (options.within_ns == 0 && options.deadline_ns == 0)
        word_await(&gate->arrived, 1);
    return endless;
}

static int fail(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 1;
}

static void end_in_every_asked_way(mortal_pool *pool, mortal_group *group, struct gate *gate)
{
    mortal_future one = start(pool, gate, (mortal_task_options){.attempts = 0});
    CHECK_OK(mortal_future_kill(one, 0, MORTAL_FOREVER, NULL));
    one = start(pool, gate, (mortal_task_options){.attempts = 0});
    CHECK_OK(mortal_future_kill(one, MS(5), MORTAL_FOREVER, NULL));
    one = start(pool, gate, (mortal_task_options){.attempts = 3});
    CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(one), MORTAL_KILLED);
    one = start(pool, gate, (mortal_task_options){.group = group});
    CHECK_OK(mortal_group_kill(group, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(one), MORTAL_KILLED);
    one = start(pool, gate, (mortal_task_options){.attempts = 0});
    mortal_pool_kill_now(pool, MORTAL_RUNNING);
    CHECK_EQ(outcome_of(one), MORTAL_KILLED);
    one = start(pool, gate, (mortal_task_options){.deadline_ns = MS(10), .attempts = 3});
    CHECK_EQ(outcome_of(one), MORTAL_TIMED_OUT);
    one = start(pool, gate, (mortal_task_options){.within_ns = MS(50)});
    wait_for(one);
    CHECK_EQ(outcome_of(submit(pool, fail, NULL, 0)), MORTAL_FAILED);
}

static void check_pool(mortal_pool_options options, struct gate *gate)
{
    options.deaths = MORTAL_NONE;
    mortal_group *group;
    mortal_pool *pool = pool_like(options);
    CHECK_OK(mortal_group_open(&group, pool));
    for (int round = 0; round < ROUNDS; round++)
        end_in_every_asked_way(pool, group, gate);
    CHECK(stats_of(pool).host_deaths >= ROUNDS * 8);
    CHECK_EQ(stats_of(pool).breaker_opened, 0);
    check_pool_works(pool);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    CHECK_EQ(stats_of(pool).breaker, 1);
    drain(pool);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    check_pool((mortal_pool_options){.workers = 1}, gate);
    check_pool((mortal_pool_options){.workers = TOGETHER, .workers_per_host = TOGETHER}, gate);
}
