/*
 * results.h - memory for what tasks answer
 *
 * A result of up to 32 bytes lies in the cell of its slot, larger ones in the heap of the host's arena. Nobody ever tells
 * a host that a result was released: it is when the claim word is no longer the one published with it, so nothing is lost
 * when owner or host die in between.
 */
#ifndef HOST_RESULTS_H
#define HOST_RESULTS_H

#include "host/worker.h"
#include "system/memory.h"

void *results_resize(struct mortal_task *task, uint64_t bytes); /* null: no room, the old result stays */
uint64_t results_take_ring(struct mortal_task *task); /* for its parts: an offset into the heap, or HEAP_NONE */
void  results_complete(const struct mortal_task *task); /* make all of the result exist, or end this host by SIGBUS */
void  results_keep(const struct mortal_task *task, uint64_t word); /* about to be published with that word */
void  results_drop(struct host *host, uint32_t slot);
bool  results_make_cell(struct host *host, uint32_t slot);

/* Is this cell's memory there? Make sure; false: there is none. Once for each page, so the question is in line. */
static inline bool results_cell_exists(struct host *host, uint32_t slot) {
    uint64_t page = (uint64_t)slot * sizeof(struct cell) / PAGE_BYTES;
    const _Atomic uint64_t *bits = (const _Atomic uint64_t *)&host->cells_committed[page / 64];
    return (atomic_load_explicit(bits, memory_order_relaxed) >> page % 64 & 1) != 0 || results_make_cell(host, slot);
}

/* The slot is claimed anew: what was left there of an old result is not needed. */
static inline void results_forget(struct host *host, uint32_t slot) {
    const _Atomic uint32_t *places = host->block_at[slot];
    if ((atomic_load_explicit(&places[BLOCK_RESULT], memory_order_relaxed) |
         atomic_load_explicit(&places[BLOCK_PARTS], memory_order_relaxed)) != 0)
        results_drop(host, slot);
}

/* A result of that size goes into the task's own cell, which no other worker touches: nothing is shared that would want a
 * lock. */
static inline bool results_stay_in_cell(const struct mortal_task *task, uint64_t bytes) {
    struct host *host = task->worker->host;
    return bytes <= INLINE_RESULT_BYTES && task->result_offset == HEAP_NONE && host->key == 0 &&
           results_cell_exists(host, task->slot);
}

#endif
