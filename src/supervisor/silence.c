/*
 * silence.c - workers that serve nobody, though nothing on their desks says so
 *
 * A task gone wild may have overwritten its claim and its desk, or unmapped both. Nobody waits for it any more and no kill
 * can name it, but it keeps its worker. What such a worker cannot do is answer: each audit takes all idle bits away and
 * rings, and whoever is between two tasks says within an instant that it is idle, looks for work, or claims some. While
 * work waits and nobody claims any, only a claim is an answer: whoever then says that it is idle does not see the queue.
 *
 * Silence alone proves nothing: a stopped or starved process is silent too, and it is late, not dead. The kernel knows
 * better. A worker that was rung wants a processor until it has answered, so one that has computed for long without an
 * answer runs something else, and so does one that sleeps.
 */
#include <linux/futex.h>

#include "region/bell.h"
#include "supervisor/state.h"
#include "system/process.h"

#define MUCH_CPU_NS 100000000ull

/* ORD(*) the plain atomics here look twice, an audit apart, before anything is done about what they saw. */

void silence_begin(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++)
        record->watches[worker].thread =
            (pid_t)(atomic_load(&life_line_of(s->region, record->life, 1 + worker)->word[0]) & FUTEX_TID_MASK);
}

/* One that it has begun: between claim and begin no worker sleeps, nor computes for long. */
static bool holds_claim(const struct region *r, const struct host_record *record, uint32_t worker) {
    uint32_t intent = atomic_load(&desk_of(r, record->life, worker)->intent);
    if (intent == 0 || intent > r->g.slots)
        return false;
    uint64_t word = atomic_load(claim_of(r, intent - 1));
    return phase_is_running(word_phase(word)) && word_life(word) == record->life && word_worker(word) == worker &&
           atomic_load(&desk_of(r, record->life, worker)->begun) == word_with_phase(word, SLOT_RUNNING);
}

static bool answers(const struct region *r, uint32_t berth, uint32_t worker) {
    uint32_t bit = berth * r->g.workers_per_host + worker;
    uint64_t bits = atomic_load(idle_word(r, bit / 64)) | atomic_load(searching_word(r, bit / 64));
    return (bits >> bit % 64 & 1) != 0 || atomic_load(&claims_head(r)->deputy) == bit + 1;
}

/* Neither a claim nor an answer, and its desk as it was at the last audit. */
static bool is_silent(const struct region *r, uint32_t berth, const struct host_record *record, uint32_t worker,
                      bool stuck) {
    const struct desk *desk = desk_of(r, record->life, worker);
    struct watch *watch = &record->watches[worker];
    uint64_t trace = atomic_load(&desk->begun) * 31 + ((uint64_t)atomic_load(&desk->intent) << 32) +
                     atomic_load(&desk->log_tail);
    bool moved = trace != watch->trace;
    watch->trace = trace;
    return !moved && !holds_claim(r, record, worker) && (stuck || !answers(r, berth, worker));
}

/* Silent at two audits in a row, and not because it could not speak. */
static bool serves_nobody(struct supervisor *s, uint32_t berth, uint32_t worker, bool stuck) {
    const struct host_record *record = &s->hosts[berth];
    struct watch *watch = &record->watches[worker];
    bool silent = is_silent(s->region, berth, record, worker, stuck), before = watch->was_silent;
    struct thread_look look;
    watch->was_silent = silent;
    if (!silent || !process_thread_look(record->pid, containment_thread(s, berth, worker), &look))
        return false;
    if (!before) /* one that gets little of a processor adds up from here */
        watch->silent_cpu_ns = look.cpu_ns;
    return before && (look.sleeps || look.cpu_ns - watch->silent_cpu_ns >= MUCH_CPU_NS);
}

/* Doomed first, then looked at once more: whoever claims from here on gives back what it claimed. ORD(death:doom) */
static void end_unless_it_claims(struct supervisor *s, uint32_t berth, uint32_t worker) {
    struct berth *shared = berth_of(s->region, berth);
    atomic_store_explicit(&shared->doomed, 1, memory_order_seq_cst);
    if (!holds_claim(s->region, &s->hosts[berth], worker)) {
        death_doom(s, berth);
        return;
    }
    atomic_store_explicit(&shared->doomed, 0, memory_order_seq_cst);
    bell_ring_berth(s->region, berth);
}

/* Work waits, and the queue's cursors are where they were. */
static bool is_stuck(struct supervisor *s) {
    uint64_t head = 0, before = s->head_seen;
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        head += atomic_load(lane_head(s->region, lane));
    s->head_seen = head;
    return head == before && audit_finds_pending(s);
}

/* Who is to claim no more and said that it saw it need not say more. */
static bool has_rest(const struct region *r, const struct host_record *record, uint32_t worker) {
    return record->state == HOST_LEAVING && atomic_load(&desk_of(r, record->life, worker)->rested) != 0;
}

void silence_check(struct supervisor *s) {
    bool stuck = is_stuck(s);
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++) {
        struct host_record *record = &s->hosts[berth];
        uint32_t active = record->state == HOST_LEAVING ? record->width : atomic_load(&berth_of(s->region, berth)->active);
        for (uint32_t worker = 0; host_works(record) && worker < active; worker++)
            if (!has_rest(s->region, record, worker) && serves_nobody(s, berth, worker, stuck))
                end_unless_it_claims(s, berth, worker);
    }
}
