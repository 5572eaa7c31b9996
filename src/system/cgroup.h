/*
 * cgroup.h - control groups (version 2), for one thing: to kill all that is in one at one stroke
 *
 * A pool has a group of its own below the one that its supervisor is in, and in that a leaf for each host. The directory
 * is locked (flock) by the supervisor as long as it lives: one that nobody has locked was left behind.
 *
 * A leaf is used once. Linux (6.18 at least) compares how often a process's parent's group was killed with how often its
 * own was, and kills it if the two differ: whoever is born into a group that was killed before dies at birth.
 */
#ifndef SYSTEM_CGROUP_H
#define SYSTEM_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_PATH_BYTES 512

/* The directory of this process's own group. 0, or -ENOENT: version 2 is not mounted, or not where this process is. */
int cgroup_own(char path[CGROUP_PATH_BYTES]);

/* Whoever manages the groups of this machine has left that one to its processes: systemd says so in an attribute; without
 * systemd it has been given to this user, who is not root. */
bool cgroup_is_delegated(const char *path);

/* A new group below `parent`, locked by *lock_fd. Returns 0 or a negative errno; -ENOSYS: it cannot be killed at one
 * stroke (before Linux 5.14). */
int cgroup_make(const char *parent, char path[CGROUP_PATH_BYTES], int *lock_fd);

void cgroup_leaf(const char *path, uint32_t leaf, char name[CGROUP_PATH_BYTES]); /* its directory */
int  cgroup_make_leaf(const char *path, uint32_t leaf); /* 0 or a negative errno */
int  cgroup_remove_leaf(const char *path, uint32_t leaf); /* -EBUSY: something is still in it */
/* Whether a process can be born into it, and lives: 0, or a negative errno; -ENOSYS: it dies at birth. */
int  cgroup_try_leaf(const char *path, uint32_t leaf);
void cgroup_kill(const char *path);                      /* all that is in it and below: SIGKILL is on its way to each */

/* The group and its leaves, if nothing is in them any more; waits a moment for what is just ending. */
void cgroup_remove(const char *path);

/* Kill and remove what supervisors that are dead left below `parent`. */
void cgroup_sweep(const char *parent);

#endif
