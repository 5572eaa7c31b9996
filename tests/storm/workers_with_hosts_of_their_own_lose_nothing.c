/*
 * Several hosts of one worker each in a storm of kills of every scope, also from a signal handler and from outside: each
 * task has one verdict, true to what it said itself, and nobody is ever collateral.
 * Broken by: a verdict without the truth, a task that runs twice or goes on after its end, anything that leaks.
 */
#include "engine/storm.h"

enum { KILLS = 300, KILLS_LONG = 9000 };

void test(void)
{
    static const struct storm_shape shapes[] = {
        {.workers = 2, .workers_per_host = 1, .standby = 0, .attempts = 1, .producers = 1, .queue_tasks = 4},
        {.workers = 4, .workers_per_host = 1, .standby = 1, .attempts = 3, .producers = 2, .queue_tasks = 16},
        {.workers = 3, .workers_per_host = 1, .standby = 2, .attempts = 2, .producers = 3, .queue_tasks = 8, .priorities = true},
    };
    storm_over(shapes, COUNT(shapes), TEST_LONG ? KILLS_LONG : KILLS);
}
