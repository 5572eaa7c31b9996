/*
 * raw_stream.c - a bare ring between two processes: copied in, copied out, and nothing that survives anybody
 *
 * SPDX-License-Identifier: MIT
 */
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "child.h"
#include "measure.h"
#include "ring.h"
#include "ticket.h"

struct ring {
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t taken;
    _Alignas(64) unsigned char bytes[STREAM_BYTES];
};

static struct ring *ring;
static unsigned     part_bytes;
static size_t       part_count;

/* Who waits looks some 10 us, then lets others run. */
static void wait_until(const _Atomic uint64_t *word, uint64_t at_least) {
    unsigned turns = 0;

    while (atomic_load_explicit(word, memory_order_acquire) < at_least) {
        if (++turns % 256 == 0)
            sched_yield();
        spin_pause();
    }
}

/* Sizes of which the ring is a multiple, so that none goes around its end. */
static uint64_t stride(void) { return part_bytes; }

static void produce(void *unused) {
    unsigned char part[4096];
    size_t        i;

    (void)unused;
    memset(part, 1, sizeof part);
    for (i = 0; i < part_count; i++) {
        uint64_t at = i * stride();

        if (at + stride() > STREAM_BYTES)
            wait_until(&ring->taken, at + stride() - STREAM_BYTES);
        memcpy(part, &i, sizeof i);
        memcpy(ring->bytes + at % STREAM_BYTES, part, part_bytes);
        atomic_store_explicit(&ring->head, at + stride(), memory_order_release);
    }
}

static void stream(const struct bench_case *self, struct samples *out) {
    unsigned char part[4096];
    struct child  producer;
    uint64_t      began;
    size_t        i, number;

    part_bytes = streams[self->variant].bytes;
    part_count = measure_size(streams[self->variant].count, streams[self->variant].quick);
    ring = shared_memory(sizeof *ring);
    began = clock_ns();
    producer = child_start(produce, NULL);
    for (i = 0; i < part_count; i++) {
        uint64_t at = i * stride();

        wait_until(&ring->head, at + stride());
        memcpy(part, ring->bytes + at % STREAM_BYTES, part_bytes);
        atomic_store_explicit(&ring->taken, at + stride(), memory_order_release);
        memcpy(&number, part, sizeof number);
        if (number != i)
            measure_fail("part %zu is %zu", i, number);
    }
    samples_add(out, (double)part_count * 1e9 / (double)(clock_ns() - began));
    child_kill(producer);
}

static const struct bench_case cases[] = {
    {"stream-64", "raw-ring", "parts/s", stream, 1, 0},
    {"stream-4k", "raw-ring", "parts/s", stream, 1, 1},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
