/*
 * watch.c - waiting in the owner, without a thread of its own
 *
 * Every sleep is on two words: what is waited for, and the supervisor's robust word, which the kernel changes when the
 * supervisor dies. The kernel wakes only one sleeper then, who declares the rest lost and wakes the others. No sleep is
 * longer than half a second all the same: against a kernel that cannot wait for two words, and words that a task gone
 * wild overwrote.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <unistd.h>

#include "owner/seat.h"
#include "system/clock.h"
#include "system/futex.h"

#define LOOK_AROUND_NS 500000000ull

/* ORD(*) after the supervisor's death nothing is fast, and all swaps decide by themselves. */
static void declare_lost(struct pool *pool) {
    struct region *r = pool->region;
    pool->broken = true;
    for (uint32_t slot = 0; slot < pool->slots_used; slot++) {
        struct entry *entry = &pool->entries[slot];
        if (entry->state != ENTRY_LIVE || ledger_harvest(pool, slot))
            continue;
        /* A host may still be publishing in its last instant: this swap decides, and whoever loses it is not believed. */
        uint64_t word = atomic_load(claim_of(r, slot));
        while (!phase_has_ended(word_phase(word)) &&
               !atomic_compare_exchange_weak(claim_of(r, slot), &word,
                                             word_make((uint32_t)entry->life, SLOT_LOST, 0, 0))) {
        }
        if (phase_is_running(word_phase(word)))
            entry->answered = word; /* what it gave until then can be taken */
        if (!ledger_harvest(pool, slot))
            ledger_end(pool, slot, MORTAL_LOST);
    }
    for (uint32_t i = 0; i < GROUPS_MAX; i++)
        if (pool->groups[i] != NULL)
            futex_wake(&claims_head(r)->group_bell[i], INT_MAX);
    futex_wake(&control_head(r)->supervisor_lives, INT_MAX);
}

bool watch_supervisor(struct pool *pool) {
    if (pool->broken)
        return false;
    if (pool->supervisor_fd < 0)
        return true; /* in tests hosts are threads, and there is none */
    bool died = (atomic_load(&control_head(pool->region)->supervisor_lives) & FUTEX_OWNER_DIED) != 0;
    /* The word is in memory; the kernel knows. */
    if (died && process_pidfd_wait(pool->supervisor_fd, clock_after(100000000u)))
        declare_lost(pool);
    else if (!died && process_pidfd_dead(pool->supervisor_fd))
        declare_lost(pool);
    return !pool->broken;
}

void watch_stay(struct pool *pool) { pool->sleepers++; }

/* ORD(*) closing looks again under the lock. */
void watch_leave(struct pool *pool) {
    seat_lock(pool);
    if (--pool->sleepers == 0 && pool->closing) {
        atomic_fetch_add(&pool->left, 1);
        futex_wake(&pool->left, INT_MAX);
    }
}

int watch_sleep(struct pool *pool, const struct waiting *on) {
    const _Atomic uint32_t *lives = &control_head(pool->region)->supervisor_lives;
    uint32_t alive = atomic_load(lives);
    bool lost = pool->broken;
    uint64_t around = clock_after(LOOK_AROUND_NS);
    uint64_t until = on->deadline_ns < around ? on->deadline_ns : around;
    watch_stay(pool);
    seat_unlock(pool);
    bool watches = !lost && (alive & FUTEX_OWNER_DIED) == 0;
    const struct futex_want wants[] = {{on->word, on->value}, {on->also, on->also_value}, {lives, alive}};
    int outcome = on->also != NULL ? futex_wait_any(wants, watches ? 3 : 2, until)
                  : watches        ? futex_wait_either(on->word, on->value, lives, alive, until)
                                   : futex_wait(on->word, on->value, until);
    watch_leave(pool);
    if (pool_is_closed_to_me(pool))
        return -ESHUTDOWN;
    if (outcome == -EINTR)
        return -EINTR;
    if (outcome == -ETIMEDOUT) {
        /* It sleeps only while nothing waits or runs, as far as it can see, and that may have been overwritten. */
        if (atomic_load(&control_head(pool->region)->asleep) != 0 &&
            atomic_exchange(&control_head(pool->region)->asleep, 0) != 0)
            watch_ring_supervisor(pool);
        (void)watch_supervisor(pool);
        return clock_ns() >= on->deadline_ns ? -ETIMEDOUT : 0;
    }
    if ((atomic_load(lives) & FUTEX_OWNER_DIED) != 0)
        (void)watch_supervisor(pool);
    return 0;
}

#define PENDING_SPIN_US 2u

/* Spinning needs no lock either, and the pool must not go away meanwhile. While the task still waits, its worker is busy
 * or was just woken, and either takes longer than it pays to spin; once it runs it may be over at any moment. */
static void spin_for(struct pool *pool, uint32_t slot) {
    const _Atomic uint64_t *claim = claim_of(pool->region, slot);
    struct spin pending = {.limit_us = PENDING_SPIN_US}, running = {.limit_us = pool->spin_us};
    bool has_rung = pool->has_rung;
    pool->has_rung = false;
    watch_stay(pool);
    seat_unlock(pool);
    enum slot_phase phase;
    /* A worker takes microseconds to wake, and the kernel likes to wake it on this very processor. */
    if (has_rung && word_phase(atomic_load_explicit(claim, memory_order_relaxed)) == SLOT_PENDING)
        spin_give_way();
    do { /* a hint: ORD(harvest) reads it again */
        phase = word_phase(atomic_load_explicit(claim, memory_order_acquire));
    } while (!phase_has_ended(phase) && spin_turn(phase == SLOT_PENDING ? &pending : &running));
    watch_leave(pool);
}

static bool is_over(struct pool *pool, uint32_t slot, uint64_t life) {
    return pool->entries[slot].life != life || ledger_harvest(pool, slot);
}

static bool waits_for_breaker(const struct pool *pool, uint32_t slot) {
    return breaker_is_open(pool->region) && word_phase(atomic_load(claim_of(pool->region, slot))) == SLOT_PENDING;
}

int watch_task(struct pool *pool, uint32_t slot, uint64_t life, uint64_t deadline_ns, enum watch_for what) {
    if (is_over(pool, slot, life))
        return 0;
    if (what == WATCH_END_OR_BREAKER && waits_for_breaker(pool, slot) && watch_supervisor(pool))
        return -EHOSTDOWN;
    if (deadline_ns == 0)
        return is_over(pool, slot, life) ? 0 : -ETIMEDOUT;
    spin_for(pool, slot);
    while (!pool_is_closed_to_me(pool)) {
        if (is_over(pool, slot, life))
            return 0;
        if (what == WATCH_END_OR_BREAKER && waits_for_breaker(pool, slot) && watch_supervisor(pool))
            return -EHOSTDOWN;
        struct order *order = order_of(pool->region, slot);
        /* ORD(watch:sleep) pairs ORD(watch:seen): the flag is visible before the look at the word. */
        atomic_fetch_or(&order->watched, WATCHED_END);
        /* ORD(watch:look) pairs ORD(publish): the value that is slept on. */
        uint64_t word = atomic_load(claim_of(pool->region, slot));
        if (is_over(pool, slot, life))
            return 0;
        struct waiting on = {.word = word_futex(claim_of(pool->region, slot)), .value = word_upper(word),
                             .deadline_ns = deadline_ns};
        uint64_t since = clock_ns();
        int outcome = watch_sleep(pool, &on);
        pool->spin_us = spin_learn(pool->spin_us, clock_ns() - since);
        if (outcome == -ETIMEDOUT && is_over(pool, slot, life))
            return 0;
        if (outcome != 0)
            return outcome;
    }
    return -ESHUTDOWN;
}
