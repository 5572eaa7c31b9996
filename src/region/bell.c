#include "region/bell.h"

#include <limits.h>

#include "region/plant.h"
#include "system/futex.h"

static void ring(const struct region *r, uint32_t berth, uint32_t worker) {
    _Atomic uint32_t *bell = bell_of(r, berth, worker);
    /* ORD(bell:ring) pairs ORD(bell:heard): who sees the new value sees the work that it was rung for, else it would
     * look in vain and sleep on the new value. */
    atomic_fetch_add_explicit(bell, 1, memory_order_release);
    futex_wake(bell, INT_MAX);
}

/* Take the lowest idle bit: low berths first keeps few processes warm instead of many. The look is
 * ORD(bell:sleepers)'s; the taking needs no order of its own, the ring that follows has one. */
static bool take_idle(const struct region *r, uint32_t *bit) {
    for (uint32_t i = 0; i < r->g.idle_words; i++) {
        uint64_t bits = atomic_load_explicit(idle_word(r, i), memory_order_seq_cst);
        while (bits != 0) {
            uint32_t low = (uint32_t)__builtin_ctzll(bits);
            uint64_t before = atomic_fetch_and_explicit(idle_word(r, i), ~(1ull << low), memory_order_seq_cst);
            *bit = i * 64 + low;
            if ((before >> low & 1) != 0 && *bit < r->g.berths * r->g.workers_per_host)
                return true;
            bits = before & ~(1ull << low);
        }
    }
    return false;
}

bool bell_ring_one(const struct region *r) {
    uint32_t bit;
    if (!take_idle(r, &bit))
        return false;
    ring(r, bit / r->g.workers_per_host, bit % r->g.workers_per_host);
    return true;
}

void bell_ring_idle(const struct region *r, uint64_t most) {
    uint32_t bit;
    for (; most != 0 && take_idle(r, &bit); most--)
        ring(r, bit / r->g.workers_per_host, bit % r->g.workers_per_host);
}

static bool anybody_searches(const struct region *r) {
    for (uint32_t i = 0; i < r->g.idle_words; i++)
        if (atomic_load_explicit(searching_word(r, i), memory_order_relaxed) != 0)
            return true;
    return false;
}

/* Both are hints here: who is taken for one that is neither is rung in vain. ORD(bell:sleepers), ORD(bell:searchers) */
bool bell_is_seen(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t bit = berth * r->g.workers_per_host + worker;
    uint64_t bits = atomic_load_explicit(idle_word(r, bit / 64), memory_order_relaxed) |
                    atomic_load_explicit(searching_word(r, bit / 64), memory_order_relaxed);
    return (bits >> bit % 64 & 1) != 0;
}

static bool is_covered(const struct region *r) {
    if (atomic_load_explicit(&claims_head(r)->brisk, memory_order_relaxed) == 0)
        return false;
    /* ORD(bell:covered) pairs ORD(bell:resign): the work is visible before this look at the deputy, who otherwise might
     * have looked for work already: nobody would be woken. The owner's push may be still on its way; then the deputy makes
     * the barrier, see bell.h. */
    return atomic_load_explicit(&claims_head(r)->deputy, memory_order_seq_cst) != 0;
}

/* Who stops searching goes on to run what it found as a rule, and makes no barrier for the owner: so that one is made here,
 * where nobody covers and somebody sleeps. */
bool bell_call_idle(const struct region *r) {
    if (is_covered(r))
        return false;
    /* ORD(bell:searchers) pairs ORD(bell:stop): the work is visible before the look who searches. Who is still seen
     * searching looks for work once more when it has stopped. */
    if (!PLANTED(PLANT_NO_FENCE_FOR_SEARCHERS))
        atomic_thread_fence(memory_order_seq_cst);
    return !anybody_searches(r) && bell_ring_one(r);
}

/* Like ORD(bell:resign), but nothing hangs on it: from here on it looks for work at least once more. */
bool bell_become_deputy(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t nobody = 0;
    return atomic_load_explicit(&claims_head(r)->brisk, memory_order_relaxed) != 0 &&
           atomic_compare_exchange_strong(&claims_head(r)->deputy, &nobody, berth * r->g.workers_per_host + worker + 1);
}

/* ORD(bell:resign) pairs ORD(bell:covered): a full barrier before the look for work that follows. */
void bell_resign(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t me = berth * r->g.workers_per_host + worker + 1;
    (void)atomic_compare_exchange_strong(&claims_head(r)->deputy, &me, 0);
}

void bell_note_pace(const struct region *r, bool brisk) {
    if (atomic_load_explicit(&claims_head(r)->brisk, memory_order_relaxed) != brisk)
        atomic_store_explicit(&claims_head(r)->brisk, brisk, memory_order_relaxed);
}

void bell_note_silence(const struct region *r) {
    if (!anybody_searches(r))
        bell_note_pace(r, false);
}

bool bell_start_search(const struct region *r, uint32_t berth, uint32_t worker) {
    if (anybody_searches(r))
        return false;
    uint32_t bit = berth * r->g.workers_per_host + worker;
    /* Not ordered against anything: who overlooks this bit wakes one worker too many. ORD(bell:searchers) */
    atomic_fetch_or_explicit(searching_word(r, bit / 64), 1ull << bit % 64, memory_order_seq_cst);
    return true;
}

void bell_stop_search(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t bit = berth * r->g.workers_per_host + worker;
    uint64_t mask = 1ull << bit % 64;
    if ((atomic_load_explicit(searching_word(r, bit / 64), memory_order_relaxed) & mask) == 0)
        return;
    /* ORD(bell:stop) pairs ORD(bell:searchers): before the last look for work, ORD(queue:look). */
    atomic_fetch_and_explicit(searching_word(r, bit / 64), ~mask, memory_order_seq_cst);
}

void bell_ring_worker(const struct region *r, uint32_t berth, uint32_t worker) { ring(r, berth, worker); }

void bell_ring_berth(const struct region *r, uint32_t berth) {
    for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++)
        ring(r, berth, worker);
}

void bell_ring_all(const struct region *r) {
    /* As if it had resigned, ORD(bell:resign), for a deputy that may be dead; all that live look after this ring. */
    if (!PLANTED(PLANT_DEPUTY_STAYS))
        atomic_store(&claims_head(r)->deputy, 0);
    for (uint32_t berth = 0; berth < r->g.berths; berth++)
        if (atomic_load_explicit(&berth_of(r, berth)->life, memory_order_relaxed) != NO_LIFE)
            bell_ring_berth(r, berth);
}

void bell_say_idle(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t bit = berth * r->g.workers_per_host + worker;
    /* ORD(bell:sleep) pairs ORD(bell:sleepers): a full barrier before the last look for work, which is
     * ORD(queue:look). */
    atomic_fetch_or_explicit(idle_word(r, bit / 64), 1ull << bit % 64, memory_order_seq_cst);
}

/* A bit that is seen for too long costs a wake-up in vain, one that was taken meanwhile nothing: ORD(bell:sleep) */
void bell_say_busy(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t bit = berth * r->g.workers_per_host + worker;
    uint64_t mask = 1ull << bit % 64;
    if ((atomic_load_explicit(idle_word(r, bit / 64), memory_order_relaxed) & mask) != 0)
        atomic_fetch_and_explicit(idle_word(r, bit / 64), ~mask, memory_order_seq_cst);
}
