/*
 * usual.h - the usual task: from a call to a pending slot with nothing on the way
 *
 * No options beyond the pool's plain ones, an input that fits behind the order, a free slot, room in the queue, a pool in
 * order, a thread that is the lock's favourite. Nearly all tasks of a program that submits many are like that, and each
 * question that submit.c asks of the others costs all of them. Who is not usual in any way was not touched, and goes the long
 * way from its beginning. What is written is the same there; tests/twin compares the two.
 */
#ifndef OWNER_USUAL_H
#define OWNER_USUAL_H

#include <linux/futex.h>
#include <string.h>

#include "owner/seat.h"
#include "region/bell.h"
#include "region/queue.h"
#include "region/recover.h"
#include "system/clock.h"

/* Of a pool: once, when it is opened. */
static inline bool usual_pool(const struct pool *pool) {
    const mortal_task_options *o = &pool->defaults;
    return pool->defaults_are_plain && o->group == NULL && o->buffer_count == 0 && pool->modules == NULL &&
           pool->region->g.measure == 0;
}

/* It died, it is sealed, its circuit breaker is open. */
static inline bool usual_is_shut(const struct pool *pool) {
    const struct control_head *control = control_head(pool->region);
    return (atomic_load_explicit(&control->supervisor_lives, memory_order_relaxed) & FUTEX_OWNER_DIED) != 0 ||
           atomic_load_explicit(&pool->sealed, memory_order_relaxed) != 0 || breaker_is_open(pool->region);
}

static inline bool usual_has_room(const struct pool *pool, uint64_t tail) {
    return pool->free_count != 0 && tail < pool->places_made[LANE_NORMAL] &&
           tail - pool->head_seen + pool->aside < pool->region->g.queue_tasks;
}

static inline void usual_fill_order(struct pool *pool, struct order *order, uint64_t ticket, uint64_t code, const void *input,
                                    size_t input_bytes) {
    bool is_tiny = input_bytes <= sizeof order->input_offset;
    uint32_t attempts = pool->defaults.attempts;
    bool is_map = code == (uintptr_t)pool->heritage.map_run;
    atomic_store_explicit(&order->ticket, ticket, memory_order_relaxed);
    order->function = code;
    order->input_offset = 0;
    atomic_store_explicit(&order->deadline_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&order->expires_at_ns, NEVER, memory_order_relaxed);
    order->input_bytes = (uint32_t)input_bytes;
    atomic_store_explicit(&order->flags, (is_tiny ? ORDER_TINY : ORDER_INLINE) | (is_map ? ORDER_UNHEARD : 0),
                          memory_order_relaxed);
    atomic_store_explicit(&order->watched, 0, memory_order_relaxed);
    atomic_store_explicit(&order->group, 0, memory_order_relaxed);
    order->attempts = attempts > 1 ? attempts : 1;
    if (input_bytes == sizeof order->input_offset) /* a pointer or a number, the usual case */
        memcpy(&order->input_offset, input, sizeof order->input_offset);
    else if (input_bytes != 0)
        memcpy(is_tiny ? (uint8_t *)&order->input_offset : order->input, input, input_bytes);
}

/* ORD(*) counters that change under the lock only; what a supervisor reads of the rest is there before the pending word. */
static inline void usual_enter(struct pool *pool, uint32_t slot, uint64_t ticket, void *tag) {
    struct entry *entry = &pool->entries[slot];
    struct care *care = care_of(pool->region, slot);
    entry->ticket = ticket;
    entry->tag = tag;
    entry->group = NULL;
    entry->input_offset = INPUT_NONE;
    entry->state = ENTRY_LIVE;
    entry->has_limits = entry->released = entry->is_ready = false;
    atomic_store_explicit(&orders_head(pool->region)->tickets, ticket + 1, memory_order_relaxed);
    atomic_store_explicit(&care->charged, CARE_UNCHARGED, memory_order_relaxed);
    atomic_store_explicit(&care->returned, CARE_UNCHARGED, memory_order_relaxed);
    atomic_store_explicit(&care->asked, 0, memory_order_relaxed);
    atomic_store_explicit(&care->killers, 0, memory_order_relaxed);
    pool->held++;
    pool->submitted++;
}

/* Whoever sleeps beside what was just pushed. */
static inline void usual_wake(struct pool *pool) {
    struct control_head *control = control_head(pool->region);
    if (bell_call(pool->region))
        pool->has_rung = true;
    /* ORD(submit:asleep) pairs ORD(supervisor:sleep): the task is visible before this look, ORD(queue:push). */
    if (atomic_load(&control->asleep) != 0 && atomic_exchange(&control->asleep, 0) != 0)
        watch_ring_supervisor(pool);
}

/* Of a call. */
static inline bool usual_may_submit(const struct pool *pool) {
    return pool->is_usual && pool->line == NULL && pool->placed_count[WINDOW_FILES] == 0 && !pool->broken &&
           !usual_is_shut(pool);
}

/* Of a task, as the call tells it; and where its code is. */
static inline bool usual_fits(mortal_function *function, const void *input, size_t input_bytes) {
    return function != NULL && input_bytes <= INLINE_INPUT_BYTES && (input != NULL || input_bytes == 0);
}

static inline bool usual_has_code(const struct pool *pool, uint64_t code) {
    return code - pool->code_seen.start < pool->code_seen.end - pool->code_seen.start;
}

/* From a free slot to one that is pending, behind the tail that workers see. False: the slot is not as it was left. */
static inline bool usual_make(struct pool *pool, uint64_t tail, uint64_t code, const void *input, size_t input_bytes,
                              void *tag, mortal_future *future) {
    struct region *r = pool->region;
    uint32_t slot = pool->free_slots[pool->free_count - 1];
    uint32_t generation = (uint32_t)pool->entries[slot].life;
    if (!ledger_is_as_left(pool, slot, generation))
        return false;
    pool->free_count--;
    uint64_t ticket = atomic_load_explicit(&orders_head(r)->tickets, memory_order_relaxed);
    usual_enter(pool, slot, ticket, tag);
    usual_fill_order(pool, order_of(r, slot), ticket, code, input, input_bytes);
    queue_set_place(r, slot, LANE_NORMAL, tail);
    /* ORD(submit) */
    atomic_store_explicit(claim_of(r, slot), word_make(generation, SLOT_PENDING, 0, 0), memory_order_release);
    queue_write(r, LANE_NORMAL, tail, slot, generation);
    *future = seat_future(pool, slot);
    return true;
}

/* False: it is not usual; nothing was done. */
static inline bool usual_submit(mortal_pool *handle, mortal_function *function, const void *input, size_t input_bytes,
                                mortal_future *future) {
    uint64_t code = (uintptr_t)function;
    if (future == NULL || !usual_fits(function, input, input_bytes))
        return false;
    struct pool *pool = seat_try_handle(handle);
    if (pool == NULL)
        return false;
    uint64_t tail = atomic_load_explicit(&orders_head(pool->region)->tail, memory_order_relaxed);
    if (!usual_may_submit(pool) || !usual_has_code(pool, code) || !usual_has_room(pool, tail) ||
        !usual_make(pool, tail, code, input, input_bytes, NULL, future)) {
        seat_unlock(pool);
        return false;
    }
    queue_show(pool->region, LANE_NORMAL, tail + 1);
    usual_wake(pool);
    seat_unlock(pool);
    return true;
}

#endif
