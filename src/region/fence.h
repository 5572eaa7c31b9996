/*
 * fence.h - a full barrier of two sides, made by the one that goes to sleep
 *
 *   owner                            worker, supervisor
 *   -----                            ------------------
 *   make work visible                say "I sleep"
 *   (compiler barrier)               fence_before_sleep(): a barrier here, and in all threads of the owner
 *   does anybody sleep? wake it      work there? do not sleep
 *
 * Each needs its store to be visible before its look, or a task waits beside a sleeper. As a rule both make a full barrier.
 * But the owner comes here with each task, and waits there until all its stores have gone through, while its caches fetch the
 * lines from whoever had them last: half of a submit, and two thirds between distant processors. Who goes to sleep has time.
 * So it makes the barrier for both, by membarrier(2): Linux' liburcu and the JVM's safepoints do it like that.
 *
 * Where the owner may not use membarrier it makes its own barriers, from the beginning. Where a host may not, since its init
 * or a task has filtered it away, it says so, and from then on the owner makes its own too.
 */
#ifndef REGION_FENCE_H
#define REGION_FENCE_H

#include "region/layout.h"

static inline bool fence_is_light(const struct region *r) {
    return r->g.light_fences && atomic_load_explicit(&claims_head(r)->heavy_fences, memory_order_relaxed) == 0;
}

/* False: it could not be made, and the sleep must be short this time. */
bool fence_before_sleep(const struct region *r);
#define FENCELESS_SLEEP_NS 1000000u

#endif
