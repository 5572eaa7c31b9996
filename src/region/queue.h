/*
 * queue.h - in which order pending tasks start
 *
 * For each priority a ring of (generation, slot) that the owner alone writes, and a cursor that everybody may move: a lane,
 * see priority.h. Who uses one priority only uses one lane, and no worker looks at the others. All of it is hints: the
 * claim word decides. An entry whose slot is no longer pending in that generation is passed over, so entries need never
 * be taken back, and a duplicate is harmless. What recovery returns to pending is in a small table that goes first.
 */
#ifndef REGION_QUEUE_H
#define REGION_QUEUE_H

#include "region/fence.h"

/* Owner, under its lock. True: room for one more entry. A place is given before the task can be seen waiting: the
 * supervisor takes one that waits behind the cursor for one that was passed over, and puts it in front. In which lane says
 * the order, which is complete by then. */
bool     queue_has_room(const struct region *r);
enum lane queue_place(struct region *r, uint32_t slot);
void     queue_enter(struct region *r, enum lane lane, uint32_t slot, uint32_t generation);
void     queue_push(struct region *r, uint32_t slot, uint32_t generation); /* both */
uint64_t queue_head(const struct region *r, enum lane lane); /* no worker looks at places before it; a hint, bounded */
uint64_t queue_length(const struct region *r); /* entries not passed yet, dead ones among them; a hint, bounded */
uint64_t queue_length_of(const struct region *r, enum lane lane);

/* Owner, under its lock: close the gaps that entries left which are not pending any more. Workers go on claiming meanwhile;
 * every pending entry is at each moment at one place of the ring at least. */
void queue_compact(struct region *r);

/* Claim the next task that may start now: an entry of a ring or a returned one. On success the slot's word is
 * RUNNING(life, worker) and *slot is set. */
struct claimant {
    uint32_t life, worker;
    struct desk *desk;
    uint32_t returned_seen; /* version of the returned table in which nothing was pending any more */
    uint64_t tail_seen;
    uint64_t others_seen;   /* how many had been put into the other lanes when both were found empty */
    uint64_t empty_seen[LANES]; /* likewise, each of them */
    uint32_t table_seen;    /* version of the returned table that these are about: */
    uint32_t table_at[LANES]; /* where to look on for tasks of that lane */
};
bool queue_claim(const struct region *r, struct claimant *who, uint32_t *slot, uint64_t *word);

/* True if there seems to be something to claim: what a worker looks at once more before it sleeps. */
bool queue_has_work(const struct region *r, const struct claimant *who);

static inline uint64_t queue_entry(uint32_t slot, uint32_t generation) {
    return (uint64_t)(generation & GENERATION_MASK) << 32 | slot;
}
static inline uint32_t entry_generation(uint64_t entry) { return (uint32_t)(entry >> 32) & GENERATION_MASK; }

/* The owner's steps, in line for the usual task. */
static inline void queue_set_place(const struct region *r, uint32_t slot, enum lane lane, uint64_t position) {
    atomic_store_explicit(&care_of(r, slot)->position, (uint64_t)lane << LANE_SHIFT | position, memory_order_relaxed);
}

/* An entry behind those that are shown. */
static inline void queue_write(const struct region *r, enum lane lane, uint64_t position, uint32_t slot,
                               uint32_t generation) {
    /* ORD(queue:reuse) pairs ORD(queue:still-valid): who reads this entry sees the cursor that let it be written here. */
    atomic_store_explicit(lane_entry(r, lane, position), queue_entry(slot, generation), memory_order_release);
}

/* All entries before this tail. */
static inline void queue_show(const struct region *r, enum lane lane, uint64_t tail) {
    _Atomic uint64_t *lane_end = lane_tail(r, lane);
    /* ORD(queue:push) pairs ORD(queue:claim), ORD(queue:look), ORD(queue:length) and ORD(fence:sleep), which makes the
     * barrier: who sees the tail sees the entry, the order and the pending word. Also a full barrier, made here or by the
     * sleepers, before the owner looks for them, ORD(bell:sleepers), ORD(bell:covered), ORD(submit:asleep): who sleeps
     * beside this task was seen. */
    if (fence_is_light(r)) {
        atomic_store_explicit(lane_end, tail, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        /* ORD(queue:push-heavy) pairs ORD(queue:look), ORD(queue:length) and ORD(queue:claim) */
        atomic_exchange_explicit(lane_end, tail, memory_order_seq_cst);
    }
}

static inline void queue_push_to(const struct region *r, enum lane lane, uint32_t slot, uint32_t generation) {
    uint64_t tail = atomic_load_explicit(lane_tail(r, lane), memory_order_relaxed);
    queue_write(r, lane, tail, slot, generation);
    queue_show(r, lane, tail + 1);
}

#endif
