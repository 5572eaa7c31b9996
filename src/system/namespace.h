/*
 * namespace.h - namespaces of processes: what is born in one ends with its first process, whatever it does
 *
 * The first process is a tiny one of ours and never a host: the kernel hides most signals from a first process, and a
 * host that aborted as one would be told wrongly.
 */
#ifndef SYSTEM_NAMESPACE_H
#define SYSTEM_NAMESPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a first process needs; must stay as long as it lives. */
struct namespace_first {
    int notice_fd;                     /* an eventfd: written to when the first process gets one of these signals */
    uint64_t notice_set;               /* a bit for each: 1 << (signal - 1) */
    const _Atomic uint32_t *life_line; /* of the parent: process_hold_life_line() */
};

/* The first process of a new namespace of processes, as a child of the caller, which must be single-threaded and have all
 * signals blocked, and with whose main thread it ends. It shares the caller's memory, so that neither its start nor its
 * end takes longer for that. It reaps what is left to it. Returns its pid, and its stack, to be given back when it is
 * reaped; or a negative errno. */
pid_t namespace_begin(const struct namespace_first *first, void **stack);
void  namespace_free_stack(void *stack);

/* Into a user namespace of one's own, in which user and group are who they are outside, to have the right to begin
 * namespaces of processes. Returns 0, or a negative errno; *in_map: the namespace is there and the names were refused. */
int namespace_own_user(bool *in_map);

/* In a user namespace of one's own: give up all capabilities, but that to make namespaces if it is still needed. */
int namespace_keep_rights(bool to_make_namespaces);

/* The thread of that process that has this id within its namespace, as this process sees it; 0: there is none. */
pid_t namespace_thread(pid_t process, pid_t inner);

#endif
