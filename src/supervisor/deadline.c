/*
 * deadline.c - time limits, enforced from outside
 *
 * A task with a deadline costs its worker one stamp and no system call: nobody arms a timer. The supervisor sleeps until
 * the earliest deadline of what runs, or until the shortest deadline of what waits could be due if it started right now.
 * Soft deadlines are kept in the same way.
 */
#include "supervisor/state.h"
#include "system/clock.h"

/* ORD(*) the plain atomics here look at words that condemn()'s swap then decides. */

#define SCAN_PAUSE_NS 1000000ull /* expiry scans look at every slot: at most one a millisecond */

static uint64_t min_ns(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* When did it start? Until it has begun, the stamp is an earlier task's. And it is in memory that the task can write, so it
 * is believed only if it is not later than the first time that the supervisor saw the task running. That of a map's runner
 * moves on with each item. */
static uint64_t started_at(struct watch *watch, uint32_t slot, uint64_t word, const struct desk *desk, uint64_t now,
                           bool restamped) {
    if (watch->word != word || watch->seen_slot != slot) {
        watch->word = word;
        watch->seen_slot = slot;
        watch->seen_ns = now;
    }
    if (atomic_load(&desk->begun) != word) /* ORD(desk:begun): the stamp comes before */
        return watch->seen_ns;
    uint64_t stamp = atomic_load(&desk->started_ns);
    if (restamped && stamp <= now && stamp > watch->seen_ns)
        watch->seen_ns = stamp;
    return stamp != 0 && stamp < watch->seen_ns ? stamp : watch->seen_ns;
}

static uint64_t after(uint64_t start, uint64_t duration) { return duration < NEVER - start ? start + duration : NEVER; }

/* A soft deadline only asks. Returns when it is due. */
static uint64_t check_soft(struct supervisor *s, uint32_t berth, uint32_t slot, uint64_t word, uint64_t started,
                           uint64_t now) {
    const struct care *care = care_of(s->region, slot);
    uint64_t limit = atomic_load_explicit(&care->soft_deadline_ns, memory_order_relaxed);
    if (limit == 0 || atomic_load(&care->told) == word)
        return NEVER;
    uint64_t due = after(started, limit);
    if (now < due)
        return due;
    ask_softly(s, berth, slot, word);
    return NEVER;
}

/* Until when a limit that is over waits for the end of a critical section; 0: no longer. */
static uint64_t held_until(struct supervisor *s, uint32_t berth, uint32_t worker, uint32_t slot, uint64_t word,
                           uint64_t limit, uint64_t now) {
    uint64_t most = after(limit, atomic_load_explicit(&care_of(s->region, slot)->shield_ns, memory_order_relaxed));
    return now < most && ask_waits_for_section(s, berth, worker, slot, word) ? most : 0;
}

static uint64_t check_worker(struct supervisor *s, uint32_t berth, uint32_t worker, uint64_t now) {
    const struct region *r = s->region;
    struct host_record *record = &s->hosts[berth];
    struct desk *desk = desk_of(r, record->life, worker);
    uint32_t intent = atomic_load(&desk->intent);
    if (intent == 0 || intent > r->g.slots)
        return NEVER;
    uint32_t slot = intent - 1;
    uint64_t word = atomic_load(claim_of(r, slot));
    if (word_phase(word) != SLOT_RUNNING || word_life(word) != record->life || word_worker(word) != worker)
        return NEVER;
    struct order *order = order_of(r, slot);
    uint32_t flags = atomic_load_explicit(&order->flags, memory_order_relaxed);
    if ((flags & (ORDER_STAMPED | ORDER_EXPIRES)) == 0)
        return NEVER;
    uint64_t started = started_at(&record->watches[worker], slot, word, desk, now, (flags & ORDER_RESTAMPED) != 0);
    uint64_t deadline = atomic_load_explicit(&order->deadline_ns, memory_order_relaxed);
    uint64_t due = deadline == 0 ? NEVER : after(started, deadline);
    uint64_t expiry = (flags & ORDER_EXPIRES) != 0 ? atomic_load(&order->expires_at_ns) : NEVER;
    uint64_t limit = min_ns(due, expiry), held = 0;
    if (now < limit)
        return (flags & ORDER_SOFT) != 0 ? min_ns(limit, check_soft(s, berth, slot, word, started, now)) : limit;
    if ((flags & ORDER_SOFT) != 0)
        held = held_until(s, berth, worker, slot, word, limit, now);
    if (held != 0)
        return held;
    if (now >= expiry)
        condemn_since(s, slot, word_generation(word), SENTENCE_WITHIN, expiry);
    else
        condemn_since(s, slot, word_generation(word), SENTENCE_DEADLINE, due);
    return NEVER;
}

static uint64_t check_pending(struct supervisor *s, uint64_t now) {
    const struct region *r = s->region;
    struct control_head *control = control_head(r);
    uint64_t floor = atomic_load(&control->expiry_floor_ns);
    if (floor > now)
        return floor;
    if (now < s->expiry_scan_after)
        return s->expiry_scan_after;
    s->expiry_scan_after = now + SCAN_PAUSE_NS;
    uint64_t next = NEVER;
    uint32_t known = atomic_load(&control->slots_known);
    for (uint32_t slot = 0; slot < known && slot < r->g.slots; slot++) {
        uint64_t word = atomic_load(claim_of(r, slot));
        if (word_phase(word) != SLOT_PENDING && !phase_is_running(word_phase(word)))
            continue;
        struct order *order = order_of(r, slot);
        if ((atomic_load_explicit(&order->flags, memory_order_relaxed) & ORDER_EXPIRES) == 0)
            continue;
        uint64_t expiry = atomic_load(&order->expires_at_ns);
        if (word_phase(word) == SLOT_PENDING && now >= expiry)
            condemn(s, slot, word_generation(word), SENTENCE_WITHIN);
        else if (expiry > now)
            next = min_ns(next, expiry);
    }
    /* If the owner lowered it meanwhile, what it lowered it to stands. */
    atomic_compare_exchange_strong(&control->expiry_floor_ns, &floor, next);
    return next;
}

/* Anything with a deadline that starts from now on is due at now + floor at the earliest: while something waits, be awake
 * then. While nothing waits, sleep on, and say so: a submit with a limit then rings. */
static uint64_t next_unknown(struct supervisor *s, uint64_t now) {
    struct control_head *control = control_head(s->region);
    /* ORD(deadline:blind) pairs ORD(submit:blind): a full barrier before the last look. */
    atomic_store(&control->blind, 1);
    if (!audit_finds_pending(s))
        return NEVER;
    atomic_store(&control->blind, 0);
    uint64_t floor = atomic_load(&control->deadline_floor_ns);
    return floor < NEVER - now ? now + floor : NEVER;
}

uint64_t deadline_check(struct supervisor *s, uint64_t now) {
    struct control_head *control = control_head(s->region);
    /* What waits first, what runs second: a task that is claimed in between is seen running. */
    uint64_t next = next_unknown(s, now);
    if (atomic_load(&control->limits_unended) == 0)
        return NEVER;
    next = min_ns(next, check_pending(s, now));
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++) {
        struct host_record *record = &s->hosts[berth];
        if (!host_works(record))
            continue;
        for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++)
            next = min_ns(next, check_worker(s, berth, worker, now));
    }
    return next;
}
