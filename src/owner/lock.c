#include "owner/lock.h"

#include <sched.h>
#include <string.h>

#include "region/plant.h"
#include "system/barrier.h"
#include "system/clock.h"
#include "system/futex.h"

#define FIRST_ROW 16u
#define LONGEST_ROW (1u << 24)
#define TURNS 1000
#define TURN_NS 1000000u
#define DRAIN_NS 10000000u

_Thread_local const char lock_anchor = 0;

void lock_reset(struct lock *lock) {
    memset(lock, 0, sizeof *lock);
    pthread_mutex_init(&lock->mutex, NULL);
}

void lock_allow_favours(struct lock *lock) {
    if (!lock->may_favour && barrier_ready())
        lock->wanted = FIRST_ROW;
    lock->may_favour = true;
}

/* A filter of system calls that came after the favour was given. No processor keeps a store to itself for that long, but
 * nobody promises it: so this lock gives no favour any more. */
static void outwait_stores(struct lock *lock) {
    static const _Atomic uint32_t nothing;
    uint64_t until = clock_after(DRAIN_NS);
    while (clock_ns() < until)
        (void)futex_wait(&nothing, 0, until);
    lock->wanted = 0;
}

/* The favourite may be inside for as long as any call takes. No sleep here may be a place where a thread is cancelled, as
 * poll() is one: the mutex is held. */
static void take_favour_away(struct lock *lock, struct favour *from) {
    atomic_store_explicit(&lock->favourite, NULL, memory_order_relaxed);
    /* ORD(favour:revoke) pairs ORD(favour:enter): either it sees that it is the favourite no more, or it is seen here that
     * it is in. */
    bool refused = !PLANTED(PLANT_NO_BARRIER) && !barrier_all();
    if (refused)
        outwait_stores(lock);
    /* ORD(favour:wait) pairs ORD(favour:leave) */
    for (int turn = 0; atomic_load_explicit(&from->in, memory_order_acquire) != 0; turn++) {
        if (turn < TURNS)
            sched_yield();
        else
            (void)futex_wait(&from->in, 1, clock_after(TURN_NS));
    }
    if (lock->wanted < LONGEST_ROW)
        lock->wanted *= 16;
}

static struct favour *record_of(struct lock *lock, const void *thread) {
    for (uint32_t i = 0; i < FAVOURITES; i++) {
        struct favour *record = &lock->favours[i];
        if (record->thread != NULL && record->thread != thread)
            continue;
        if (record->thread == NULL) /* who reads it may have come by it at an earlier favour */
            record->thread = thread;
        return record;
    }
    lock->wanted = 0;
    return NULL;
}

/* It is inside by the mutex, and from now on by favour: who gets the mutex next finds that. */
static void give_favour(struct lock *lock) {
    struct favour *record = record_of(lock, &lock_anchor);
    if (record == NULL)
        return;
    lock->last = NULL;
    lock->by = record;
    atomic_store_explicit(&record->in, 1, memory_order_relaxed);
    /* ORD(favour:given) pairs ORD(favour:seen) */
    atomic_store_explicit(&lock->favourite, record, memory_order_release);
    pthread_mutex_unlock(&lock->mutex);
}

void lock_enter_slowly(struct lock *lock) {
    pthread_mutex_lock(&lock->mutex);
    struct favour *favourite = atomic_load_explicit(&lock->favourite, memory_order_relaxed);
    if (favourite != NULL)
        take_favour_away(lock, favourite);
    lock->by = NULL;
    if (lock->last != &lock_anchor) {
        lock->last = &lock_anchor;
        lock->in_row = 0;
    } else if (lock->wanted != 0 && ++lock->in_row >= lock->wanted) {
        give_favour(lock);
    }
}

void lock_leave_slowly(struct lock *lock) { pthread_mutex_unlock(&lock->mutex); }
