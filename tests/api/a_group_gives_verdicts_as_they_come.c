/*
 * A group delivers each verdict of its tasks once, in the order in which they end, and knows when nothing is
 * outstanding.
 * Broken by: a verdict delivered twice, never, or to another group; a released task that is still delivered.
 */
#include "tasks.h"

enum { TASKS = 3, MANY = 500 };

static void next_is(mortal_group *group, void *tag)
{
    mortal_verdict verdict = {0};
    CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK(verdict.tag == tag);
    CHECK_OK(mortal_future_release(verdict.future));
}

static void in_the_order_of_arrival(mortal_pool *pool, mortal_group *group, struct gate *gates)
{
    static const unsigned order[TASKS] = {2, 0, 1};
    mortal_verdict verdict;
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ENOENT);
    for (unsigned i = 0; i < TASKS; i++) {
        void *gate = &gates[i];
        submit_like(pool, task_held, &gate, sizeof gate, (mortal_task_options){.group = group, .tag = gate});
    }
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ETIMEDOUT);
    CHECK_ERR(mortal_group_next(group, MS(1), &verdict), -ETIMEDOUT);
    for (unsigned i = 0; i < TASKS; i++) {
        gate_open(&gates[order[i]]);
        next_is(group, &gates[order[i]]);
    }
    CHECK_ERR(mortal_group_next(group, MORTAL_FOREVER, &verdict), -ENOENT);
}

static void released_tasks_are_not_delivered(mortal_pool *pool, mortal_group *group, struct gate *gate)
{
    void *place = gate;
    mortal_verdict verdict;
    mortal_future future = submit_like(pool, task_held, &place, sizeof place, (mortal_task_options){.group = group});
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_release(future));
    CHECK_ERR(mortal_group_next(group, MORTAL_FOREVER, &verdict), -ENOENT);
    gate_open(gate);
    POLL_UNTIL(stats_of(pool).running == 0);
    CHECK_ERR(mortal_group_next(group, MORTAL_FOREVER, &verdict), -ENOENT);
}

/* Two groups and some without: nobody gets what is not his, and each task comes once. */
static void each_group_gets_its_own(mortal_pool *pool, mortal_group *group)
{
    static unsigned char seen[MANY];
    mortal_group *other = NULL;
    mortal_verdict verdict;
    CHECK_OK(mortal_group_open(&other, pool));
    for (unsigned i = 0; i < MANY; i++) {
        mortal_group *mine = i % 3 == 0 ? group : i % 3 == 1 ? other : NULL;
        mortal_task_options options = {.size = sizeof options, .group = mine, .tag = &seen[i]};
        mortal_future future;
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, mine ? &future : NULL));
    }
    while (mortal_group_next(group, LIMIT, &verdict) == 0)
        *(unsigned char *)verdict.tag |= 1;
    while (mortal_group_next(other, LIMIT, &verdict) == 0)
        *(unsigned char *)verdict.tag |= 2;
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQ(seen[i], i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 0);
    CHECK_OK(mortal_group_close(other));
}

void test(void)
{
    struct gate *gates = gates_make(TASKS + 1);
    mortal_pool *pool = pool_with(TASKS);
    mortal_group *group = NULL;
    CHECK_OK(mortal_group_open(&group, pool));
    in_the_order_of_arrival(pool, group, gates);
    released_tasks_are_not_delivered(pool, group, &gates[TASKS]);
    each_group_gets_its_own(pool, group);
    CHECK_OK(mortal_group_close(group));
    drain(pool);
}
