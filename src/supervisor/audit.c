/* audit.c - twice a second while there is work: what hints cannot tell, or told wrongly */
#include <linux/futex.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "region/bell.h"
#include "region/plant.h"
#include "region/queue.h"
#include "supervisor/state.h"
#include "system/futex.h"

/* ORD(*) the plain atomics here look twice at what is wrong before they act on it, or mend hints. */

static bool any_running(const struct supervisor *s) {
    const struct region *r = s->region;
    if (s->unclean_count != 0)
        return true;
    for (uint32_t berth = 0; berth < r->g.berths; berth++) {
        const struct host_record *record = &s->hosts[berth];
        if (!host_works(record) && record->state != HOST_DYING)
            continue;
        for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++) {
            uint32_t intent = atomic_load(&desk_of(r, record->life, worker)->intent);
            if (intent == 0 || intent > r->g.slots)
                continue;
            uint64_t word = atomic_load(claim_of(r, intent - 1));
            if (phase_is_running(word_phase(word)) && word_life(word) == record->life)
                return true;
        }
    }
    return false;
}

static bool is_pending(const struct region *r, uint64_t entry) {
    uint64_t word = atomic_load(claim_of(r, (uint32_t)entry));
    return word_phase(word) == SLOT_PENDING && word_generation(word) == entry_generation(entry);
}

bool audit_finds_pending(struct supervisor *s) {
    const struct region *r = s->region;
    if (queue_length(r) != 0)
        return true;
    for (uint32_t i = 0; i < s->returned_count; i++)
        if (is_pending(r, s->returned[i].entry))
            return true;
    return false;
}

bool audit_finds_work(struct supervisor *s) { return audit_finds_pending(s) || any_running(s); }

/* A task whose claim was overwritten is lost, its owner knows, and no kill can name it any more, but it may go on for ever
 * and keep a worker. Seen twice in the same state: a worker between two tasks leaves it within an instant. */
static bool runs_for_nobody(const struct region *r, struct host_record *record, uint32_t worker) {
    struct desk *desk = desk_of(r, record->life, worker);
    struct watch *watch = &record->watches[worker];
    /* ORD(desk:orphan) pairs ORD(desk:begun) */
    uint64_t begun = atomic_load(&desk->begun);
    uint32_t intent = atomic_load(&desk->intent);
    uint64_t before = watch->orphaned;
    uint32_t intent_before = watch->orphaned_intent;
    watch->orphaned = 0;
    if (begun == 0)
        return false;
    if (intent != 0 && intent <= r->g.slots) {
        uint64_t word = atomic_load(claim_of(r, intent - 1));
        if (word == begun || word == word_with_phase(begun, SLOT_DYING))
            return false;
    }
    /* First uses of different slots have equal words: it must be the same slot too, and nothing may have moved while this
     * looked, or a worker that is only quick is ended over two looks that each fell between two tasks. */
    if (atomic_load(&desk->begun) != begun || atomic_load(&desk->intent) != intent)
        return false;
    watch->orphaned = begun;
    watch->orphaned_intent = intent;
    return before == begun && intent_before == intent;
}

static bool line_is_cut(const struct supervisor *s, const struct host_record *record, uint32_t thread) {
    return (atomic_load(&life_line_of(s->region, record->life, thread)->word[0]) & FUTEX_OWNER_DIED) != 0;
}

/* A crash ends a process within an instant of its last words, but for what it then says of where it was: that unwinds a
 * stack which may be in any state. */
static bool hangs_over_its_last_words(const struct supervisor *s, struct host_record *record) {
    bool before = record->has_spoken;
    record->has_spoken = arena_is_its_own(s, record) &&
                         atomic_load(&host_head(s->region, record->life)->words) == WORDS_SIGNAL;
    return before && record->has_spoken;
}

/* Processes that live on without what makes them a host: after exec by a task the main thread's line is cut, after the
 * raw end of a worker's thread that worker's. And workers that lost their claim though nobody took it from them. */
static void find_impostors(struct supervisor *s) {
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++) {
        struct host_record *record = &s->hosts[berth];
        if (!host_works(record))
            continue;
        /* A process that is dying has its lines cut a moment before it can be waited for: what was cut at the last audit
         * already is another matter. */
        bool was_cut = record->main_was_cut;
        record->main_was_cut = line_is_cut(s, record, 0);
        record->became_other = was_cut && record->main_was_cut;
        bool end_it = record->became_other || hangs_over_its_last_words(s, record);
        for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++) {
            struct desk *desk = desk_of(s->region, record->life, worker);
            struct watch *watch = &record->watches[worker];
            bool worker_was_cut = watch->was_cut;
            watch->was_cut = line_is_cut(s, record, 1 + worker);
            if (!record->main_was_cut && worker_was_cut && watch->was_cut)
                record->lost_worker = worker;
            end_it = end_it || record->lost_worker != NO_WORKER || atomic_load(&desk->parked) != 0 ||
                     runs_for_nobody(s->region, record, worker);
        }
        if (end_it)
            death_doom(s, berth);
    }
}

/* ORD(audit:parked) pairs ORD(worker:parked) */
void audit_parked(struct supervisor *s) {
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++) {
        const struct host_record *record = &s->hosts[berth];
        for (uint32_t worker = 0; host_works(record) && worker < s->region->g.workers_per_host; worker++)
            if (atomic_load(&desk_of(s->region, record->life, worker)->parked) != 0)
                death_doom(s, berth);
    }
}

/* Hints that may have been overwritten. */
static void mend_hints(struct supervisor *s) {
    const struct region *r = s->region;
    for (uint32_t i = 0; i < r->g.idle_words; i++) {
        atomic_store(searching_word(r, i), 0);
        atomic_store(idle_word(r, i), 0); /* who really sleeps is rung below, and says so again */
    }
}

/* A claim that nobody made: its word was overwritten. Whoever ran it cannot publish any more. */
static void end_as_lost(struct supervisor *s, uint32_t slot, uint64_t word) {
    struct fate *fate = fate_of(s->region, slot);
    uint64_t ended = word_with_phase(word, SLOT_LOST);
    *fate = (struct fate){0};
    /* ORD(fate:told) */
    atomic_store_explicit(&fate->word, ended, memory_order_release);
    if (atomic_compare_exchange_strong(claim_of(s->region, slot), &word, ended))
        death_announce(s, slot);
}

/* A claim is preceded by the intent, and the intent stays until the claim has ended: a word that names a living worker with
 * another intent was overwritten. Read again last, since the worker may have ended it and gone on in between. */
static bool is_held(const struct supervisor *s, uint32_t slot, uint64_t word) {
    const struct region *r = s->region;
    if (cleanup_sentence(s, slot, word) != NULL)
        return true;
    if (word_life(word) >= r->g.lives || s->life_berth[word_life(word)] == 0 ||
        word_worker(word) >= r->g.workers_per_host)
        return false;
    /* Who is condemned dies: a task of a host that was not killed was never condemned. */
    if (word_phase(word) == SLOT_DYING && s->hosts[s->life_berth[word_life(word)] - 1].state != HOST_DYING)
        return false;
    const struct desk *desk = desk_of(r, word_life(word), word_worker(word));
    uint32_t berth = s->life_berth[word_life(word)] - 1u, bit = berth * r->g.workers_per_host + word_worker(word);
    bool names_it = atomic_load(&desk->intent) == slot + 1;
    bool has_begun = atomic_load(&desk->begun) == word_with_phase(word, SLOT_RUNNING);
    /* The intent may be that of an earlier task in this slot. Who lies idle holds nothing. */
    bool lies_idle = (atomic_load(idle_word(r, bit / 64)) >> bit % 64 & 1) != 0;
    return (names_it && (has_begun || !lies_idle)) || atomic_load(claim_of(r, slot)) != word;
}

static bool was_passed(const struct region *r, uint32_t slot, const uint64_t *heads) {
    uint64_t place = atomic_load(&care_of(r, slot)->position);
    uint64_t lane = place >> LANE_SHIFT;
    return lane < LANES && (place & ((1ull << LANE_SHIFT) - 1)) < heads[lane];
}

/* Where the cursor of such a lane was overwritten, workers may have seen it empty, and look no more until something is put
 * there. A new version of the table makes them. */
static bool may_be_overlooked(const struct supervisor *s, uint32_t slot, const uint64_t *heads) {
    enum lane lane = lane_of(s->region, slot);
    return lane != LANE_NORMAL && s->lane_heads_seen[lane] == heads[lane];
}

/* Tasks that wait where no worker looks: behind a cursor that was overwritten, or returned when the table was full. */
static void find_strays(struct supervisor *s) {
    const struct region *r = s->region;
    uint32_t known = atomic_load(&control_head(r)->slots_known);
    uint64_t heads[LANES]; /* before any place: what is submitted from now on does not stand behind them */
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        heads[lane] = queue_head(r, lane);
    bool found = false;
    for (uint32_t slot = 0; slot < known && slot < r->g.slots; slot++) {
        /* ORD(audit:claim) pairs ORD(claim): whoever sees the claim sees the intent. */
        uint64_t word = atomic_load(claim_of(r, slot));
        if (phase_is_running(word_phase(word)) && !is_held(s, slot, word)) {
            end_as_lost(s, slot, word);
        } else if (word_phase(word) == SLOT_PENDING && !PLANTED(PLANT_LOSE_RETURNED)) {
            bool passed = was_passed(r, slot, heads);
            if (passed)
                death_return(s, slot);
            found = found || passed || may_be_overlooked(s, slot, heads);
        }
    }
    memcpy(s->lane_heads_seen, heads, sizeof heads);
    if (found) {
        death_publish_returned(s);
        bell_ring_all(r);
    }
}

void audit(struct supervisor *s) {
    const struct region *r = s->region;
    find_impostors(s);
    cap_look_at_oom(s);
    silence_check(s);
    find_strays(s); /* while who lies idle says so */
    mend_hints(s);
    bell_ring_all(r);
    if (atomic_load(&orders_head(r)->room_wanted) != 0) {
        atomic_fetch_add(&claims_head(r)->room_bell, 1);
        futex_wake(&claims_head(r)->room_bell, INT_MAX);
    }
}
