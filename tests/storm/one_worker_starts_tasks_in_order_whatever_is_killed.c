/*
 * One worker in a storm: each task has one verdict, which agrees with what the task itself said, and tasks start in the
 * order of their submits, those of each priority for themselves, whatever dies in between.
 * Broken by: a task that a recovery returns behind later ones, or with another priority; a verdict that is given before,
 * or without, the truth.
 */
#include "engine/storm.h"

enum { KILLS = 250, KILLS_LONG = 9000 };

void test(void)
{
    static const struct storm_shape shapes[] = {
        {.workers = 1, .workers_per_host = 1, .standby = 0, .attempts = 1, .producers = 1, .queue_tasks = 8},
        {.workers = 1, .workers_per_host = 1, .standby = 1, .attempts = 3, .producers = 2, .queue_tasks = 16},
        {.workers = 1, .workers_per_host = 1, .standby = 2, .attempts = 3, .producers = 3, .queue_tasks = 4},
        {.workers = 1, .workers_per_host = 1, .standby = 1, .attempts = 3, .producers = 2, .queue_tasks = 16, .priorities = true},
    };
    storm_over(shapes, COUNT(shapes), TEST_LONG ? KILLS_LONG : KILLS);
}
