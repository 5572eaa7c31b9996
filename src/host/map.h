/* map.h - a task that runs items of a map until there are none */
#ifndef HOST_MAP_H
#define HOST_MAP_H

#include <mortal.h>

#include "region/map.h"

/* Input: struct map_runner, or struct feed_runner. Returns enum map_return. */
int map_run(mortal_task *task, const void *input, size_t input_bytes);

/* For whatever runs items in a task. Call one, and leave the task as if it had begun just now. */
int map_call(mortal_task *task, mortal_map_function *function, const void *item, void *result, unsigned attempt);

/* True: the task should end between two items and let others have the worker. since_ns: it has it. */
bool map_makes_way(const mortal_task *task, uint64_t since_ns);

bool map_others_wait(const mortal_task *task);   /* other tasks wait */
bool map_is_called_off(const mortal_task *task); /* its host is to be replaced, or it was asked to end */
bool map_is_asked(const mortal_task *task);      /* the latter */

/* An item with a deadline begins. */
void map_stamp(mortal_task *task, struct map_cell *cell);

#endif
