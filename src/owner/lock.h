/*
 * lock.h - one mutex that costs its favourite thread nothing
 *
 * Three calls go with each task, and each takes the pool's lock. Most pools are used by one thread for long stretches, and
 * for it a mutex is two atomic read-modify-writes each time, which also wait until the processor's stores to shared memory
 * are through: the very stores that hand over the task. So the thread that took the lock some times in a row becomes its
 * favourite, and takes it by a plain store and a look. Who else wants it holds the mutex, takes the favour away, and makes
 * the barrier on both sides (membarrier): biased locking, as Java's runtimes did it and Linux' asymmetric fences are for.
 *
 *   favourite                        another
 *   ---------                        -------
 *   I am in                          lock the mutex
 *   (compiler barrier)               favourite = nobody
 *   still the favourite? go on       barrier in all threads
 *   else: I am out, and the mutex    wait until it is out; go on
 *
 * A lock whose favour was taken away wants to be taken for longer in a row before it gives the next one, so threads that take
 * turns end up with the mutex. "In" is said in a record that was never another thread's, since who read long ago that it is
 * the favourite may still be about to say so: a lock has few records, and gives no favours any more when one is missing.
 *
 * All of it is in the owner's private memory: no host can hold it, and no kill can leave it locked.
 */
#ifndef OWNER_LOCK_H
#define OWNER_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FAVOURITES 8u

struct favour {
    const void *thread;  /* set once */
    _Atomic uint32_t in;
};

struct lock {
    _Atomic(struct favour *) favourite; /* null: nobody is; changed by who is inside or holds the mutex */
    struct favour *by; /* who is inside: by this favour, or by the mutex */
    pthread_mutex_t mutex;
    const void *last;  /* who took the mutex last, */
    uint64_t in_row, wanted; /* how often in a row, and how often it takes to be the favourite; 0: never */
    bool may_favour;
    struct favour favours[FAVOURITES];
};

/* Where this byte is says which thread this is; a thread that comes after another's end may be taken for it, which does no
 * harm since the other is not inside. */
extern _Thread_local const char lock_anchor __attribute__((tls_model("initial-exec")));

/* A lock of zeros is free, gives no favours, and needs no memory of its own yet. */
void lock_allow_favours(struct lock *lock); /* by who is inside; again is nothing */
void lock_reset(struct lock *lock); /* free, whatever it was before: in a forked child */
void lock_enter_slowly(struct lock *lock);
void lock_leave_slowly(struct lock *lock);

static inline bool lock_try_favourite(struct lock *lock) {
    /* ORD(favour:seen) pairs ORD(favour:given): whose record it is. */
    struct favour *mine = atomic_load_explicit(&lock->favourite, memory_order_acquire);
    if (mine == NULL || mine->thread != &lock_anchor)
        return false;
    /* ORD(favour:enter) pairs ORD(favour:revoke), which makes the barrier: this store is before the look that follows in the
     * order of the program, and the other side makes that an order of memory. Nothing has to be acquired: nobody else was inside since
     * this thread became the favourite. */
    atomic_store_explicit(&mine->in, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&lock->favourite, memory_order_relaxed) == mine) {
        lock->by = mine;
        return true;
    }
    atomic_store_explicit(&mine->in, 0, memory_order_relaxed);
    return false;
}

static inline void lock_enter(struct lock *lock) {
    if (!lock_try_favourite(lock))
        lock_enter_slowly(lock);
}

static inline void lock_leave(struct lock *lock) {
    /* ORD(favour:leave) pairs ORD(favour:wait): who comes in after this sees what was done inside. */
    if (lock->by != NULL)
        atomic_store_explicit(&lock->by->in, 0, memory_order_release);
    else
        lock_leave_slowly(lock);
}

#endif
