#include "region/recover.h"

#include <mortal.h>

#include "region/cap.h"
#include "region/plant.h"
#include "region/queue.h"
#include "region/stream.h"

/* ORD(*) everything here is done by the supervisor after a certain death, alone but for the owner, whom it meets in the
 * claim word only. */

/* Count of starts in the upper 24 bits, the life and worker that the last one is charged to in the lower 40. One word, so
 * that a recovery which is cut and run again does not charge the same death twice: no life runs a task a second time. */
static uint32_t count(_Atomic uint64_t *counted, uint64_t running) {
    uint64_t now = atomic_load_explicit(counted, memory_order_relaxed);
    uint64_t to_whom = (uint64_t)word_life(running) << WORKER_BITS | word_worker(running);
    if ((now & CARE_UNCHARGED) != to_whom || PLANTED(PLANT_DOUBLE_CHARGE)) {
        now = ((now >> 40) + 1) << 40 | to_whom;
        /* ORD(care:charged) pairs ORD(stream:attempt): who sees the charge sees what was noted of that start before. */
        atomic_store_explicit(counted, now, memory_order_release);
    }
    return (uint32_t)(now >> 40);
}

static uint32_t charge(struct region *r, uint32_t slot, uint64_t running) {
    return count(&care_of(r, slot)->charged, running);
}

/* What a host says of its tasks it can also overwrite. A worker stores that it begins, and what stands there otherwise is 0:
 * anything else was written by a task, and that one had begun. */
enum begun { BEGUN_NOT, BEGUN, BEGUN_OVERWRITTEN };

static enum begun how_begun(const struct region *r, uint32_t life, uint32_t worker, uint64_t word) {
    uint64_t said = atomic_load_explicit(&desk_of(r, life, worker)->begun, memory_order_relaxed);
    return said == word_with_phase(word, SLOT_RUNNING) ? BEGUN : said == 0 ? BEGUN_NOT : BEGUN_OVERWRITTEN;
}

/* And a task that overwrites it with 0 each time would start for ever. A host that ends by itself just between a claim and
 * its begin is rare enough to be believed only so often. */
#define BELIEVED_RETURNS 3u

static bool is_believed(struct region *r, uint32_t slot, uint64_t word) {
    return count(&care_of(r, slot)->returned, word) <= BELIEVED_RETURNS;
}

static enum recovered give_back(struct region *r, uint32_t slot, uint64_t word) {
    struct care *care = care_of(r, slot);
    /* Told was this start of it. The next one may have the same word: lives are given out again. */
    atomic_store_explicit(&care->told, 0, memory_order_relaxed);
    atomic_store_explicit(&care->overdue, 0, memory_order_relaxed);
    uint64_t pending = word_make(word_generation(word), SLOT_PENDING, 0, 0);
    return atomic_compare_exchange_strong(claim_of(r, slot), &word, pending) ? RECOVERED_RETURNED : RECOVERED_NOTHING;
}

/* The stamp is in memory that the task could write: no later than now is all that can be said for it. */
static void tell_times(struct region *r, struct fate *fate, uint32_t slot, uint64_t word, uint64_t now) {
    const struct desk *desk = desk_of(r, word_life(word), word_worker(word));
    fate->began_ns = fate->ran_ns = 0;
    if ((atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed) & ORDER_STAMPED) == 0 ||
        atomic_load_explicit(&desk->begun, memory_order_relaxed) != word_with_phase(word, SLOT_RUNNING))
        return;
    uint64_t began = atomic_load_explicit(&desk->started_ns, memory_order_relaxed);
    fate->began_ns = began < now ? began : now;
    fate->ran_ns = now - fate->began_ns;
}

/* What it used as the kernel counted it, since the start that its host noted. Only where the death tells. */
static void tell_usage(struct region *r, struct fate *fate, uint64_t word, const struct death *death) {
    const struct desk *desk = desk_of(r, word_life(word), word_worker(word));
    fate->cpu_ns = 0;
    fate->peak_pages = (uint32_t)(death->peak_bytes / 4096);
    if (atomic_load_explicit(&desk->begun, memory_order_relaxed) != word_with_phase(word, SLOT_RUNNING))
        return;
    uint64_t began = atomic_load_explicit(&desk->cpu_ns, memory_order_relaxed);
    fate->cpu_ns = began < death->cpu_ns ? death->cpu_ns - began : 0;
}

static enum recovered end(struct region *r, uint32_t slot, uint64_t word, enum slot_phase phase,
                          const struct death *death, bool culprit) {
    struct fate *fate = fate_of(r, slot);
    uint64_t ended = word_with_phase(word, phase);
    if (PLANTED(PLANT_FATE_AFTER_WORD))
        atomic_store(claim_of(r, slot), ended);
    bool tells_why = phase == SLOT_CRASHED || phase == SLOT_QUARANTINED || phase == SLOT_OUT_OF_MEMORY ||
                     (phase == SLOT_TIMED_OUT && death->cause == MORTAL_CAUSE_CPU) ||
                     (phase == SLOT_COLLATERAL && !death->asked);
    fate->cause = tells_why ? death->cause : 0;
    fate->signal = tells_why ? death->signal : 0;
    fate->signal_code = tells_why ? death->signal_code : 0;
    fate->exit_code = tells_why ? death->exit_code : 0;
    fate->fault_address = tells_why ? death->fault_address : 0;
    fate->culprit = culprit;
    bool had_begun = phase != SLOT_CANCELLED && phase != SLOT_EXPIRED;
    fate->obituary = had_begun ? death->obituary : 0;
    fate->cleanup = death->cleanup;
    tell_times(r, fate, slot, word, death->at_ns);
    tell_usage(r, fate, word, death);
    /* ORD(fate:told) pairs ORD(fate:read): who finds the ended word here finds the rest, though a recovery that was
     * cut may have written some of it before. */
    atomic_store_explicit(&fate->word, ended, memory_order_release);
    if (PLANTED(PLANT_FATE_AFTER_WORD))
        return RECOVERED_ENDED;
    return atomic_compare_exchange_strong(claim_of(r, slot), &word, ended) ? RECOVERED_ENDED : RECOVERED_NOTHING;
}

/* Counted before the task can be claimed again: the next attempt's cap depends on it. */
static void note_lack(struct region *r, uint32_t slot, uint32_t starts) {
    if ((atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed) & ORDER_CAPS_MEMORY) != 0)
        cap_grow(cap_of(r, slot), starts);
}

/* It was cut because it took more than it may: by its own fault, so attempts that are left are used. */
static enum recovered end_over_cap(struct region *r, uint32_t slot, uint64_t word, const struct death *death,
                                   enum sentence sentence, uint32_t starts) {
    struct death why = *death;
    uint32_t may_start = order_of(r, slot)->attempts;
    enum slot_phase phase = SLOT_TIMED_OUT;
    why.cause = MORTAL_CAUSE_CPU;
    why.signal = why.signal_code = why.exit_code = 0;
    why.fault_address = 0;
    if (sentence == SENTENCE_MEMORY) {
        why.cause = MORTAL_CAUSE_MEMORY;
        phase = SLOT_OUT_OF_MEMORY;
        note_lack(r, slot, starts);
    } else if (sentence == SENTENCE_PROCESSES) {
        why.cause = MORTAL_CAUSE_PROCESSES;
        phase = may_start > 1 ? SLOT_QUARANTINED : SLOT_CRASHED;
    }
    return starts < may_start ? give_back(r, slot, word) : end(r, slot, word, phase, &why, true);
}

static enum recovered recover_dying(struct region *r, uint32_t slot, uint64_t word, enum begun begun,
                                    const struct death *death, enum sentence sentence) {
    if (begun == BEGUN_NOT || PLANTED(PLANT_CANCEL_BEGUN)) {
        if (sentence == SENTENCE_WITHIN)
            return end(r, slot, word, SLOT_EXPIRED, death, false);
        if (sentence == SENTENCE_KILL)
            return end(r, slot, word, SLOT_CANCELLED, death, false);
        bool by_kill = sentence == SENTENCE_NONE || sentence == SENTENCE_KILL_RUNNING;
        if (by_kill || is_believed(r, slot, word))
            return give_back(r, slot, word);
    }
    uint32_t starts = charge(r, slot, word);
    if (sentence == SENTENCE_DEADLINE)
        return starts < order_of(r, slot)->attempts ? give_back(r, slot, word)
                                                    : end(r, slot, word, SLOT_TIMED_OUT, death, true);
    if (sentence == SENTENCE_MEMORY || sentence == SENTENCE_CPU || sentence == SENTENCE_PROCESSES)
        return end_over_cap(r, slot, word, death, sentence, starts);
    return end(r, slot, word, sentence == SENTENCE_WITHIN ? SLOT_TIMED_OUT : SLOT_KILLED, death, true);
}

static enum recovered recover_running(struct region *r, uint32_t slot, uint64_t word, enum begun begun,
                                      const struct death *death) {
    bool was_meant = death->asked && !death->suspected; /* that host or another task in it, and not this one */
    if (begun == BEGUN_NOT && (was_meant || is_believed(r, slot, word)))
        return give_back(r, slot, word);
    uint32_t may_start = order_of(r, slot)->attempts;
    if (begun != BEGUN && death->asked) /* as if its claim word were overwritten: nobody knows what it did */
        return charge(r, slot, word) < may_start ? give_back(r, slot, word) : end(r, slot, word, SLOT_LOST, death, false);
    bool innocent = death->asked || (death->culprit != NO_WORKER && death->culprit != word_worker(word));
    if (innocent)
        return may_start > 1 ? give_back(r, slot, word) : end(r, slot, word, SLOT_COLLATERAL, death, false);
    uint32_t starts = charge(r, slot, word);
    if (death->out_of_memory)
        note_lack(r, slot, starts);
    if (starts < may_start)
        return give_back(r, slot, word);
    enum slot_phase phase = death->out_of_memory ? SLOT_OUT_OF_MEMORY : may_start > 1 ? SLOT_QUARANTINED : SLOT_CRASHED;
    return end(r, slot, word, phase, death, death->culprit != NO_WORKER);
}

enum recovered recover_slot(struct region *r, uint32_t slot, uint32_t life, uint32_t worker, const struct death *death,
                            enum sentence sentence) {
    uint64_t word = atomic_load(claim_of(r, slot));
    bool is_its = word_life(word) == life && word_worker(word) == worker;
    if (!phase_is_running(word_phase(word)) || (!is_its && !PLANTED(PLANT_DOUBLE_REQUEUE)))
        return RECOVERED_NOTHING;
    enum begun begun = how_begun(r, life, worker, word);
    stream_bequeath(r, slot, word);
    if (word_phase(word) == SLOT_DYING)
        return recover_dying(r, slot, word, begun, death, sentence);
    return recover_running(r, slot, word, begun, death);
}

enum recovered recover_desk(struct region *r, uint32_t life, uint32_t worker, const struct death *death,
                            enum sentence sentence, uint32_t *slot) {
    /* Of a host that is certainly dead: the kernel, who said so, comes after all it wrote, ORD(claim) or not. */
    uint32_t intent = atomic_load_explicit(&desk_of(r, life, worker)->intent, memory_order_acquire);
    if (intent == 0 || intent > r->g.slots) /* nothing, or overwritten: the sweep over all slots will tell */
        return RECOVERED_NOTHING;
    *slot = intent - 1;
    enum recovered outcome = recover_slot(r, *slot, life, worker, death, sentence);
    if (outcome != RECOVERED_NOTHING)
        return outcome;
    /* A later task of the slot has its own place in the queue: as a returned one it would start before its turn. */
    uint64_t word = atomic_load(claim_of(r, *slot));
    bool is_this = queue_entry(*slot, word_generation(word)) ==
                   atomic_load_explicit(&desk_of(r, life, worker)->wanted, memory_order_relaxed);
    return word_phase(word) == SLOT_PENDING && is_this ? RECOVERED_WAITING : RECOVERED_NOTHING;
}
