/*
 * floor.c - the raw hand-over between processes: what no pool of this shape can beat
 *
 * One 64-bit word per slot, over a memfd: the round in the high half, the phase in the low. The owner stores the
 * argument and then READY; a worker claims by one compare-and-swap, stores the result and then DONE. No queue, no
 * futures, no recovery, no limits. Workers follow the submit order with cursors of their own; sharing one is slower.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "child.h"
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

static void work(void *context) {
    struct subject *self = context;
    uint64_t        next, word;

    for (next = 0;;) {
        struct slot *slot = &self->slot[next % FLOW_WINDOW];
        uint32_t     round = (uint32_t)(next / FLOW_WINDOW) + 1;

        word = atomic_load_explicit(&slot->word, memory_order_acquire);
        if (word >> 32 < round) {
            wait_for_change(slot, word, self->asleep);
            continue;
        }
        next++;
        if (word != ((uint64_t)round << 32 | READY) || !atomic_compare_exchange_strong(&slot->word, &word, word + 1))
            continue; /* another worker's */
        slot->value = flow_task(slot->value);
        atomic_store_explicit(&slot->word, (uint64_t)round << 32 | DONE, memory_order_release);
        if (self->asleep)
            futex_wake(low_half(slot));
    }
}

static void submit(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;
    struct slot    *slot = &self->slot[place];

    slot->value = argument;
    atomic_store_explicit(&slot->word, (uint64_t)++self->round[place] << 32 | READY, memory_order_release);
    if (self->asleep)
        futex_wake(low_half(slot));
}

static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;
    struct slot    *slot = &self->slot[place];
    uint64_t        word;

    while ((word = atomic_load_explicit(&slot->word, memory_order_acquire)) % (UINT64_C(1) << 32) != DONE)
        wait_for_change(slot, word, self->asleep);
    return slot->value;
}

static void run_flow(const struct bench_case *self, struct samples *out,
                     void (*measure)(const struct flow *, struct samples *)) {
    static struct subject subject;
    struct flow           flow = {&subject, submit, collect};
    struct child          worker[8];
    unsigned              i;

    subject.slot = shared_memory(FLOW_WINDOW * sizeof(struct slot));
    subject.asleep = self->variant;
    for (i = 0; i < self->workers; i++)
        worker[i] = child_start(work, &subject);
    measure(&flow, out);
    for (i = 0; i < self->workers; i++)
        child_kill(worker[i]);
}

static void throughput(const struct bench_case *self, struct samples *out) {
    run_flow(self, out, flow_throughput);
}

static void round_trip(const struct bench_case *self, struct samples *out) {
    run_flow(self, out, flow_round_trip);
}

static void round_trip_asleep(const struct bench_case *self, struct samples *out) {
    run_flow(self, out, flow_round_trip_asleep);
}

static void round_trip_apart(const struct bench_case *self, struct samples *out) {
    run_flow(self, out, flow_round_trip_apart);
}

static const struct bench_case cases[] = {
    {"noop-throughput-1w", "floor", "tasks/s", throughput, 1, 0},
    {"noop-throughput-2w", "floor", "tasks/s", throughput, 2, 0},
    {"round-trip", "floor", "ns", round_trip, 1, 0},
    {"round-trip-asleep", "floor", "ns", round_trip_asleep, 1, 1},
    {"round-trip-apart", "floor", "ns", round_trip_apart, 1, 1},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
