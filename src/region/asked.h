/*
 * asked.h - whether a running task was asked to stop, by whom, and what waits for the end of its critical section
 *
 * All of it is in control, where hosts read only: a task cannot say that it was asked, nor that it was not.
 */
#ifndef REGION_ASKED_H
#define REGION_ASKED_H

#include "region/layout.h"

enum asked { ASKED_BY_KILL = 1, ASKED_BY_DEADLINE = 2 };

/* By a kill with a grace, which may have been given up since. */
static inline bool asked_by_kill(const struct care *care, uint64_t running) {
    return atomic_load_explicit(&care->asked, memory_order_relaxed) == word_generation(running) + 1;
}

static inline uint32_t asked_by(const struct region *r, uint32_t slot, uint64_t running) {
    const struct care *care = care_of(r, slot);
    uint32_t by = asked_by_kill(care, running) ? ASKED_BY_KILL : 0;
    if ((atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed) & ORDER_SOFT) != 0 &&
        atomic_load_explicit(&care->told, memory_order_relaxed) == running)
        by |= ASKED_BY_DEADLINE;
    return by;
}

/* A kill in its grace. ORD(asked:killers) pairs ORD(ask:killers): who sees that it was asked sees by how many. */
static inline bool asked_by_waiting_kill(const struct care *care, uint64_t running) {
    return atomic_load_explicit(&care->asked, memory_order_acquire) == word_generation(running) + 1 &&
           atomic_load_explicit(&care->killers, memory_order_relaxed) != 0;
}

/* Whoever ends a critical section goes no further. */
static inline bool asked_to_end_there(const struct region *r, uint32_t slot, uint64_t running) {
    const struct care *care = care_of(r, slot);
    if (asked_by_waiting_kill(care, running))
        return true;
    /* ORD(section:end) */
    return (atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed) & ORDER_SOFT) != 0 &&
           atomic_load_explicit(&care->overdue, memory_order_seq_cst) == running;
}

#endif
