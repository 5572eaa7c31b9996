/* ask.c - the grace of a kill: a task is asked to stop before it is ended */
#include "owner/pool.h"
#include "region/stream.h"

/* How many kills are in their grace stands beside: with 0 of them, one that was given up, the end of a critical section is
 * the end of nothing else. */
void ask_to_stop(struct pool *pool, uint32_t slot) {
    struct care *care = care_of(pool->region, slot);
    uint32_t generation = (uint32_t)(pool->entries[slot].life & GENERATION_MASK);
    atomic_fetch_add_explicit(&care->killers, 1, memory_order_relaxed);
    /* ORD(ask:killers) pairs ORD(asked:killers) */
    atomic_store_explicit(&care->asked, generation + 1, memory_order_release);
    (void)request_send(pool, REQUEST_ASK_TASK, slot, generation, 0, 0);
    stream_rouse(pool->region, slot);
}

/* It stays asked, and nobody will end it for that. */
void ask_give_up(struct pool *pool, uint32_t slot, uint64_t life) {
    if (pool->entries[slot].life == life)
        atomic_fetch_sub_explicit(&care_of(pool->region, slot)->killers, 1, memory_order_relaxed);
}
