/*
 * A host completes tasks of a group and dies; the next one gets the same berth and the same arena. What it completes is on
 * record from the beginning again, and all of it arrives, without a wait for another look around; and so does what the dead
 * one had completed and nobody had read, also where that is more than its record can hold.
 * Broken by: remembering by arena how much of a record was read.
 */
#include "twin.h"

enum { TASKS_MOST = 5000 };

static mortal_pool *pool;
static mortal_group *group;

static void complete(uint32_t tasks)
{
    mortal_task_options options = {.size = sizeof options, .group = group};
    uint32_t before = twin_completed(0);
    for (uint32_t i = 0; i < tasks; i++)
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL));
    while (twin_completed(0) != before + tasks)
        sched_yield();
}

static void take(uint32_t tasks)
{
    mortal_verdict verdict;
    for (uint32_t i = 0; i < tasks; i++) {
        CHECK_OK(mortal_group_next(group, 0, &verdict));
        CHECK_OK(mortal_future_release(verdict.future));
    }
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ENOENT);
}

void test(void)
{
    struct supervisor s;
    pool = twin_open(1, 1, (mortal_pool_options){.queue_tasks = TASKS_MOST, .held_tasks = TASKS_MOST});
    twin_supervisor_open(&s);
    CHECK_OK(mortal_group_open(&group, pool));
    const uint32_t counts[][2] = {{100, 100}, {100, 300}, {300, 100}, {1, 2}, {LOG_ENTRIES, 1}, {2 * LOG_ENTRIES, 7}};
    for (size_t i = 0; i < COUNT(counts); i++) {
        complete(counts[i][0]);
        take(counts[i][0]);
        twin_replace_host(&s, 0, s.hosts[0].life);
        complete(counts[i][1]);
        take(counts[i][1]);
        complete(counts[i][1]);
        twin_replace_host(&s, 0, s.hosts[0].life);
        complete(counts[i][0]);
        take(counts[i][0] + counts[i][1]);
    }
    twin_supervisor_close(&s);
    twin_close(pool);
}
