/*
 * floor.c - the raw hand-over between processes: what no pool of this shape can beat
 *
 * One 64-bit word per slot, over a memfd: the round in the high half, the phase in the low. The owner stores the
 * argument and then READY; a worker claims by one compare-and-swap, stores the result and then DONE. No queue, no
 * futures, no recovery, no limits. Workers follow each producer's submit order with cursors of their own; sharing one
 * is slower.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <unistd.h>

#include "child.h"
#include "family.h"
#include "flow.h"
#include "ticket.h"

enum { FREE, READY, TAKEN, DONE };

struct slot {
    alignas(64) _Atomic uint64_t word; /* round << 32 | phase */
    uint64_t value;                    /* the argument, then the result */
};

struct subject {
    struct slot *slot;
    uint32_t     round[FLOW_WINDOW]; /* the owner's private count */
    int          asleep;             /* block at once instead of spinning */
    unsigned     producers;          /* each has its own places, and follows their order */
};

/* More pauses than a hand-over takes. Beyond them the other side is probably off its processor: let it have this one. */
#define PAUSES_BEFORE_YIELD 200

static _Atomic uint32_t *low_half(struct slot *slot) {
    return (_Atomic uint32_t *)&slot->word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static void wait_for_change(struct slot *slot, uint64_t seen, int asleep) {
    unsigned turn;

    if (asleep) {
        futex_wait(low_half(slot), (uint32_t)seen);
        return;
    }
    for (turn = 1; atomic_load_explicit(&slot->word, memory_order_relaxed) == seen; turn++) {
        if (turn % PAUSES_BEFORE_YIELD == 0)
            sched_yield();
        else
            spin_pause();
    }
}

/* Takes the next task of a producer, if it is there; *next: places that the producer has gone through. */
static int work_once(struct subject *self, size_t first, size_t window, uint64_t *next, uint64_t *seen) {
    struct slot *slot = &self->slot[first + *next % window];
    uint32_t     round = (uint32_t)(*next / window) + 1;
    uint64_t     word = atomic_load_explicit(&slot->word, memory_order_acquire);

    *seen = word;
    if (word >> 32 < round)
        return 0;
    ++*next;
    if (word != ((uint64_t)round << 32 | READY) || !atomic_compare_exchange_strong(&slot->word, &word, word + 1))
        return 1; /* another worker's */
    slot->value = flow_task(slot->value);
    atomic_store_explicit(&slot->word, (uint64_t)round << 32 | DONE, memory_order_release);
    if (self->asleep) /* a worker that fell behind may sleep there too, not only the owner */
        futex_wake_all(low_half(slot));
    return 1;
}

static void work(void *context) {
    struct subject *self = context;
    uint64_t        next = 0, seen;

    for (;;)
        if (!work_once(self, 0, FLOW_WINDOW, &next, &seen))
            wait_for_change(&self->slot[next % FLOW_WINDOW], seen, self->asleep);
}

static void work_for_many(void *context) {
    struct subject *self = context;
    uint64_t        next[FLOW_PRODUCERS_MAX] = {0}, seen;
    size_t          window = FLOW_WINDOW / self->producers;
    unsigned        producer, found, idle = 0;

    for (;;) {
        for (producer = found = 0; producer < self->producers; producer++)
            found += (unsigned)work_once(self, producer * window, window, &next[producer], &seen);
        idle = found != 0 ? 0 : idle + 1;
        if (idle % PAUSES_BEFORE_YIELD == PAUSES_BEFORE_YIELD - 1)
            sched_yield();
        else if (idle != 0)
            spin_pause();
    }
}

static void submit(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;
    struct slot    *slot = &self->slot[place];

    slot->value = argument;
    atomic_store_explicit(&slot->word, (uint64_t)++self->round[place] << 32 | READY, memory_order_release);
    if (self->asleep)
        futex_wake_all(low_half(slot));
}

static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;
    struct slot    *slot = &self->slot[place];
    uint64_t        word;

    while ((word = atomic_load_explicit(&slot->word, memory_order_acquire)) % (UINT64_C(1) << 32) != DONE)
        wait_for_change(slot, word, self->asleep);
    return slot->value;
}

static void run(struct flow_job *job) {
    static struct subject subject;
    struct flow           flow = {&subject, submit, collect, NULL};
    struct child          worker[8] = {{0}};
    unsigned              i;

    subject.slot = shared_memory(FLOW_WINDOW * sizeof(struct slot));
    subject.asleep = job->is_sleepy;
    subject.producers = job->producers;
    for (i = 0; i < job->workers; i++)
        worker[i] = child_start(job->producers == 1 ? work : work_for_many, &subject);
    flow_measure(job, &flow);
    for (i = 0; i < job->workers; i++)
        child_kill(worker[i]);
}

static void be_idle(void *unused) {
    (void)unused;
    for (;;)
        pause();
}

/* As many bare processes as a pool with two workers has: supervisor, two hosts, standby. */
static void bare_processes(const struct bench_case *self, struct samples *out) {
    struct child child[4];
    uint64_t     before = family_kib();
    unsigned     i;

    (void)self;
    for (i = 0; i < 4; i++)
        child[i] = child_start(be_idle, NULL);
    sleep_ns(20000000);
    samples_add(out, (double)family_kib() - (double)before);
    for (i = 0; i < 4; i++)
        child_kill(child[i]);
}

static void ideal(const struct bench_case *self, struct samples *out) {
    (void)self;
    samples_add(out, 1);
}

static const struct flow_subject subjects[] = {
    {"floor", run, FLOW_ALL & ~(FLOW_IDLE | FLOW_BURST), 0, 0},
};

static const struct bench_case others[] = {
    {"efficiency-1us", "ideal", "share", ideal, 2, 0},
    {"efficiency-10us", "ideal", "share", ideal, 2, 0},
    {"idle-memory", "raw-fork", "KiB", bare_processes, 4, 0},
};

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], others,
                     sizeof others / sizeof others[0]);
}
