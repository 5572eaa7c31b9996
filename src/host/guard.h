/*
 * guard.h - control words that a task cannot overwrite by accident
 *
 * With MORTAL_HARDEN_KEYS, and where the machine has protection keys, the claims and this host's own records (head,
 * desks, cells) are shut for a worker's thread while it runs a task's or init's code, and for the threads that this
 * code starts. A stray write there is then a crash with its address, and not a word that lies. Open are the inputs of
 * results (the heap, which tasks write into) and the life lines: the kernel marks a robust mutex only where the dying
 * thread could have written, and the C library links a task's own robust mutexes with ours.
 */
#ifndef HOST_GUARD_H
#define HOST_GUARD_H

#include "host/host.h"
#include "system/keys.h"

/* Once all that is to be covered is there. False: there are no keys, everything stays as it is. */
bool guard_cover(struct host *host);

/* For code of the library that a task calls, or a signal handler: returns how it was, for guard_restore(). */
static inline int guard_open(const struct host *host) { return host->key == 0 ? 0 : keys_open(host->key); }
static inline void guard_restore(const struct host *host, int before) {
    if (host->key != 0)
        keys_set(host->key, before);
}
static inline void guard_close(const struct host *host) {
    if (host->key != 0)
        keys_close(host->key);
}

#endif
