/*
 * ledger.c - slots given out, verdicts taken, slots taken back
 *
 * The region is read here as what it is: memory that tasks may have overwritten. Each word is read once, indices are
 * checked, lengths bounded, small results copied out, and what does not agree with the private truth ends as lost.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "owner/pool.h"
#include "region/recover.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"
#include "system/why.h"

#define COMMIT_SLOTS 256u /* at a time at most; as many again as there are, since most pools never hold many tasks */
#define COMMIT_FIRST 32u

uint32_t ledger_take(struct pool *pool, int *error) {
    *error = 0;
    if (pool->free_count == 0 && pool->slots_used == pool->region->g.slots && pool->released_unended != 0)
        ledger_sweep(pool);
    if (pool->free_count != 0)
        return pool->free_slots[--pool->free_count];
    if (pool->slots_used == pool->region->g.slots) {
        *error = why(-ENOBUFS, "mortal_pool_submit: %u tasks are held, which is held_tasks of this pool: release futures "
                               "whose verdicts you have", pool->region->g.slots);
        return NO_SLOT;
    }
    if (pool->slots_used == pool->slots_made) {
        uint32_t more = pool->slots_made < COMMIT_FIRST ? COMMIT_FIRST : pool->slots_made;
        uint32_t to = pool->slots_made + (more < COMMIT_SLOTS ? more : COMMIT_SLOTS);
        if (to > pool->region->g.slots)
            to = pool->region->g.slots;
        if (region_commit_slots(pool->region, pool->slots_made, to) != 0) {
            *error = why(-ENOMEM, "mortal_pool_submit: the system has no memory for the records of more tasks");
            return NO_SLOT;
        }
        pool->slots_made = to;
    }
    uint32_t slot = pool->slots_used++;
    pool->entries[slot].life = 1;
    atomic_store(&control_head(pool->region)->slots_known, pool->slots_used);
    return slot;
}

/* Tasks without names need no memory for them. */
int ledger_make_names(struct pool *pool, uint32_t slot) {
    if (slot < pool->names_made)
        return 0;
    const struct region *r = pool->region;
    uint64_t from = r->g.order_names + (uint64_t)pool->names_made * NAME_BYTES;
    uint64_t bytes = (uint64_t)(pool->slots_made - pool->names_made) * NAME_BYTES;
    int error = memory_commit(r->orders + from, bytes, r->orders_fd, from);
    if (error == 0)
        pool->names_made = pool->slots_made;
    return error;
}

#define COMMIT_PLACES_BYTES 65536u

/* The ring is as long as all that may be held, and a pool walks through it however little it holds at once: what is not
 * there yet is made to exist ahead of the tail. */
int ledger_make_places(struct pool *pool, enum lane lane) {
    const struct region *r = pool->region;
    uint64_t made = pool->places_made[lane] * sizeof(uint64_t), left = r->g.ring_bytes - made;
    uint64_t from = r->g.order_ring + lane * r->g.ring_bytes + made;
    uint64_t bytes = made == 0 ? PAGE_BYTES : made < COMMIT_PLACES_BYTES ? made : COMMIT_PLACES_BYTES;
    bytes = left < bytes ? left : bytes;
    if (memory_commit(r->orders + from, bytes, r->orders_fd, from) != 0)
        return why(-ENOMEM, "mortal_pool_submit: the system has no memory for a longer queue");
    pool->places_made[lane] = bytes == left ? UINT64_MAX : (made + bytes) / sizeof(uint64_t);
    return 0;
}

static inline void next_life(struct entry *entry) {
    entry->life++;
    if ((entry->life & GENERATION_MASK) == 0)
        entry->life++; /* 0 is no generation: a cleared word must not look like one of ours */
}

void ledger_renew(struct pool *pool, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    if (!ledger_is_as_left(pool, slot, (uint32_t)entry->life) &&
        word_generation(atomic_load(claim_of(pool->region, slot))) == (entry->life & GENERATION_MASK))
        next_life(entry);
}

void ledger_untake(struct pool *pool, uint32_t slot) { pool->free_slots[pool->free_count++] = slot; }

static void free_input(struct pool *pool, struct entry *entry) {
    if (entry->input_offset == INPUT_NONE)
        return;
    heap_give(&pool->inputs, entry->input_offset);
    entry->input_offset = INPUT_NONE;
}

static __attribute__((noinline)) void drop_extras(struct entry *entry) {
    free(entry->copy);
    free(entry->name);
    if (entry->stream != NULL)
        stream_drop(entry);
    entry->copy = NULL;
    entry->name = NULL;
    entry->has_extras = false;
}

/* ORD(*) counters for the supervisor to know what there is; ends that the owner makes itself wake by futex at once. */
static inline void free_slot(struct pool *pool, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    _Atomic uint64_t *claim = claim_of(pool->region, slot);
    if (entry->has_extras)
        drop_extras(entry);
    entry->state = ENTRY_FREE;
    entry->released = false;
    next_life(entry);
    /* Forged, it says perhaps what the next one would say: see ledger_is_as_left(). */
    if (word_generation(atomic_load_explicit(claim, memory_order_relaxed)) == (entry->life & GENERATION_MASK))
        next_life(entry);
    /* ORD(result:released) pairs ORD(result:reuse): from here on the host that answered may use the memory of the
     * result again, after all reads of it. */
    atomic_store_explicit(claim, word_make((uint32_t)entry->life, SLOT_FREE, 0, 0), memory_order_release);
    pool->free_slots[pool->free_count++] = slot;
    pool->held--;
}

static inline void close_entry(struct pool *pool, uint32_t slot, int outcome) {
    struct entry *entry = &pool->entries[slot];
    entry->outcome = outcome;
    entry->state = ENTRY_ENDED;
    if (pool->hunts != NULL)
        kill_note(pool, slot, outcome);
    pool->ended[outcome & 15]++;
    free_input(pool, entry);
    if (entry->buffer_count != 0)
        buffer_let_go(pool, entry);
    if (entry->has_limits)
        atomic_fetch_sub(&control_head(pool->region)->limits_unended, 1);
    if (entry->released) {
        pool->released_unended--;
        free_slot(pool, slot);
    } else if (entry->group != NULL) {
        group_ready(pool, slot);
    }
}

static bool copy_out(struct entry *entry, const void *from, size_t bytes) {
    void *copy = entry->small;
    if (bytes > sizeof entry->small) {
        copy = entry->copy = malloc(bytes);
        entry->has_extras = true;
    }
    if (copy == NULL)
        return false;
    memcpy(copy, from, bytes);
    entry->result = copy;
    return true;
}

static struct details *detail(struct entry *entry) {
    if (!entry->has_details)
        memset(&entry->details, 0, sizeof entry->details);
    entry->has_details = true;
    return &entry->details;
}

static void tell_measures(const struct pool *pool, struct entry *entry, uint64_t began_ns, uint64_t ran_ns, uint64_t cpu_ns,
                          uint64_t peak_bytes) {
    int measure = pool->region->g.measure;
    struct details *details = detail(entry);
    if ((measure & MORTAL_MEASURE_TIMES) != 0 && began_ns >= entry->submitted_ns) {
        details->queued_ns = began_ns - entry->submitted_ns;
        details->ran_ns = ran_ns;
    }
    details->cpu_ns = (measure & MORTAL_MEASURE_CPU) != 0 ? cpu_ns : 0;
    details->memory_peak_bytes = (measure & MORTAL_MEASURE_MEMORY) != 0 ? peak_bytes : 0;
}

/* Status and result from the cell of the host that published. False: they make no sense. */
static inline bool read_answer(struct pool *pool, uint32_t slot, uint64_t word) {
    struct entry *entry = &pool->entries[slot];
    struct region *r = pool->region;
    uint32_t life = word_life(word);
    if (life >= r->g.lives)
        return false;
    const volatile struct cell *cell = cell_of(r, life, slot);
    uint64_t bytes = cell->result_bytes, offset = cell->result_offset;
    uint32_t named = cell->slot;
    if (cell->word != word || (named & ~CELL_HAS_PARTS) != slot)
        return false;
    entry->status = cell->status;
    if ((named & CELL_HAS_PARTS) != 0 &&
        atomic_load_explicit(&cell->stream_word, memory_order_relaxed) == word_with_phase(word, SLOT_RUNNING))
        entry->answered = word;
    if (r->g.measure != 0)
        tell_measures(pool, entry, cell->began_ns, cell->ran_ns, cell->cpu_ns, cell->peak_bytes);
    if (bytes == 0)
        return true;
    const uint8_t *from = (const uint8_t *)cell->result;
    if (offset != HEAP_NONE) {
        uint64_t room = r->g.arena_bytes - r->g.arena_heap;
        if (bytes > room || offset > room - bytes || offset % 16 != 0)
            return false;
        from = heap_of(r, life) + offset;
    } else if (bytes > INLINE_RESULT_BYTES) {
        return false;
    }
    entry->result_bytes = bytes;
    entry->result = from;
    return bytes > COPY_RESULT_BYTES || copy_out(entry, from, bytes);
}

static int read_fate(struct pool *pool, uint32_t slot, uint64_t word) {
    const struct fate *fate = fate_of(pool->region, slot);
    /* ORD(fate:read) pairs ORD(fate:told) */
    if (atomic_load_explicit(&fate->word, memory_order_acquire) != word)
        return MORTAL_LOST; /* nobody but a task gone wild says so */
    struct details *details = detail(&pool->entries[slot]);
    details->cause = fate->cause;
    details->signal = fate->signal;
    details->signal_code = fate->signal_code;
    details->exit_code = fate->exit_code;
    details->fault_address = fate->fault_address;
    details->culprit = fate->culprit;
    details->obituary = fate->obituary;
    details->cleanup = fate->cleanup;
    tell_measures(pool, &pool->entries[slot], fate->began_ns, fate->ran_ns, fate->cpu_ns, fate->peak_pages * 4096ull);
    static const int outcomes[16] = {
        [SLOT_CANCELLED] = MORTAL_CANCELLED, [SLOT_EXPIRED] = MORTAL_EXPIRED,       [SLOT_KILLED] = MORTAL_KILLED,
        [SLOT_TIMED_OUT] = MORTAL_TIMED_OUT, [SLOT_CRASHED] = MORTAL_CRASHED,       [SLOT_COLLATERAL] = MORTAL_COLLATERAL,
        [SLOT_QUARANTINED] = MORTAL_QUARANTINED,  [SLOT_LOST] = MORTAL_LOST,
        [SLOT_OUT_OF_MEMORY] = MORTAL_OUT_OF_MEMORY,
    };
    int outcome = outcomes[word_phase(word)];
    return outcome != 0 ? outcome : MORTAL_LOST;
}

uint64_t ledger_ended_ns(const struct pool *pool, uint32_t slot) {
    const struct fate *fate = fate_of(pool->region, slot);
    uint64_t now = clock_ns(), ended = fate->began_ns + fate->ran_ns;
    bool was_cut = pool->entries[slot].outcome == MORTAL_TIMED_OUT;
    return was_cut && fate->ran_ns != 0 && ended < now ? ended : now;
}

static inline void start_verdict(struct entry *entry) {
    entry->status = 0;
    entry->attempts = 0;
    entry->result = NULL;
    entry->result_bytes = 0;
    entry->has_details = false;
}

static inline void tell_details(mortal_verdict *verdict, const struct details *details) {
    verdict->cause = details->cause;
    verdict->signal = details->signal;
    verdict->signal_code = details->signal_code;
    verdict->exit_code = details->exit_code;
    verdict->fault_address = details->fault_address;
    verdict->queued_ns = details->queued_ns;
    verdict->ran_ns = details->ran_ns;
    verdict->culprit = details->culprit;
    verdict->cpu_ns = details->cpu_ns;
    verdict->memory_peak_bytes = details->memory_peak_bytes;
    verdict->obituary = details->obituary;
    verdict->cleanup = details->cleanup;
}

/* Member by member, as in start_context() of a worker. */
void ledger_tell(const struct pool *pool, uint32_t slot, mortal_verdict *verdict) {
    const struct entry *entry = &pool->entries[slot];
    static const struct details none;
    verdict->tag = entry->tag;
    verdict->outcome = entry->outcome;
    verdict->status = entry->status;
    verdict->result = entry->result;
    verdict->result_bytes = entry->result_bytes;
    verdict->attempts = entry->attempts;
    verdict->reserved0 = 0;
    verdict->reserved[0] = verdict->reserved[1] = 0;
    tell_details(verdict, entry->has_details ? &entry->details : &none);
}

void ledger_end(struct pool *pool, uint32_t slot, int outcome) {
    struct entry *entry = &pool->entries[slot];
    start_verdict(entry);
    if (outcome != MORTAL_LOST)
        entry->attempts = care_attempts(care_of(pool->region, slot));
    close_entry(pool, slot, outcome);
    if (pool->room_sleepers + pool->input_sleepers != 0) { /* no worker will ring them for a task that never comes to one */
        atomic_fetch_add(&claims_head(pool->region)->room_bell, 1);
        futex_wake(&claims_head(pool->region)->room_bell, INT_MAX);
    }
}

/* The word of a slot in use is one of ours, with our generation, or it was overwritten: then whoever runs the task cannot
 * publish any more, and nobody will ever know how it ended. */
static inline bool is_garbled(const struct entry *entry, uint64_t word) {
    return word_generation(word) != (uint32_t)(entry->life & GENERATION_MASK) || word_phase(word) == SLOT_FREE;
}

static __attribute__((noinline)) int end_garbled(struct pool *pool, uint32_t slot, uint64_t word) {
    /* Its generation stays, for free_slot() to see. */
    atomic_store(claim_of(pool->region, slot), word_make(word_generation(word), SLOT_LOST, 0, 0));
    ledger_end(pool, slot, MORTAL_LOST);
    return true;
}

/* Nothing of what was read before the contradiction is told. */
static __attribute__((noinline)) void forget_answer(struct entry *entry) {
    free(entry->copy);
    entry->copy = NULL;
    start_verdict(entry);
}

static inline bool take_end(struct pool *pool, uint32_t slot, uint64_t word) {
    struct entry *entry = &pool->entries[slot];
    enum slot_phase phase = word_phase(word);
    start_verdict(entry);
    bool by_worker = phase == SLOT_DONE || phase == SLOT_FAILED || phase == SLOT_BARE;
    int outcome;
    if (phase == SLOT_BARE)
        outcome = word_is_bare_for(word, slot) ? MORTAL_DONE : MORTAL_LOST;
    else if (!by_worker)
        outcome = read_fate(pool, slot, word);
    else if (!read_answer(pool, slot, word))
        outcome = MORTAL_LOST;
    else
        outcome = phase == SLOT_DONE ? MORTAL_DONE : MORTAL_FAILED;
    if (outcome == MORTAL_LOST)
        forget_answer(entry);
    else
        entry->attempts = care_attempts(care_of(pool->region, slot)) + (by_worker || outcome == MORTAL_COLLATERAL);
    close_entry(pool, slot, outcome);
    return true;
}

/* Who takes verdicts in the order of its submits takes that one next, and its lines come from a worker's caches. */
static inline void expect(const struct pool *pool, uint32_t slot, uint64_t word) {
    const struct region *r = pool->region;
    uint64_t place = atomic_load_explicit(&care_of(r, slot)->position, memory_order_relaxed);
    uint32_t next = (uint32_t)atomic_load_explicit(ring_entry(r, place + 2), memory_order_relaxed);
    if (next >= r->g.slots)
        return;
    __builtin_prefetch(claim_of(r, next), 1);
    __builtin_prefetch(cell_of(r, word_life(word), next), 0);
}

/* The word is read once. */
bool ledger_harvest_live(struct pool *pool, uint32_t slot) {
    /* ORD(harvest) pairs ORD(publish): who sees the end sees the cell. And a submitter that looks for input memory
     * has told its wish before, ORD(room:wish). */
    uint64_t word = atomic_load_explicit(claim_of(pool->region, slot), memory_order_seq_cst);
    if (is_garbled(&pool->entries[slot], word))
        return end_garbled(pool, slot, word);
    if (!phase_has_ended(word_phase(word)))
        return false;
    expect(pool, slot, word);
    return take_end(pool, slot, word);
}

void ledger_sweep(struct pool *pool) {
    for (uint32_t slot = 0; slot < pool->slots_used; slot++)
        if (pool->entries[slot].state == ENTRY_LIVE)
            (void)ledger_harvest(pool, slot);
    pool->sweep_at = pool->released_unended * 2 + 64;
}

void ledger_release(struct pool *pool, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    if (entry->state == ENTRY_LIVE)
        (void)ledger_harvest(pool, slot);
    if (entry->group != NULL)
        group_remove(pool, slot);
    if (entry->state == ENTRY_ENDED) {
        free_slot(pool, slot);
        return;
    }
    /* It runs on. Its slot is taken back when somebody next has reason to look: at the latest when slots run out. */
    entry->released = true;
    if (++pool->released_unended >= pool->sweep_at)
        ledger_sweep(pool);
}
