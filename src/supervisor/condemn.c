/* condemn.c - who is to be killed: the one swap that decides it */
#include <limits.h>
#include <signal.h>

#include "region/bell.h"
#include "region/plant.h"
#include "supervisor/state.h"
#include "system/clock.h"
#include "system/futex.h"

/* ORD(*) the plain atomics here look at words that a swap then decides. */

/* A task that waits is cancelled on the spot. The owner does this itself where it can; it cannot from a signal handler,
 * nor for a task that a recovery returned to the queue after the owner looked. */
static void cancel(struct supervisor *s, uint32_t slot, uint64_t word, enum slot_phase phase) {
    struct fate *fate = fate_of(s->region, slot);
    uint64_t ended = word_with_phase(word, phase);
    *fate = (struct fate){0};
    /* ORD(fate:told) */
    atomic_store_explicit(&fate->word, ended, memory_order_release);
    if (atomic_compare_exchange_strong(claim_of(s->region, slot), &word, ended))
        death_announce(s, slot);
}

/* What a task whose host is being killed already becomes. A deadline lets it start again while it has attempts, a kill of
 * what runs if it had not begun; a kill of the task and the end of its whole time let it start no more. */
static int gravity(enum sentence sentence) {
    switch (sentence) {
    case SENTENCE_DEADLINE:
    case SENTENCE_MEMORY:
    case SENTENCE_CPU:
    case SENTENCE_PROCESSES:
        return 1;
    case SENTENCE_KILL_RUNNING:
        return 2;
    case SENTENCE_KILL:
    case SENTENCE_WITHIN:
        return 3;
    case SENTENCE_NONE:
        break;
    }
    return 0;
}

/* Its host is dead already, and its clean-ups are on their way: all there is to decide is whether it may start again. */
static void condemn_dead(struct supervisor *s, uint32_t slot, uint64_t word, enum sentence *now, enum sentence sentence) {
    if (word_phase(word) == SLOT_RUNNING &&
        (order_of(s->region, slot)->attempts <= 1 ||
         !atomic_compare_exchange_strong(claim_of(s->region, slot), &word, word_with_phase(word, SLOT_DYING))))
        return;
    if (gravity(sentence) > gravity(*now))
        *now = sentence;
}

/* Of several reasons for one host's death the first counts: that is what its death answers. */
static void note_since(struct host_record *record, enum sentence sentence, uint64_t since_ns) {
    if (record->wanted_ns != 0)
        return;
    record->wanted_ns = since_ns;
    record->wanted_for =
        sentence == SENTENCE_KILL || sentence == SENTENCE_KILL_RUNNING ? LATENCY_OF_KILLS : LATENCY_OF_DEADLINES;
}

void condemn(struct supervisor *s, uint32_t slot, uint32_t generation, enum sentence sentence) {
    condemn_since(s, slot, generation, sentence, clock_ns());
}

void condemn_since(struct supervisor *s, uint32_t slot, uint32_t generation, enum sentence sentence,
                   uint64_t since_ns) {
    if (slot >= s->region->g.slots)
        return;
    for (;;) {
        /* ORD(death:look) pairs ORD(claim): of a task in a host that was doomed before, ORD(death:doom), either the
         * claim is seen here, or its worker sees the doom and has not begun. */
        uint64_t word = atomic_load(claim_of(s->region, slot));
        if (word_generation(word) != (generation & GENERATION_MASK) && !PLANTED(PLANT_STALE_KILL))
            return; /* it ended, and the slot is another's */
        if (word_phase(word) == SLOT_PENDING) {
            if (sentence == SENTENCE_KILL)
                cancel(s, slot, word, SLOT_CANCELLED);
            else if (sentence == SENTENCE_WITHIN)
                cancel(s, slot, word, SLOT_EXPIRED);
            else
                return;
            continue;
        }
        if (!phase_is_running(word_phase(word)))
            return;
        uint32_t berth = word_life(word) < s->region->g.lives ? s->life_berth[word_life(word)] : 0;
        enum sentence *dead = berth == 0 ? cleanup_sentence(s, slot, word) : NULL;
        if (dead != NULL) {
            condemn_dead(s, slot, word, dead, sentence);
            return;
        }
        if (berth == 0 || word_worker(word) >= s->region->g.workers_per_host)
            return; /* a claim that no living host can have made: the audit ends it */
        berth--;
        struct watch *watch = &s->hosts[berth].watches[word_worker(word)];
        if (word_phase(word) == SLOT_DYING) { /* the gravest reason counts, or a killed task could start again */
            if (gravity(sentence) > gravity(watch->sentence))
                watch->sentence = sentence;
            if (!trace_is_wanted(s, sentence))
                trace_hurry(s, berth);
            return;
        }
        /* This decides. If it fails the task finished first, and its host is not touched. */
        if (PLANTED(PLANT_OVERWRITE_VERDICT))
            atomic_store(claim_of(s->region, slot), word_with_phase(word, SLOT_DYING));
        else if (!PLANTED(PLANT_SKIP_DYING) &&
                 !atomic_compare_exchange_strong(claim_of(s->region, slot), &word, word_with_phase(word, SLOT_DYING)))
            continue;
        watch->sentence = sentence;
        s->hosts[berth].is_excused = true;
        if (s->hosts[berth].state != HOST_DYING)
            atomic_fetch_add_explicit(&control_head(s->region)->kills, 1, memory_order_relaxed);
        obituary_blame(s, berth, sentence, word_worker(word), slot, since_ns);
        note_since(&s->hosts[berth], sentence, since_ns);
        death_doom(s, berth);
        if (!trace_is_wanted(s, sentence))
            trace_hurry(s, berth);
        return;
    }
}

/* Of the task that the slot's word spoke of just before, or of a later one: then the swap that follows fails. */
static uint64_t ticket_of(const struct region *r, uint32_t slot) {
    return atomic_load_explicit(&order_of(r, slot)->ticket, memory_order_relaxed);
}

static void condemn_running(struct supervisor *s, uint64_t before, enum sentence sentence, uint64_t since_ns) {
    const struct region *r = s->region;
    for (uint32_t berth = 0; berth < r->g.berths; berth++) {
        const struct host_record *record = &s->hosts[berth];
        if (!host_works(record) && record->state != HOST_DYING)
            continue;
        for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++) {
            uint32_t intent = atomic_load(&desk_of(r, record->life, worker)->intent);
            if (intent == 0 || intent > r->g.slots)
                continue;
            uint64_t word = atomic_load(claim_of(r, intent - 1));
            if (phase_is_running(word_phase(word)) && word_life(word) == record->life && word_worker(word) == worker &&
                ticket_of(r, intent - 1) < before)
                condemn_since(s, intent - 1, word_generation(word), sentence, since_ns);
        }
    }
    for (uint32_t i = 0; i < s->unclean_count; i++)
        if (ticket_of(r, s->uncleans[i].slot) < before)
            condemn(s, s->uncleans[i].slot, word_generation(s->uncleans[i].word), sentence);
}

static void cancel_pending(struct supervisor *s, uint64_t before) {
    const struct region *r = s->region;
    uint32_t known = atomic_load(&control_head(r)->slots_known);
    for (uint32_t slot = 0; slot < known && slot < r->g.slots; slot++) {
        uint64_t word = atomic_load(claim_of(r, slot));
        if (word_phase(word) == SLOT_PENDING && ticket_of(r, slot) < before)
            cancel(s, slot, word, SLOT_CANCELLED);
    }
}

/* kill_now: what a signal handler could leave is tickets, and that it was called. What went back to the queue since the last one
 * is met by the next, also if nothing was submitted in between. */
static void condemn_now(struct supervisor *s) {
    struct control_head *control = control_head(s->region);
    /* Stored before what it belongs to: what is found alone hit nobody, or comes in time for the next turn. */
    uint64_t since_ns = atomic_load(&control->now_asked_ns) != 0 ? atomic_exchange(&control->now_asked_ns, 0) : 0;
    uint64_t kills = atomic_load(&control->now_kills); /* after the ticket it was counted */
    uint64_t pending = atomic_load(&control->now_pending), running = atomic_load(&control->now_running);
    uint64_t unended = atomic_load(&control->now_unended); /* raised before that of what runs: it means both, if it is as high */
    if (kills != s->now_kills_seen) {
        s->now_kills_seen = kills;
        cancel_pending(s, pending);
    }
    if (running > s->now_running_seen || since_ns != 0) {
        s->now_running_seen = running;
        condemn_running(s, running, unended >= running ? SENTENCE_KILL : SENTENCE_KILL_RUNNING,
                        since_ns != 0 ? since_ns : clock_ns());
    }
}

void condemn_requests(struct supervisor *s) {
    struct control_head *control = control_head(s->region);
    condemn_now(s);
    /* ORD(request:taken) pairs ORD(request:sent) */
    uint64_t tail = atomic_load_explicit(&control->request_tail, memory_order_acquire);
    if (tail == s->requests_seen)
        return;
    for (; s->requests_seen != tail; s->requests_seen++) {
        const struct request *request = &control->requests[s->requests_seen % REQUESTS];
        enum sentence sentence = request->scope != 0 ? SENTENCE_KILL_RUNNING : SENTENCE_KILL; /* of a kill */
        switch ((enum request_kind)request->kind) {
        case REQUEST_KILL_TASK:
            condemn_since(s, request->slot, request->generation, sentence, request->sent_ns);
            break;
        case REQUEST_KILL_RUNNING:
            condemn_running(s, request->before, sentence, request->sent_ns);
            break;
        case REQUEST_GROUP_FD:
            s->groups_with_fds = true;
            groupfd_ring(s);
            break;
        case REQUEST_QUIT:
            s->quitting = true;
            break;
        case REQUEST_ASK_TASK:
            ask_task(s, request->slot, request->generation);
            break;
        }
    }
    /* ORD(request:decided) pairs ORD(request:awaited): what was decided stands in the words before. */
    atomic_store_explicit(&control->requests_handled, (uint32_t)s->requests_seen, memory_order_release);
    futex_wake(&control->requests_handled, INT_MAX);
}
