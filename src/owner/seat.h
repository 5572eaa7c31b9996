/*
 * seat.h - handles, and the lock behind each
 *
 * A mortal_pool is a place in a table that is never unmapped, so a handle that is closed, or was never one, is an error
 * and not a crash.
 *
 * Three calls go with each task, and each begins here: what they do where nothing is wrong is in line.
 */
#ifndef OWNER_SEAT_H
#define OWNER_SEAT_H

#include "owner/lock.h"
#include "owner/pool.h"

enum seat_state { SEAT_FREE = 0, SEAT_OPENING, SEAT_OPEN, SEAT_CLOSING, SEAT_FOREIGN /* the parent's, after a fork */ };

#define SEATS 64u

struct mortal_pool {
    alignas(256) struct lock lock;
    _Atomic int state; /* enum seat_state; changes under a lock, FOREIGN is looked at without */
    uint32_t nonce; /* of the pool here now; 24 bits */
    struct pool *pool;
    _Atomic(struct pool *) signal_pool; /* for kill_now and seal, which take no lock */
};
static_assert(sizeof(struct mortal_pool) == 256, "whether something is a handle is told by a mask");
extern struct mortal_pool seat_table[SEATS];

/* Reads as 0 in a process forked from this one: a load, where getpid is a system call. Null: no pool was ever opened. */
extern _Atomic uint32_t *seat_here;
#define HERE_MAGIC 0x6d6f7274u
static inline bool seat_is_owner(void) {
    return seat_here != NULL && atomic_load_explicit(seat_here, memory_order_relaxed) == HERE_MAGIC;
}

/* Ready the table in this process; a forked child starts with a clean one. 0 or a negative errno. */
int seat_table_open(void);
struct mortal_pool *seat_take(void);     /* a free seat, state OPENING; null: all are taken */
void seat_settle(struct mortal_pool *seat, struct pool *pool); /* the pool is open */
void seat_shut(struct mortal_pool *seat);                      /* it is being closed: nobody comes in any more */
void seat_leave(struct mortal_pool *seat);
uint32_t seat_number(const struct mortal_pool *seat);

/* Lock the pool of a handle for one call. call: its name, for mortal_why(). On success *pool is locked: leave with
 * seat_unlock(). */
int seat_enter_slowly(mortal_pool *handle, const char *call, struct pool **pool);
int seat_enter_future_slowly(mortal_future future, const char *call, struct pool **pool, uint32_t *slot);

static inline void seat_lock(struct pool *pool) { lock_enter(&pool->seat->lock); }
static inline void seat_unlock(struct pool *pool) { lock_leave(&pool->seat->lock); }

/* Null: not as simple as that; nothing was done. */
static inline struct pool *seat_try(struct mortal_pool *seat) {
    if (!seat_is_owner() || !lock_try_favourite(&seat->lock))
        return NULL;
    if (seat->state == SEAT_OPEN)
        return seat->pool;
    lock_leave(&seat->lock);
    return NULL;
}

static inline struct pool *seat_try_handle(mortal_pool *handle) {
    uintptr_t offset = (uintptr_t)handle - (uintptr_t)seat_table;
    return offset < sizeof seat_table && offset % sizeof *handle == 0 ? seat_try(handle) : NULL;
}

static inline int seat_enter(mortal_pool *handle, const char *call, struct pool **pool) {
    *pool = seat_try_handle(handle);
    return *pool != NULL ? 0 : seat_enter_slowly(handle, call, pool);
}

/* Values that a program stores tell their seat, the nonce of its pool, and a number and a life in that pool. */
#define LIFE_BITS_OF_VALUES 40
#define LIFE_MASK ((1ull << LIFE_BITS_OF_VALUES) - 1)

static inline bool seat_has_future(const struct pool *pool, mortal_future future) {
    uint32_t slot = (uint32_t)future.place;
    if (slot >= pool->slots_used)
        return false;
    const struct entry *entry = &pool->entries[slot];
    return entry->life == (future.life & LIFE_MASK) && entry->state != ENTRY_FREE && !entry->released;
}

/* Null: not as simple as that; nothing was done. */
static inline __attribute__((always_inline)) struct pool *seat_try_future(mortal_future future) {
    uint64_t number = (future.place >> 32) - 1;
    struct pool *pool = number < SEATS ? seat_try(&seat_table[number]) : NULL;
    if (pool == NULL)
        return NULL;
    if (seat_table[number].nonce == future.life >> LIFE_BITS_OF_VALUES && seat_has_future(pool, future))
        return pool;
    seat_unlock(pool);
    return NULL;
}

static inline int seat_enter_future(mortal_future future, const char *call, struct pool **pool, uint32_t *slot) {
    *slot = (uint32_t)future.place;
    *pool = seat_try_future(future);
    return *pool != NULL ? 0 : seat_enter_future_slowly(future, call, pool, slot);
}

int  seat_enter_cell(mortal_cell cell, const char *call, struct pool **pool, uint32_t *index);
int  seat_enter_group(mortal_group *handle, const char *call, struct pool **pool, struct group **group);
int  seat_enter_map(mortal_map *handle, const char *call, struct pool **pool, struct group **group);
int  seat_enter_buffer(mortal_buffer buffer, const char *call, struct pool **pool, uint32_t *number);

/* The same without a lock, from a signal handler: null unless the pool is open in this process. */
struct pool *seat_peek(mortal_pool *handle);

mortal_group *seat_group_handle(const struct pool *pool, uint32_t number);
mortal_map *seat_map_handle(const struct pool *pool, uint32_t number); /* of the open map with that group */
mortal_cell seat_cell(const struct pool *pool, uint32_t index);
mortal_buffer seat_buffer(const struct pool *pool, uint32_t number);
static inline mortal_future seat_future(const struct pool *pool, uint32_t slot) {
    return (mortal_future){.place = pool->value_place | slot,
                           .life = pool->value_life | (pool->entries[slot].life & LIFE_MASK)};
}

/* mortal_pool_open with another way to bring up hosts: tests run them as threads. */
int pool_open_with(mortal_pool **out, const mortal_pool_options *options, int (*launcher)(struct pool *));

#endif
