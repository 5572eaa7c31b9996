/* barrier.h - a full memory barrier in all threads of a process, made by one of them, or by another: membarrier(2) */
#ifndef SYSTEM_BARRIER_H
#define SYSTEM_BARRIER_H

#include <stdbool.h>

bool barrier_ready(void); /* once per process, and in a forked one again. False: this kernel, or a filter, has none */
bool barrier_all(void);   /* only where that was true. Some microseconds. False: a filter came since then */

/* The same in all threads of other processes too, of those that let it be done to them. */
bool barrier_let_others(void);
bool barrier_everywhere(void);

#endif
