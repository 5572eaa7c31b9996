/*
 * priority.h - three lanes of waiting tasks, and whose turn it is
 *
 * Each priority has a ring and a cursor of its own, a lane, and within it tasks start in the order of submits. A claim looks
 * at the lanes in an order that depends on its turn, a number that all workers count on together:
 *
 *   turn    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
 *   first   H  H  H  N  H  H  H  N  H  H  H  N  H  H  H  L      then from the highest down what else there is
 *
 * So of 16 starts one is of low priority and three are of normal priority at least, while such tasks wait, and a lane that is
 * empty leaves its turns to the highest. The count is a hint as the cursors are: who dies behind it loses a turn, no task.
 * It lies in the region and not with the worker, or a worker that is killed again and again would begin anew each time, and
 * never come to the low ones.
 */
#ifndef REGION_PRIORITY_H
#define REGION_PRIORITY_H

#include <stdint.h>

enum lane { LANE_NORMAL = 0, LANE_HIGH, LANE_LOW, LANES };

#define LANE_TURNS 16u

/* Of a task with that priority in its options. */
static inline enum lane lane_for(int32_t priority) {
    return priority == 0 ? LANE_NORMAL : priority > 0 ? LANE_HIGH : LANE_LOW;
}

/* Which lane is looked at first, before those that are left: high, normal, low. */
static inline enum lane lane_first(uint32_t turn) {
    return turn % LANE_TURNS == LANE_TURNS - 1 ? LANE_LOW : turn % 4 == 3 ? LANE_NORMAL : LANE_HIGH;
}

#endif
