/*
 * Kills of single tasks and of groups, with and without a grace, cancels and deadlines, at random: a task that nobody
 * aimed at ends as it would have ended on a quiet day, with all its attempts.
 * Broken by: a kill that hits the next task of the worker, a stale kill, a start charged to the wrong task.
 */
#include "engine/storm.h"

enum { KILLS = 300, KILLS_LONG = 9000 };

void test(void)
{
    static const struct storm_shape shapes[] = {
        {.workers = 1, .workers_per_host = 1, .standby = 1, .attempts = 2, .producers = 1, .queue_tasks = 8, .aimed = true},
        {.workers = 2, .workers_per_host = 1, .standby = 1, .attempts = 3, .producers = 2, .queue_tasks = 8, .aimed = true,
         .priorities = true},
        {.workers = 4, .workers_per_host = 1, .standby = 2, .attempts = 1, .producers = 3, .queue_tasks = 16, .aimed = true},
    };
    storm_over(shapes, COUNT(shapes), TEST_LONG ? KILLS_LONG : KILLS);
}
