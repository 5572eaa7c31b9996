/* map.h - a task that runs items of a map until there are none */
#ifndef HOST_MAP_H
#define HOST_MAP_H

#include <mortal.h>

/* Input: struct map_runner. Returns enum map_return. */
int map_run(mortal_task *task, const void *input, size_t input_bytes);

#endif
