/*
 * Workers that share hosts, all in one or two by two, in a storm of kills of every scope: whoever dies with another one is
 * told so or starts again uncharged, and no verdict is wrong.
 * Broken by: an innocent that pays for the culprit, a neighbour's desk that recovery forgets, a task that is lost.
 */
#include "engine/storm.h"

enum { KILLS = 250, KILLS_LONG = 9000 };

void test(void)
{
    static const struct storm_shape shapes[] = {
        {.workers = 4, .workers_per_host = 4, .standby = 0, .attempts = 2, .producers = 1, .queue_tasks = 8},
        {.workers = 4, .workers_per_host = 4, .standby = 1, .attempts = 1, .producers = 2, .queue_tasks = 16},
        {.workers = 4, .workers_per_host = 2, .standby = 2, .attempts = 3, .producers = 3, .queue_tasks = 8, .priorities = true},
    };
    storm_over(shapes, COUNT(shapes), TEST_LONG ? KILLS_LONG : KILLS);
}
