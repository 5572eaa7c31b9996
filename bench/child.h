/*
 * child.h - bare child processes and bare shared memory, for the floors
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int   pidfd;
};

/* Cleared memory over a memfd, inherited by children, for the life of the program. */
void *shared_memory(size_t bytes);

/* Forks a child that runs body, never returns, and dies with this program. */
struct child child_start(void (*body)(void *context), void *context);

/* SIGKILL. */
void child_strike(struct child child);

/* Wait until the pidfd says that every thread is dead, then reap. */
void child_await(struct child child);

/* Both. */
void child_kill(struct child child);

#endif
