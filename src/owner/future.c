/* future.c - waiting for one task, looking at it, taking it back, letting go of it */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "owner/seat.h"
#include "region/recover.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/why.h"

/* ORD(*) cancelling is one swap that decides by itself; the rest looks without acting on it. */

static inline void tell(struct pool *pool, uint32_t slot, mortal_verdict *verdict) {
    if (verdict == NULL)
        return;
    ledger_tell(pool, slot, verdict);
    verdict->future = seat_future(pool, slot);
}

static int explain_wait(int error, const char *call) {
    switch (error) {
    case -ETIMEDOUT:
        return why(error, "%s: the task has not ended within the time-out", call);
    case -EINTR:
        return why(error, "%s: a signal handler ran; call again to wait on", call);
    case -ESHUTDOWN:
        return why(error, "%s: another thread is closing the pool", call);
    default:
        return error;
    }
}

/* With the lock before and after. On failure nothing has changed. */
static int await_end(struct pool *pool, uint32_t slot, uint64_t timeout_ns, const char *call) {
    uint64_t life = pool->entries[slot].life;
    int error = watch_task(pool, slot, life, timeout_ns == 0 ? 0 : clock_after(timeout_ns), WATCH_END_OR_BREAKER);
    if (error == 0 && pool->entries[slot].life != life)
        return why(-ESTALE, "%s: another thread released this future meanwhile", call);
    if (error == -EHOSTDOWN)
        return breaker_refuse(pool, call);
    return explain_wait(error, call);
}

static __attribute__((noinline)) int wait_on(struct pool *pool, uint32_t slot, uint64_t timeout_ns,
                                             mortal_verdict *verdict) {
    int error = await_end(pool, slot, timeout_ns, "mortal_future_wait");
    if (error == 0)
        tell(pool, slot, verdict);
    seat_unlock(pool);
    return error;
}

/* As a rule it has ended, or is about to, and nothing else is in the way. */
int mortal_future_wait(mortal_future future, uint64_t timeout_ns, mortal_verdict *verdict) {
    uint32_t slot = (uint32_t)future.place;
    struct pool *pool = seat_try_future(future);
    if (pool == NULL) {
        int error = seat_enter_future_slowly(future, "mortal_future_wait", &pool, &slot);
        if (error != 0)
            return error;
    }
    if (!ledger_harvest(pool, slot))
        return wait_on(pool, slot, timeout_ns, verdict);
    tell(pool, slot, verdict);
    seat_unlock(pool);
    return 0;
}

#define COPY_WITHOUT_LOCK_BYTES 65536u

/* So large that others shall not wait for it. The memory stays mapped until the pool is closed, which waits; whoever
 * releases the future meanwhile lets a host write there: then the copy is dropped. */
static __attribute__((noinline)) int copy_without_lock(struct pool *pool, uint32_t slot, void *to) {
    const struct entry *entry = &pool->entries[slot];
    uint64_t life = entry->life, bytes = entry->result_bytes;
    const void *from = entry->result;
    watch_stay(pool);
    seat_unlock(pool);
    memcpy(to, from, bytes);
    watch_leave(pool);
    if (pool_is_closed_to_me(pool))
        return explain_wait(-ESHUTDOWN, "mortal_future_take");
    return entry->life == life ? 0 : why(-ESTALE, "mortal_future_take: another thread released this future meanwhile");
}

/* It has ended. As it goes: nothing, or a number. */
static inline int take_result(struct pool *pool, uint32_t slot, void *to, size_t room) {
    const struct entry *entry = &pool->entries[slot];
    uint64_t bytes = entry->result_bytes;
    if (bytes == 0 || to == NULL)
        return 0;
    if (bytes > room)
        return -EMSGSIZE;
    if (bytes > COPY_WITHOUT_LOCK_BYTES)
        return copy_without_lock(pool, slot, to);
    if (bytes == sizeof(uint64_t))
        memcpy(to, entry->result, sizeof(uint64_t));
    else
        memcpy(to, entry->result, bytes);
    return 0;
}

static __attribute__((noinline)) int refuse_room(const struct pool *pool, uint32_t slot, size_t room) {
    return why(-EMSGSIZE, "mortal_future_take: the result is %llu bytes and there is room for %zu: call again with "
                          "more, or read it where it is and release the future",
               (unsigned long long)pool->entries[slot].result_bytes, room);
}

int mortal_future_take(mortal_future future, uint64_t timeout_ns, mortal_verdict *verdict, void *result,
                       size_t result_bytes) {
    uint32_t slot = (uint32_t)future.place;
    if (result == NULL && result_bytes != 0)
        return why(-EINVAL, "mortal_future_take: result is null and its size %zu", result_bytes);
    int error = 0;
    struct pool *pool = seat_try_future(future);
    if (pool == NULL) {
        error = seat_enter_future_slowly(future, "mortal_future_take", &pool, &slot);
        if (error != 0)
            return error;
    }
    if (!ledger_harvest(pool, slot))
        error = await_end(pool, slot, timeout_ns, "mortal_future_take");
    if (error == 0)
        error = take_result(pool, slot, result, result_bytes);
    if (error == 0 || error == -EMSGSIZE)
        tell(pool, slot, verdict);
    if (error == -EMSGSIZE)
        error = refuse_room(pool, slot, result_bytes);
    if (error == 0) {
        if (verdict != NULL && verdict->result != NULL) { /* not a view any more */
            verdict->result = result;
            verdict->result_bytes = result != NULL ? verdict->result_bytes : 0;
        }
        ledger_release(pool, slot);
    }
    seat_unlock(pool);
    return error;
}

int mortal_future_look(mortal_future future, mortal_look *look) {
    struct pool *pool;
    uint32_t slot;
    if (look == NULL)
        return why(-EINVAL, "mortal_future_look: look is null");
    int error = seat_enter_future(future, "mortal_future_look", &pool, &slot);
    if (error != 0)
        return error;
    mortal_look seen = {.phase = MORTAL_PENDING};
    (void)watch_supervisor(pool);
    if (ledger_harvest(pool, slot)) {
        const struct entry *entry = &pool->entries[slot];
        seen = (mortal_look){.phase = MORTAL_ENDED, .outcome = entry->outcome, .attempt = entry->attempts};
    } else {
        const struct region *r = pool->region;
        uint64_t word = atomic_load(claim_of(r, slot));
        if (phase_is_running(word_phase(word))) {
            seen.phase = MORTAL_RUNNING;
            seen.attempt = care_attempts(care_of(r, slot)) + 1;
            for (uint32_t i = 0; i < r->g.berths; i++)
                if (atomic_load(&berth_of(r, i)->life) == word_life(word))
                    seen.host = atomic_load(&berth_of(r, i)->pid);
            if (word_life(word) < r->g.lives && word_worker(word) < r->g.workers_per_host)
                (void)progress_read(notes_of(r, word_life(word), word_worker(word)),
                                    word_with_phase(word, SLOT_RUNNING), slot, &seen.done, &seen.total);
        }
    }
    *look = seen;
    seat_unlock(pool);
    return 0;
}

bool future_try_cancel(struct pool *pool, uint32_t slot) {
    const struct entry *entry = &pool->entries[slot];
    _Atomic uint64_t *claim = claim_of(pool->region, slot);
    uint64_t word = atomic_load(claim);
    if (word_phase(word) != SLOT_PENDING || word_generation(word) != (entry->life & GENERATION_MASK))
        return false;
    if (!atomic_compare_exchange_strong(claim, &word, word_with_phase(word, SLOT_CANCELLED)))
        return false; /* a worker was faster */
    ledger_end(pool, slot, MORTAL_CANCELLED);
    /* Another thread may sleep on the word: no worker will ever wake it for this task. */
    if (atomic_load(&order_of(pool->region, slot)->watched) != 0)
        futex_wake(word_futex(claim), INT_MAX);
    return true;
}

int mortal_future_cancel(mortal_future future) {
    struct pool *pool;
    uint32_t slot;
    int error = seat_enter_future(future, "mortal_future_cancel", &pool, &slot);
    if (error != 0)
        return error;
    if (ledger_harvest(pool, slot))
        error = why(-EALREADY, "mortal_future_cancel: the task has ended: %s",
                    mortal_outcome_name(pool->entries[slot].outcome));
    else if (!future_try_cancel(pool, slot))
        error = ledger_harvest(pool, slot)
                    ? why(-EALREADY, "mortal_future_cancel: the task has ended")
                    : why(-EBUSY, "mortal_future_cancel: the task is running: mortal_future_kill ends it");
    else
        group_ring(pool, slot);
    seat_unlock(pool);
    return error;
}

int mortal_future_release(mortal_future future) {
    uint32_t slot = (uint32_t)future.place;
    struct pool *pool = seat_try_future(future);
    if (pool == NULL) {
        int error = seat_enter_future_slowly(future, "mortal_future_release", &pool, &slot);
        if (error != 0)
            return error;
    }
    uint64_t life = pool->entries[slot].life;
    ledger_release(pool, slot);
    if (pool->entries[slot].life == life) /* it has not ended */
        stream_leave(pool, slot);
    seat_unlock(pool);
    return 0;
}

/* Of a task that did not return, its host is dead. */
static bool ended_by_death(int outcome) {
    return outcome != MORTAL_DONE && outcome != MORTAL_FAILED && outcome != MORTAL_LOST;
}

/* Ask, wait, decide, wait. What the kill met is in the verdict. */
static int end_one(struct pool *pool, uint32_t slot, uint64_t grace_ns, uint64_t timeout_ns, uint64_t *deadline_ns) {
    struct entry *entry = &pool->entries[slot];
    uint64_t life = entry->life;
    if (ledger_harvest(pool, slot))
        return 0;
    if (future_try_cancel(pool, slot)) {
        group_ring(pool, slot);
        return 0;
    }
    if (grace_ns != 0) {
        ask_to_stop(pool, slot);
        int error = watch_task(pool, slot, life, clock_after(grace_ns), WATCH_END);
        if (error != 0 && error != -ETIMEDOUT)
            ask_give_up(pool, slot, life);
        *deadline_ns = clock_after(timeout_ns);
        if (error != -ETIMEDOUT)
            return error;
    }
    if (!watch_supervisor(pool))
        return 0; /* everything unended has just been declared lost */
    (void)request_send(pool, REQUEST_KILL_TASK, slot, (uint32_t)life, 0, 0);
    int error = watch_task(pool, slot, life, *deadline_ns, WATCH_END);
    return error == -ETIMEDOUT ? -EINPROGRESS : error;
}

#define TREE_IS_LEFT (-ECHILD) /* the task has ended, and something that it started has not */

static int kill_one(struct pool *pool, uint32_t slot, uint64_t grace_ns, uint64_t timeout_ns) {
    uint64_t life = pool->entries[slot].life, deadline = clock_after(timeout_ns);
    int error = end_one(pool, slot, grace_ns, timeout_ns, &deadline);
    if (error != 0 || pool->entries[slot].life != life || !ended_by_death(pool->entries[slot].outcome))
        return error;
    error = trees_await(pool, deadline);
    return error == -ETIMEDOUT ? TREE_IS_LEFT : error;
}

int mortal_future_kill(mortal_future future, uint64_t grace_ns, uint64_t timeout_ns, mortal_verdict *verdict) {
    struct pool *pool;
    uint32_t slot;
    int error = seat_enter_future(future, "mortal_future_kill", &pool, &slot);
    if (error != 0)
        return error;
    uint64_t life = pool->entries[slot].life;
    error = kill_one(pool, slot, grace_ns, timeout_ns);
    if (error == 0 && pool->entries[slot].life != life)
        error = why(-ESTALE, "mortal_future_kill: another thread released this future meanwhile");
    if (error == 0)
        tell(pool, slot, verdict);
    seat_unlock(pool);
    if (error == -EINPROGRESS)
        return why(error, "mortal_future_kill: the kernel has not ended the task's host yet, or what the task left to be "
                          "done is not over; its future ends when both are");
    if (error == TREE_IS_LEFT)
        return why(-EINPROGRESS, "mortal_future_kill: the task has ended, and processes that it had started were not all "
                                 "gone when the time-out was over; mortal_future_wait tells its verdict");
    if (error == -EINTR)
        return why(error, "mortal_future_kill: a signal handler ran; if that was during the grace the task was only asked: "
                          "call again");
    return explain_wait(error, "mortal_future_kill");
}
