/* What the tests of recovery share: a task in any state that a host can leave behind, and what must become of it. */
#ifndef DEATHS_H
#define DEATHS_H

#include "unit.h"

#include "region/recover.h"
#include "system/clock.h"

enum { SLOT = 3, LIFE = 2, WORKER = 1, OTHER = 0, GENERATION = 77, STARTED_NS = 5, CPU_BEFORE_NS = 30, CPU_NS = 70,
       PEAK_PAGES = 9 };

/* Of the task and its host, when the host died. */
struct scene {
    enum slot_phase phase;
    bool begun, stamped, overwritten; /* the last: not begun, by what a task wrote over it */
    uint32_t attempts; /* that it may make */
    uint32_t charged;  /* that it has made, in earlier lives */
    enum sentence sentence;
    struct death death;
};

/* What is to be found afterwards. */
struct outcome {
    enum recovered recovered;
    enum slot_phase phase;
    uint32_t charged;
    bool tells_why, culprit;
};

HELPER struct outcome ended(enum slot_phase phase, uint32_t charged, bool tells_why, bool culprit)
{
    return (struct outcome){RECOVERED_ENDED, phase, charged, tells_why, culprit};
}

HELPER struct outcome returned(uint32_t charged)
{
    return (struct outcome){RECOVERED_RETURNED, SLOT_PENDING, charged, false, false};
}

/* The table of recover.h, once more and in other words. */
HELPER struct outcome expected_of(const struct scene *s)
{
    uint32_t charged = s->charged;
    bool others_fault = s->death.asked || s->death.culprit == OTHER;
    bool may_again = charged + 1 < s->attempts;
    if (s->phase == SLOT_RUNNING) {
        if (!s->begun && !s->overwritten)
            return returned(charged);
        if (s->overwritten && s->death.asked)
            return may_again ? returned(charged + 1) : ended(SLOT_LOST, charged + 1, false, false);
        if (others_fault)
            return s->attempts > 1 ? returned(charged) : ended(SLOT_COLLATERAL, charged, !s->death.asked, false);
        enum slot_phase spent = s->death.out_of_memory ? SLOT_OUT_OF_MEMORY
                                : s->attempts > 1      ? SLOT_QUARANTINED
                                                       : SLOT_CRASHED;
        return may_again ? returned(charged + 1) : ended(spent, charged + 1, true, s->death.culprit == WORKER);
    }
    if (s->phase == SLOT_DYING) {
        if (s->begun || s->overwritten) {
            bool over_cap = s->sentence == SENTENCE_MEMORY || s->sentence == SENTENCE_CPU || s->sentence == SENTENCE_PROCESSES;
            if ((s->sentence == SENTENCE_DEADLINE || over_cap) && may_again)
                return returned(charged + 1);
            if (over_cap)
                return ended(s->sentence == SENTENCE_MEMORY ? SLOT_OUT_OF_MEMORY
                             : s->sentence == SENTENCE_CPU  ? SLOT_TIMED_OUT
                             : s->attempts > 1              ? SLOT_QUARANTINED
                                                            : SLOT_CRASHED,
                             charged + 1, true, true);
            bool late = s->sentence == SENTENCE_DEADLINE || s->sentence == SENTENCE_WITHIN;
            return ended(late ? SLOT_TIMED_OUT : SLOT_KILLED, charged + 1, false, true);
        }
        if (s->sentence == SENTENCE_KILL)
            return ended(SLOT_CANCELLED, charged, false, false);
        if (s->sentence == SENTENCE_WITHIN)
            return ended(SLOT_EXPIRED, charged, false, false);
        return returned(charged);
    }
    return (struct outcome){RECOVERED_NOTHING, s->phase, charged, false, false};
}

HELPER uint64_t charge_word(uint32_t starts, uint32_t life, uint32_t worker)
{
    return (uint64_t)starts << 40 | (uint64_t)life << WORKER_BITS | worker;
}

/* As it is at the instant of death. Starts of earlier lives were charged to those. */
HELPER void set_scene(struct region *r, const struct scene *s)
{
    word_put(r, SLOT, word_make(GENERATION, s->phase, LIFE, WORKER));
    order_of(r, SLOT)->attempts = s->attempts;
    atomic_store(&care_of(r, SLOT)->charged, s->charged == 0 ? CARE_UNCHARGED : charge_word(s->charged, LIFE + 1, WORKER));
    memset(fate_of(r, SLOT), 0xee, sizeof(struct fate));
    atomic_store(&order_of(r, SLOT)->flags, s->stamped ? ORDER_STAMPED : 0);
    struct desk *desk = desk_of(r, LIFE, WORKER);
    atomic_store(&desk->started_ns, STARTED_NS);
    atomic_store(&desk->cpu_ns, CPU_BEFORE_NS);
    atomic_store(&desk->wanted, queue_entry(SLOT, GENERATION));
    atomic_store(&desk->intent, SLOT + 1);
    atomic_store(&care_of(r, SLOT)->returned, CARE_UNCHARGED);
    uint64_t garbage = word_make(GENERATION - 1, SLOT_RUNNING, LIFE, WORKER);
    uint64_t begun = s->begun ? word_make(GENERATION, SLOT_RUNNING, LIFE, WORKER) : 0;
    atomic_store(&desk->begun, s->overwritten ? garbage : begun);
}

HELPER int cause_of(enum sentence sentence)
{
    return sentence == SENTENCE_MEMORY      ? MORTAL_CAUSE_MEMORY
           : sentence == SENTENCE_CPU       ? MORTAL_CAUSE_CPU
           : sentence == SENTENCE_PROCESSES ? MORTAL_CAUSE_PROCESSES
                                            : 0;
}

HELPER void check_outcome(struct region *r, const struct scene *s, const struct outcome *o)
{
    uint64_t word = word_now(r, SLOT);
    CHECK_EQ(word_phase(word), o->phase);
    CHECK_EQ(word_generation(word), GENERATION);
    CHECK_EQ(care_attempts(care_of(r, SLOT)), o->charged);
    if (o->recovered == RECOVERED_RETURNED)
        CHECK_EQ(word, word_make(GENERATION, SLOT_PENDING, 0, 0));
    if (o->recovered != RECOVERED_ENDED)
        return;
    const struct fate *fate = fate_of(r, SLOT);
    CHECK_EQ(atomic_load(&fate->word), word);
    /* What was cut over a cap tells of the cap, and not of the signal that cut it. */
    int cap = s->phase != SLOT_DYING ? 0 : cause_of(s->sentence);
    bool tells_death = o->tells_why && cap == 0;
    CHECK_EQ(fate->cause, tells_death ? s->death.cause : o->tells_why ? cap : 0);
    CHECK_EQ(fate->signal, tells_death ? s->death.signal : 0);
    CHECK_EQ(fate->signal_code, tells_death ? s->death.signal_code : 0);
    CHECK_EQ(fate->exit_code, tells_death ? s->death.exit_code : 0);
    CHECK_EQ(fate->fault_address, tells_death ? s->death.fault_address : 0);
    CHECK_EQ(fate->cpu_ns, s->begun ? CPU_NS : 0);
    CHECK_EQ(fate->peak_pages, PEAK_PAGES);
    CHECK_EQ(fate->culprit, o->culprit);
    bool tells_times = s->begun && s->stamped;
    CHECK_EQ(fate->began_ns, tells_times ? STARTED_NS : 0);
    CHECK(tells_times ? fate->ran_ns > STARTED_NS && fate->ran_ns < clock_ns() : fate->ran_ns == 0);
}

/* Every state in which a host can die: calls back with each. */
HELPER uint32_t for_each_scene(void (*visit)(const struct scene *))
{
    uint32_t scenes = 0;
    const uint32_t culprits[] = {NO_WORKER, WORKER, OTHER};
    struct scene s;
    memset(&s, 0, sizeof s);
    s.death = (struct death){.at_ns = 1000 * STARTED_NS, .cause = 4711, .signal = 11, .signal_code = 1, .exit_code = 9, .fault_address = 0xdead0010,
                              .cpu_ns = CPU_BEFORE_NS + CPU_NS, .peak_bytes = PEAK_PAGES * 4096};
    for (s.phase = SLOT_FREE; s.phase <= SLOT_OUT_OF_MEMORY; s.phase++)
        for (unsigned bits = 0; bits < 32; bits++)
            for (s.attempts = 1; s.attempts <= 3; s.attempts++)
                for (s.charged = 0; s.charged < s.attempts; s.charged++)
                    for (s.sentence = SENTENCE_NONE; s.sentence <= SENTENCE_PROCESSES; s.sentence++)
                        for (size_t c = 0; c < COUNT(culprits); c++, scenes++) {
                            s.overwritten = (bits & 8) != 0;
                            s.begun = (bits & 1) != 0 && !s.overwritten;
                            s.stamped = (bits & 2) != 0;
                            s.death.asked = (bits & 4) != 0;
                            s.death.out_of_memory = (bits & 16) != 0;
                            s.death.culprit = culprits[c];
                            visit(&s);
                        }
    return scenes;
}

#endif
