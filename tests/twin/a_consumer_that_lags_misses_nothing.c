/*
 * A worker's record of what it completed is a ring, which it goes on writing while the owner reads. A consumer that lags
 * behind by about as much as the ring is long still gets every verdict, as soon as it looks, without waiting for another
 * look around.
 * Broken by: entries that were written over while they were read and are taken for older ones.
 */
#include "twin.h"

enum { TASKS_MOST = 3000 };

static mortal_pool *pool;
static mortal_group *group;

static int take_one(void)
{
    mortal_verdict verdict;
    int error = mortal_group_next(group, 0, &verdict);
    if (error == 0)
        CHECK_OK(mortal_future_release(verdict.future));
    return error;
}

static void check_round(struct gate *gate, uint64_t *dice)
{
    mortal_task_options options = {.size = sizeof options, .group = group};
    uint32_t before = twin_completed(0), taken = 0, tasks = LOG_ENTRIES + below(dice, TASKS_MOST - LOG_ENTRIES);
    uint32_t lag = LOG_ENTRIES - below(dice, 300);
    memset(gate, 0, sizeof *gate);
    CHECK_OK(mortal_pool_submit(pool, task_held, &gate, sizeof gate, &options, NULL));
    for (uint32_t i = 1; i < tasks; i++)
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL));
    gate_open(gate);
    while (twin_completed(0) - before < lag)
        spin(1);
    while (take_one() == 0) /* reads the record while it grows */
        taken++;
    while (twin_completed(0) - before < tasks)
        sched_yield();
    int error;
    while ((error = take_one()) == 0)
        taken++;
    CHECK_EQ(error, -ENOENT); /* not: nothing has arrived */
    CHECK_EQ(taken, tasks);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    uint64_t dice = 1;
    pool = twin_open(1, 1, (mortal_pool_options){.held_tasks = TASKS_MOST, .queue_tasks = TASKS_MOST});
    CHECK_OK(mortal_group_open(&group, pool));
    for (uint32_t round = 0; round < more_if_long(100); round++)
        check_round(gate, &dice);
    twin_close(pool);
}
