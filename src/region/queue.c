#include "region/queue.h"

#include <string.h>

#include "region/plant.h"
#include "system/clock.h"

/* ORD(claim:look) pairs ORD(submit): who finds the task pending sees its order, of which more is read before the
 * claim. */
static bool entry_is_pending(const struct region *r, uint64_t entry, uint64_t *word) {
    uint32_t slot = (uint32_t)entry;
    if (slot >= r->g.slots)
        return false;
    *word = atomic_load_explicit(claim_of(r, slot), memory_order_acquire);
    return word_phase(*word) == SLOT_PENDING &&
           (word_generation(*word) == (uint32_t)(entry >> 32) || PLANTED(PLANT_GENERATION_UNCHECKED));
}

static bool is_possible(const struct region *r, uint64_t head, uint64_t tail) {
    return head <= tail && tail - head <= r->g.ring_entries;
}

/* A task gone wild may have overwritten the cursor, and since it only ever moves forward nobody else would mend it: a
 * cursor beyond the end would look like an empty queue for ever. Back to the oldest place there can be, then; what is
 * passed over twice is only looked at twice. */
static uint64_t mend_head(const struct region *r, enum lane lane) {
    _Atomic uint64_t *cursor = lane_head(r, lane);
    /* In this order, or a tail from before that head makes a good cursor look impossible: ORD(queue:room) */
    uint64_t head = atomic_load_explicit(cursor, memory_order_seq_cst);
    uint64_t tail = atomic_load_explicit(lane_tail(r, lane), memory_order_seq_cst); /* after the head: not older */
    if (is_possible(r, head, tail))
        return head;
    uint64_t oldest = tail > r->g.ring_entries ? tail - r->g.ring_entries : 0;
    (void)atomic_compare_exchange_strong(cursor, &head, oldest);
    return oldest;
}

/* Never beyond that tail, nor further behind it than the ring is long. */
static inline uint64_t sane_head(const struct region *r, enum lane lane, uint64_t tail) {
    /* ORD(queue:room) pairs ORD(queue:advance): a submitter's wish for room is visible before this look at the
     * cursor. */
    uint64_t head = atomic_load_explicit(lane_head(r, lane), memory_order_seq_cst);
    if (is_possible(r, head, tail))
        return head;
    head = mend_head(r, lane);
    return head > tail ? tail : head;
}

uint64_t queue_length_of(const struct region *r, enum lane lane) {
    /* ORD(queue:length) pairs ORD(queue:push) and ORD(queue:push-heavy): the supervisor says that it will sleep before it looks here. */
    uint64_t tail = atomic_load_explicit(lane_tail(r, lane), memory_order_seq_cst);
    return tail - sane_head(r, lane, tail);
}

uint64_t queue_length(const struct region *r) {
    return queue_length_of(r, LANE_NORMAL) + queue_length_of(r, LANE_HIGH) + queue_length_of(r, LANE_LOW);
}

uint64_t queue_head(const struct region *r, enum lane lane) {
    return sane_head(r, lane, atomic_load_explicit(lane_tail(r, lane), memory_order_relaxed));
}

bool queue_has_room(const struct region *r) { return queue_length(r) < r->g.ring_entries; }

enum lane queue_place(struct region *r, uint32_t slot) {
    enum lane lane = lane_of(r, slot);
    queue_set_place(r, slot, lane, atomic_load_explicit(lane_tail(r, lane), memory_order_relaxed));
    return lane;
}

/* Workers look at the other lanes only if something was put there since they found both empty. */
static void push_aside(struct region *r, enum lane lane, uint32_t slot, uint32_t generation) {
    _Atomic uint64_t *pushed = &control_head(r)->others_pushed;
    uint64_t count = atomic_load_explicit(pushed, memory_order_relaxed);
    queue_push_to(r, lane, slot, generation);
    /* ORD(lanes:told) pairs ORD(lanes:seen) and ORD(lanes:look): who sees the count sees the tail of that lane. Also a
     * full barrier before the looks for sleepers, as ORD(queue:push). */
    atomic_exchange_explicit(pushed, count + 1, memory_order_seq_cst);
}

void queue_enter(struct region *r, enum lane lane, uint32_t slot, uint32_t generation) {
    if (lane == LANE_NORMAL)
        queue_push_to(r, LANE_NORMAL, slot, generation);
    else
        push_aside(r, lane, slot, generation);
}

void queue_push(struct region *r, uint32_t slot, uint32_t generation) {
    queue_enter(r, queue_place(r, slot), slot, generation);
}

/* Move the cursor forward only, and at least to there: who loses the race to one that moves it less far tries again. A
 * cursor that lags behind what was claimed makes the queue look longer than it is, and nobody would ring for room. */
static inline void advance_head(const struct region *r, enum lane lane, uint64_t to) {
    _Atomic uint64_t *head = lane_head(r, lane);
    uint64_t seen = atomic_load_explicit(head, memory_order_relaxed);
    /* ORD(queue:advance) pairs ORD(queue:room): before the look for submitters that sleep for room, ORD(room:wanted). */
    while (seen < to && !atomic_compare_exchange_weak_explicit(head, &seen, to, memory_order_seq_cst,
                                                               memory_order_relaxed)) {
    }
}

static void compact(struct region *r, enum lane lane) {
    uint64_t tail = atomic_load_explicit(lane_tail(r, lane), memory_order_relaxed);
    uint64_t head = sane_head(r, lane, tail);
    uint64_t word;
    /* From the back: each pending entry is written to its later place before anything overwrites its earlier one. */
    uint64_t to = tail;
    /* What is moved is ordered as what is pushed, ORD(queue:reuse): who reads it where it was before has read it
     * already. */
    for (uint64_t from = tail; from > head;) {
        uint64_t entry = atomic_load_explicit(lane_entry(r, lane, --from), memory_order_relaxed);
        if (!entry_is_pending(r, entry, &word))
            continue;
        to--;
        if (to != from)
            atomic_store_explicit(lane_entry(r, lane, to), entry, memory_order_release);
        queue_set_place(r, (uint32_t)entry, lane, to);
    }
    advance_head(r, lane, to);
}

void queue_compact(struct region *r) {
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        compact(r, lane);
}

/* Not before its time is over, but never after: a task that expired must not start. */
static bool has_expired(struct order *order) {
    return (atomic_load_explicit(&order->flags, memory_order_relaxed) & ORDER_EXPIRES) != 0 &&
           clock_ns() >= atomic_load_explicit(&order->expires_at_ns, memory_order_relaxed);
}

static bool try_claim(const struct region *r, struct claimant *who, uint64_t entry, uint64_t *claimed) {
    uint64_t word;
    if (!entry_is_pending(r, entry, &word))
        return false;
    uint32_t slot = (uint32_t)entry;
    __builtin_prefetch(cell_of(r, who->life, slot), 1);
    if (has_expired(order_of(r, slot)))
        return false;
    uint64_t running = word_make(word_generation(word), SLOT_RUNNING, who->life, who->worker);
    /* The intent is there before the claim, so that whoever buries this host need not search all slots, and whoever
     * sees the claim, ORD(claim), and not the intent, takes it for a claim that nobody made. And of which task: the slot
     * may be another's by then, which waits in its turn. */
    atomic_store_explicit(&who->desk->wanted, entry, memory_order_relaxed);
    atomic_store_explicit(&who->desk->intent, slot + 1, memory_order_release);
    if (PLANTED(PLANT_CLAIM_THEN_RECORD))
        atomic_store_explicit(&who->desk->intent, 0, memory_order_release);
    /* ORD(claim) pairs ORD(death:look) and ORD(audit:claim): a full barrier before the look whether this host is
     * doomed, ORD(worker:doomed). */
    if (!atomic_compare_exchange_strong_explicit(claim_of(r, slot), &word, running, memory_order_seq_cst,
                                                 memory_order_relaxed))
        return false;
    if (PLANTED(PLANT_CLAIM_THEN_RECORD))
        atomic_store_explicit(&who->desk->intent, slot + 1, memory_order_release);
    *claimed = running;
    return true;
}

/* What was returned may stand in the ring too, where who claimed it first died before it moved the cursor: no claim from the
 * ring passes that place any more unless something waits behind it. */
static void pass_front(const struct region *r, enum lane lane) {
    /* As ORD(queue:claim): all that stands before this tail is seen, or a task that waits could look ended. */
    uint64_t tail = atomic_load_explicit(lane_tail(r, lane), memory_order_seq_cst);
    uint64_t at = sane_head(r, lane, tail), word;
    while (at < tail &&
           !entry_is_pending(r, atomic_load_explicit(lane_entry(r, lane, at), memory_order_acquire), &word))
        at++;
    advance_head(r, lane, at);
}

static uint32_t returned_count(const struct region *r) {
    /* As ORD(returned:seen) */
    uint32_t count = atomic_load_explicit(&control_head(r)->returned_count, memory_order_acquire);
    return count < RETURNED_ENTRIES ? count : RETURNED_ENTRIES;
}

/* What is passed in one version of the table waits no more, or is in the next one again. */
static bool claim_returned(const struct region *r, struct claimant *who, enum lane lane, uint32_t *slot, uint64_t *word) {
    for (uint32_t count = returned_count(r), *at = &who->table_at[lane]; *at < count; ++*at) {
        uint64_t entry = atomic_load_explicit(&control_head(r)->returned[*at], memory_order_relaxed);
        if (entry >> LANE_SHIFT != lane || !try_claim(r, who, entry & ((1ull << LANE_SHIFT) - 1), word))
            continue;
        *slot = (uint32_t)entry;
        pass_front(r, lane);
        return true;
    }
    return false;
}

/* The lines of the next task come from the owner's caches: while this task runs, if they are asked for now. */
static inline void expect(const struct region *r, const struct claimant *who, enum lane lane, uint64_t at, uint64_t tail) {
    uint32_t slot = (uint32_t)atomic_load_explicit(lane_entry(r, lane, at), memory_order_relaxed);
    if (at >= tail || slot >= r->g.slots)
        return;
    __builtin_prefetch(claim_of(r, slot), 1);
    __builtin_prefetch(order_of(r, slot), 0);
    __builtin_prefetch(cell_of(r, who->life, slot), 1);
}

/* For one lane that is known where it is called, the lane costs nothing. */
static inline __attribute__((always_inline)) bool claim_from(const struct region *r, struct claimant *who, enum lane lane,
                                                             uint64_t *tail_seen, uint32_t *slot, uint64_t *word) {
    /* A place to begin; a late value costs a few looks. Whom it lets read what is ORD(queue:still-valid)'s. */
    uint64_t head = atomic_load_explicit(lane_head(r, lane), memory_order_acquire);
    if (head >= *tail_seen || *tail_seen - head > r->g.ring_entries) {
        /* ORD(queue:claim) pairs ORD(queue:push) and ORD(queue:push-heavy) */
        *tail_seen = atomic_load_explicit(lane_tail(r, lane), memory_order_seq_cst);
        head = sane_head(r, lane, *tail_seen);
    }
    for (uint64_t at = head; at < *tail_seen; at++) {
        /* ORD(queue:still-valid) pairs ORD(queue:reuse): while the cursor has not passed this place, it holds what belongs
         * here; so the cursor is looked at after the entry was read, and not before. */
        uint64_t entry = atomic_load_explicit(lane_entry(r, lane, at), memory_order_acquire);
        /* Behind the cursor lie entries of a later lap and copies of what queue_compact() has moved on, and a worker
         * that was held up would take one of them ahead of all that waits before it. */
        uint64_t passed = atomic_load_explicit(lane_head(r, lane), memory_order_acquire);
        if (passed > at) {
            at = passed - 1;
            continue;
        }
        if (!try_claim(r, who, entry, word))
            continue;
        *slot = (uint32_t)entry;
        expect(r, who, lane, at + 1, *tail_seen);
        advance_head(r, lane, at + 1);
        return true;
    }
    advance_head(r, lane, *tail_seen);
    return false;
}

/* What was returned first. All that was put there before that count was told is looked at. */
static bool claim_in_lane(const struct region *r, struct claimant *who, enum lane lane, uint64_t pushed, uint32_t *slot,
                          uint64_t *word) {
    uint64_t tail = 0; /* none that was seen before: a lower lane would go first */
    if (claim_returned(r, who, lane, slot, word) ||
        ((lane == LANE_NORMAL || who->empty_seen[lane] != pushed) && claim_from(r, who, lane, &tail, slot, word)))
        return true;
    who->empty_seen[lane] = pushed;
    return false;
}

static bool claim_by_turn(const struct region *r, struct claimant *who, uint64_t pushed, uint32_t *slot, uint64_t *word) {
    static const enum lane downwards[LANES] = {LANE_HIGH, LANE_NORMAL, LANE_LOW};
    enum lane first = LANE_HIGH;
    if (pushed != 0)
        first = lane_first(atomic_fetch_add_explicit(&claims_head(r)->turn, 1, memory_order_relaxed));
    if (claim_in_lane(r, who, first, pushed, slot, word))
        return true;
    for (uint32_t i = 0; i < LANES; i++)
        if (downwards[i] != first && claim_in_lane(r, who, downwards[i], pushed, slot, word))
            return true;
    return false;
}

/* Nothing is left of that version for any lane. */
static bool table_is_done(const struct region *r, struct claimant *who) {
    uint32_t count = returned_count(r);
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++) {
        uint32_t *at = &who->table_at[lane];
        while (*at < count &&
               atomic_load_explicit(&control_head(r)->returned[*at], memory_order_relaxed) >> LANE_SHIFT != lane)
            ++*at;
        if (*at < count)
            return false;
    }
    return true;
}

/* Something was returned, or put into another lane, since there was nothing of that kind. */
static __attribute__((noinline)) bool claim_any(const struct region *r, struct claimant *who, uint32_t version,
                                                uint64_t pushed, uint32_t *slot, uint64_t *word) {
    if (who->table_seen != version) {
        who->table_seen = version;
        memset(who->table_at, 0, sizeof who->table_at);
        memset(who->empty_seen, 0, sizeof who->empty_seen); /* the audit may have seen that this is not so */
    }
    bool claimed = claim_by_turn(r, who, pushed, slot, word);
    if (table_is_done(r, who))
        who->returned_seen = version;
    if (who->empty_seen[LANE_HIGH] == pushed && who->empty_seen[LANE_LOW] == pushed)
        who->others_seen = pushed;
    return claimed;
}

bool queue_claim(const struct region *r, struct claimant *who, uint32_t *slot, uint64_t *word) {
    struct control_head *control = control_head(r);
    /* ORD(returned:seen) pairs ORD(returned:told): who sees the version sees the table that it stands for, or a later
     * one. */
    uint32_t version = atomic_load_explicit(&control->returned_version, memory_order_acquire);
    /* ORD(lanes:seen) pairs ORD(lanes:told) */
    uint64_t pushed = atomic_load_explicit(&control->others_pushed, memory_order_acquire);
    if (version != who->returned_seen || pushed != who->others_seen)
        return claim_any(r, who, version, pushed, slot, word);
    return claim_from(r, who, LANE_NORMAL, &who->tail_seen, slot, word);
}

/* The last look before a sleep, after ORD(bell:sleep). */
bool queue_has_work(const struct region *r, const struct claimant *who) {
    struct control_head *control = control_head(r);
    /* ORD(returned:look) pairs ORD(returned:told) */
    if (atomic_load_explicit(&control->returned_version, memory_order_seq_cst) != who->returned_seen)
        return true;
    /* ORD(lanes:look) pairs ORD(lanes:told) */
    if (atomic_load_explicit(&control->others_pushed, memory_order_seq_cst) != who->others_seen &&
        !PLANTED(PLANT_LANES_UNSEEN) && queue_length_of(r, LANE_HIGH) + queue_length_of(r, LANE_LOW) != 0)
        return true;
    /* ORD(queue:look) pairs ORD(queue:push) and ORD(queue:push-heavy) */
    uint64_t tail = atomic_load_explicit(&orders_head(r)->tail, memory_order_seq_cst);
    return sane_head(r, LANE_NORMAL, tail) != tail;
}
