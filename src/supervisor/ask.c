/*
 * ask.c - tasks that are asked to stop before they are ended
 *
 * What was asked stands in the task's care, where no host can write; mortal_task_should_stop() looks there. A signal or a
 * descriptor is a matter of the host: its main thread is called and passes it on, so that nothing that comes from outside
 * can hit a worker that has gone on to its next task.
 *
 * A critical section holds a kill off that asked first, and a deadline of a task that has shield_ns. Whoever waits for its
 * end is found by the worker, which then stays where it is and tells.
 */
#include <limits.h>

#include "region/asked.h"
#include "supervisor/state.h"
#include "system/futex.h"

/* ORD(*) the plain atomics here look at words that condemn()'s swap then decides. */

void ask_call_host(struct supervisor *s, uint32_t berth) {
    _Atomic uint32_t *calls = &berth_of(s->region, berth)->calls;
    /* ORD(ask:call) pairs ORD(ear:called): what was asked stands in the care before. */
    atomic_fetch_add_explicit(calls, 1, memory_order_seq_cst);
    futex_wake(calls, INT_MAX);
}

void ask_softly(struct supervisor *s, uint32_t berth, uint32_t slot, uint64_t word) {
    struct care *care = care_of(s->region, slot);
    if (atomic_load(&care->told) == word)
        return;
    atomic_store(&care->told, word);
    ask_call_host(s, berth);
}

void ask_task(struct supervisor *s, uint32_t slot, uint32_t generation) {
    if (slot >= s->region->g.slots)
        return;
    uint64_t word = atomic_load(claim_of(s->region, slot));
    if (word_generation(word) != (generation & GENERATION_MASK) || word_phase(word) != SLOT_RUNNING)
        return;
    uint32_t berth = word_life(word) < s->region->g.lives ? s->life_berth[word_life(word)] : 0;
    if (berth != 0)
        ask_call_host(s, berth - 1);
}

/* True: the task is in a section, and whoever ends that will see that something waits for it. What the desk says is the
 * host's word, and bought with shield_ns. */
bool ask_waits_for_section(struct supervisor *s, uint32_t berth, uint32_t worker, uint32_t slot, uint64_t word) {
    const struct desk *desk = desk_of(s->region, s->hosts[berth].life, worker);
    if (atomic_load(&desk->section) == 0)
        return false;
    struct care *care = care_of(s->region, slot);
    if (atomic_load(&care->overdue) != word) {
        /* ORD(ask:overdue) pairs ORD(section:end): visible before the look whether the section has just ended, or
         * neither sees the other and the task goes on until shield_ns is over. */
        atomic_store_explicit(&care->overdue, word, memory_order_seq_cst);
        ask_softly(s, berth, slot, word);
    }
    return atomic_load_explicit(&desk->section, memory_order_seq_cst) != 0; /* ORD(ask:overdue) */
}

void ask_heed_yields(struct supervisor *s) {
    const struct region *r = s->region;
    for (uint32_t berth = 0; berth < r->g.berths; berth++) {
        const struct host_record *record = &s->hosts[berth];
        for (uint32_t worker = 0; host_works(record) && worker < r->g.workers_per_host; worker++) {
            const struct desk *desk = desk_of(r, record->life, worker);
            uint32_t intent = atomic_load(&desk->intent);
            if (atomic_load(&desk->yields) == 0 || intent == 0 || intent > r->g.slots)
                continue;
            uint64_t word = atomic_load(claim_of(r, intent - 1));
            if (word_phase(word) == SLOT_RUNNING && word_life(word) == record->life && word_worker(word) == worker &&
                asked_by_waiting_kill(care_of(r, intent - 1), word))
                condemn(s, intent - 1, word_generation(word), SENTENCE_KILL);
        }
    }
}
