/*
 * cap.h - how much a host and a task may take
 *
 * Caps of the pool cross in the heritage. A task that has caps of its own says so in the flags of its order, and has a
 * record in control, which nobody looks at otherwise.
 */
#ifndef REGION_CAP_H
#define REGION_CAP_H

#include "region/layout.h"

/* The cap on memory that holds for the attempt that comes next, or runs: larger by so much with each attempt before it
 * that ended for lack of memory. 0: no cap. */
static inline uint64_t cap_memory(const struct cap *cap) {
    uint64_t bytes = cap->memory_bytes;
    uint64_t times = atomic_load_explicit(&cap->grown, memory_order_relaxed) >> 32;
    while (times-- > 0 && bytes != UINT64_MAX && cap->more_percent != 0) {
        uint64_t more = (bytes / 100 + 1) * cap->more_percent;
        bytes = more < UINT64_MAX - bytes ? bytes + more : UINT64_MAX;
    }
    return bytes;
}

/* One more attempt, its starts-th, ended for lack of memory. Told again after a recovery that was cut it changes
 * nothing. */
static inline void cap_grow(struct cap *cap, uint32_t starts) {
    uint64_t grown = atomic_load_explicit(&cap->grown, memory_order_relaxed);
    if ((uint32_t)grown != starts)
        atomic_store_explicit(&cap->grown, ((grown >> 32) + 1) << 32 | starts, memory_order_relaxed);
}

#endif
