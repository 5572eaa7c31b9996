/*
 * mortal_feed.c - items that come one by one: an open map of the pool, beside a task for each, and a bare ring there and back
 *
 * One thread puts items, as many as may be under way, and takes what became of each; the other processors run them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <mortal.h>
#include <stdatomic.h>
#include <string.h>

#include "child.h"
#include "measure.h"
#include "pool.h"
#include "ticket.h"

#define WINDOW          65536u
#define ROUNDS          3
#define MULTIPLICATIONS 800 /* each waits for the one before: some 1 us */

static int compute(uint64_t value) {
    int i;

    value |= 1;
    for (i = 0; i < MULTIPLICATIONS; i++) {
        value *= 0x9e3779b97f4a7c15u;
        __asm__ volatile("" : "+r"(value)); /* or the compiler would see that it is never 0 */
    }
    return value == 0;
}

static int nothing_with(mortal_task *task, const void *item, void *result) {
    (void)task, (void)item, (void)result;
    return 0;
}

static int compute_with(mortal_task *task, const void *item, void *result) {
    (void)task, (void)result;
    return compute(*(const uint64_t *)item);
}

static int nothing_task(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    return 0;
}

static int compute_task(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input_bytes;
    return compute(*(const uint64_t *)input);
}

static bool is_empty(const struct bench_case *self) { return self->variant % 2 == 0; }

static size_t items_of(const struct bench_case *self) {
    return is_empty(self) ? measure_size(5000000, 200000) : measure_size(400000, 20000);
}

static void record(struct samples *out, size_t count, uint64_t since) {
    samples_add(out, (double)count * 1e9 / (double)(clock_ns() - since));
}

static void flow(mortal_map *map, size_t count, bool in_order) {
    mortal_map_entry entry;
    uint64_t         put = 0, taken = 0;

    while (taken < count) {
        while (put < count && put - taken < WINDOW) {
            pool_check(mortal_map_put(map, &put, NULL, 0), "put");
            put++;
        }
        pool_check(mortal_map_next(map, MORTAL_FOREVER, &entry), "next");
        if (entry.verdict.outcome != MORTAL_DONE || (in_order && entry.number != taken))
            measure_fail("item %llu ended as %s", (unsigned long long)entry.number, mortal_outcome_name(entry.verdict.outcome));
        taken++;
    }
}

static void map_items(const struct bench_case *self, struct samples *out) {
    size_t             count = items_of(self);
    mortal_pool       *pool = pool_open((mortal_pool_options){.workers = self->workers});
    mortal_map_options options = {.size = sizeof options, .item_bytes = sizeof(uint64_t), .window = WINDOW,
                                  .order = self->variant / 2};
    mortal_map        *map;
    int                i;

    for (i = 0; i < ROUNDS; i++) {
        uint64_t start;

        pool_check(mortal_map_open(&map, pool, is_empty(self) ? nothing_with : compute_with, &options), "map");
        start = clock_ns();
        flow(map, count, options.order == MORTAL_MAP_IN_ORDER);
        record(out, count, start);
        pool_check(mortal_map_close(map), "close");
    }
    pool_close(pool);
}

/* What one would do without: as many at a time as the queue holds. */
static void submit_items(const struct bench_case *self, struct samples *out) {
    size_t         count = items_of(self);
    mortal_pool   *pool = pool_open((mortal_pool_options){.workers = self->workers, .queue_tasks = WINDOW});
    mortal_verdict verdict;
    mortal_group  *group;
    int            i;

    pool_check(mortal_group_open(&group, pool), "group");
    for (i = 0; i < ROUNDS; i++) {
        mortal_task_options options = {.size = sizeof options, .group = group};
        uint64_t            start = clock_ns(), put = 0, taken = 0;

        while (taken < count) {
            while (put < count && put - taken < WINDOW) {
                pool_check(mortal_pool_submit(pool, is_empty(self) ? nothing_task : compute_task, &put, sizeof put, &options, NULL),
                           "submit");
                put++;
            }
            pool_check(mortal_group_next(group, MORTAL_FOREVER, &verdict), "next");
            if (verdict.outcome != MORTAL_DONE)
                measure_fail("a task ended as %s", mortal_outcome_name(verdict.outcome));
            pool_check(mortal_future_release(verdict.future), "release");
            taken++;
        }
        record(out, count, start);
    }
    pool_close(pool);
}

struct ring {
    _Alignas(64) _Atomic uint64_t put;
    _Alignas(64) _Atomic uint64_t done;
    _Alignas(64) uint64_t items[WINDOW];
    uint8_t outcomes[WINDOW];
};

static struct ring *ring;
static int (*volatile work)(uint64_t);

static int nothing(uint64_t value) { return value == UINT64_MAX; }

static void work_off(void *unused) {
    uint64_t done = 0, put;

    (void)unused;
    for (;;) {
        while ((put = atomic_load_explicit(&ring->put, memory_order_acquire)) == done)
            spin_pause();
        for (; done < put; done++) {
            ring->outcomes[done % WINDOW] = work(ring->items[done % WINDOW]) == 0 ? MORTAL_DONE : MORTAL_FAILED;
            atomic_store_explicit(&ring->done, done + 1, memory_order_release);
        }
    }
}

/* One process, so it is a floor where items are empty. */
static void ring_items(const struct bench_case *self, struct samples *out) {
    size_t       count = items_of(self);
    uint64_t     put = 0, taken = 0, start;
    struct child child;

    work = is_empty(self) ? nothing : compute;
    ring = shared_memory(sizeof *ring);
    child = child_start(work_off, NULL);
    start = clock_ns();
    while (taken < count) {
        while (put < count && put - taken < WINDOW) {
            ring->items[put % WINDOW] = put;
            atomic_store_explicit(&ring->put, ++put, memory_order_release);
        }
        while (atomic_load_explicit(&ring->done, memory_order_acquire) == taken)
            spin_pause();
        if (ring->outcomes[taken % WINDOW] != MORTAL_DONE)
            measure_fail("an item ended otherwise");
        taken++;
    }
    record(out, count, start);
    child_kill(child);
}

static const struct bench_case cases[] = {
    {"map-stream-noop", "mortal", "items/s", map_items, 2, 0},
    {"map-stream-noop", "mortal-as-finished", "items/s", map_items, 2, 2},
    {"map-stream-noop", "mortal-group", "items/s", submit_items, 2, 0},
    {"map-stream-noop", "raw-ring-pair", "items/s", ring_items, 1, 0},
    {"map-stream-1us", "mortal", "items/s", map_items, 2, 1},
    {"map-stream-1us", "mortal-as-finished", "items/s", map_items, 2, 3},
    {"map-stream-1us", "mortal-group", "items/s", submit_items, 2, 1},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
