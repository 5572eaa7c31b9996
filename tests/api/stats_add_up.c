/*
 * The counters of a pool account for every task and every host that ended.
 * Broken by: a task counted twice or never, a death that is not counted, a held count that does not go back to zero.
 */
#include "tasks.h"

static int fail(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 9;
}

static void check_sum(const mortal_stats *stats)
{
    uint64_t sum = stats->pending + stats->running;
    for (unsigned i = 0; i < COUNT(stats->ended); i++)
        sum += stats->ended[i];
    CHECK_EQ(stats->ended[0], 0);
    CHECK_EQ(sum, stats->submitted);
}

static unsigned submit_one_of_each(mortal_pool *pool, struct gate *gates, mortal_future *futures)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 5; i++)
        futures[count++] = submit(pool, task_nothing, NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        futures[count++] = submit(pool, fail, NULL, 0);
    for (unsigned i = 0; i < 2; i++)
        futures[count++] = submit(pool, task_crash, NULL, 0);
    for (unsigned i = 0; i < count; i++)
        wait_for(futures[i]);

    void *place = &gates[0];
    mortal_task_options timed = {.deadline_ns = MS(5)};
    futures[count] = submit_like(pool, task_endless, &place, sizeof place, timed);
    CHECK_EQ(outcome_of(futures[count++]), MORTAL_TIMED_OUT);

    futures[count] = submit_at(pool, task_endless, &gates[1]);
    word_await(&gates[1].arrived, 1);
    mortal_future cancelled = futures[count + 1] = submit(pool, task_nothing, NULL, 0);
    CHECK_OK(mortal_future_cancel(cancelled));
    CHECK_OK(mortal_future_kill(futures[count], 0, MORTAL_FOREVER, NULL));
    return count + 2;
}

static void while_one_runs_and_two_wait(mortal_pool *pool, struct gate *gate)
{
    mortal_future held[3] = {submit_at(pool, task_held, gate)};
    word_await(&gate->arrived, 1);
    held[1] = submit(pool, task_nothing, NULL, 0);
    held[2] = submit(pool, task_nothing, NULL, 0);
    mortal_stats stats = stats_of(pool);
    check_sum(&stats);
    CHECK_EQ(stats.running, 1);
    CHECK_EQ(stats.pending, 2);
    gate_open(gate);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(outcome_and_release(held[i]), MORTAL_DONE);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = 1});
    mortal_future futures[32];
    unsigned count = submit_one_of_each(pool, gates, futures);
    mortal_stats stats = stats_of(pool);
    check_sum(&stats);
    CHECK_EQ(stats.submitted, count);
    CHECK_EQ(stats.held, count);
    CHECK_EQ(stats.pending + stats.running, 0);
    CHECK_EQ(stats.ended[MORTAL_DONE], 5);
    CHECK_EQ(stats.ended[MORTAL_FAILED], 3);
    CHECK_EQ(stats.ended[MORTAL_CRASHED], 2);
    CHECK_EQ(stats.ended[MORTAL_TIMED_OUT], 1);
    CHECK_EQ(stats.ended[MORTAL_KILLED], 1);
    CHECK_EQ(stats.ended[MORTAL_CANCELLED], 1);
    CHECK_EQ(stats.host_deaths, 4);
    CHECK_EQ(stats.host_kills, 2);
    CHECK_EQ(stats.workers, 1);
    CHECK_EQ(stats.broken, 0);
    CHECK(stats.supervisor > 0);

    for (unsigned i = 0; i < count; i++)
        CHECK_OK(mortal_future_release(futures[i]));
    CHECK_EQ(stats_of(pool).held, 0);
    while_one_runs_and_two_wait(pool, &gates[2]);
    POLL_UNTIL(stats_of(pool).hosts == 1 && stats_of(pool).standby == 1 && stats_of(pool).dying == 0);
    stats = stats_of(pool);
    check_sum(&stats);
    CHECK_EQ(stats.submitted, count + 3);
    drain(pool);
}
