/*
 * seat.h - handles, and the lock behind each
 *
 * A mortal_pool is a place in a table that is never unmapped, so a handle that is closed, or was never one, is an error
 * and not a crash. Its mutex is in the owner's private memory: no host can hold it, and no kill can leave it locked.
 */
#ifndef OWNER_SEAT_H
#define OWNER_SEAT_H

#include <pthread.h>

#include "owner/pool.h"

enum seat_state { SEAT_FREE = 0, SEAT_OPENING, SEAT_OPEN, SEAT_CLOSING, SEAT_FOREIGN /* the parent's, after a fork */ };

#define SEATS 64u

struct mortal_pool {
    pthread_mutex_t lock;
    _Atomic int state; /* enum seat_state; changes under a lock, FOREIGN is looked at without */
    uint32_t nonce; /* of the pool here now; 24 bits */
    struct pool *pool;
    _Atomic(struct pool *) signal_pool; /* for kill_now and seal, which take no lock */
};

/* Ready the table in this process; a forked child starts with a clean one. 0 or a negative errno. */
int seat_table_open(void);
struct mortal_pool *seat_take(void);     /* a free seat, state OPENING; null: all are taken */
void seat_settle(struct mortal_pool *seat, struct pool *pool); /* the pool is open */
void seat_shut(struct mortal_pool *seat);                      /* it is being closed: nobody comes in any more */
void seat_leave(struct mortal_pool *seat);
uint32_t seat_number(const struct mortal_pool *seat);

/* Lock the pool of a handle for one call. call: its name, for mortal_why(). On success *pool is locked: leave with
 * seat_unlock(). */
int  seat_enter(mortal_pool *handle, const char *call, struct pool **pool);
int  seat_enter_future(mortal_future future, const char *call, struct pool **pool, uint32_t *slot);
int  seat_enter_cell(mortal_cell cell, const char *call, struct pool **pool, uint32_t *index);
int  seat_enter_group(mortal_group *handle, const char *call, struct pool **pool, struct group **group);
int  seat_enter_buffer(mortal_buffer buffer, const char *call, struct pool **pool, uint32_t *number);
void seat_unlock(struct pool *pool);

/* The same without a lock, from a signal handler: null unless the pool is open in this process. */
struct pool *seat_peek(mortal_pool *handle);

mortal_group *seat_group_handle(const struct pool *pool, uint32_t number);
mortal_cell seat_cell(const struct pool *pool, uint32_t index);
mortal_buffer seat_buffer(const struct pool *pool, uint32_t number);
mortal_future seat_future(const struct pool *pool, uint32_t slot);

/* mortal_pool_open with another way to bring up hosts: tests run them as threads. */
int pool_open_with(mortal_pool **out, const mortal_pool_options *options, int (*launcher)(struct pool *));

#endif
