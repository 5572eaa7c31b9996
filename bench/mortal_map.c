/*
 * mortal_map.c - one function over very many items: the pool's map, beside plain loops
 *
 * The items are numbers, as with the map of a pool where there is no array. Every subject calls a function that it does not
 * know at compile time once for each item, keeps a byte of outcome for each, and counts those at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "pool.h"

#define WORKERS 2
#define ROUNDS  3
#define MULTIPLICATIONS 800 /* each waits for the one before: some 1 us */

static int do_nothing(mortal_task *task, const void *item, void *result) {
    (void)task, (void)item, (void)result;
    return 0;
}

static int compute(mortal_task *task, const void *item, void *result) {
    uint64_t value = *(const uint64_t *)item | 1;
    int      i;

    (void)task, (void)result;
    for (i = 0; i < MULTIPLICATIONS; i++) {
        value *= 0x9e3779b97f4a7c15u;
        __asm__ volatile("" : "+r"(value)); /* or the compiler would see that it is never 0 */
    }
    return value == 0;
}

static mortal_map_function *const volatile functions[] = {do_nothing, compute};

static size_t items_of(const struct bench_case *self) {
    return self->variant == 0 ? measure_size(100000000, 1000000) : measure_size(400000, 20000);
}

static void record(struct samples *out, size_t count, size_t done, uint64_t since) {
    if (done != count)
        measure_fail("%zu of %zu items are done", done, count);
    samples_add(out, (double)count * 1e9 / (double)(clock_ns() - since));
}

static void map_with_pool(const struct bench_case *self, struct samples *out) {
    size_t       count = items_of(self), done;
    mortal_pool *pool = pool_open((mortal_pool_options){.workers = self->workers});
    int          i;

    for (i = 0; i < ROUNDS; i++) {
        uint64_t start = clock_ns();
        pool_check(mortal_pool_map(pool, functions[self->variant], NULL, 0, NULL, 0, count, NULL, NULL, &done), "map");
        record(out, count, done, start);
    }
    pool_close(pool);
}

struct share {
    mortal_map_function *function;
    uint8_t             *outcomes;
    size_t               from, to;
};

static void *run_share(void *context) {
    const struct share *share = context;
    uint64_t            i;

    for (i = share->from; i < share->to; i++)
        share->outcomes[i] = share->function(NULL, &i, NULL) == 0 ? 1 : 2;
    return NULL;
}

static size_t count_done(const uint8_t *outcomes, size_t count) {
    size_t i, done = 0;

    for (i = 0; i < count; i++)
        done += outcomes[i] == 1;
    return done;
}

static void map_with_threads(const struct bench_case *self, struct samples *out) {
    size_t count = items_of(self);
    int    i;

    for (i = 0; i < ROUNDS; i++) {
        uint64_t     start = clock_ns();
        uint8_t     *outcomes = calloc(count, 1);
        pthread_t    threads[WORKERS];
        struct share shares[WORKERS];
        size_t       t;

        if (outcomes == NULL)
            measure_fail("no memory");
        for (t = 0; t < WORKERS; t++) {
            shares[t] = (struct share){.function = functions[self->variant], .outcomes = outcomes,
                                       .from = count * t / WORKERS, .to = count * (t + 1) / WORKERS};
            pool_check(-pthread_create(&threads[t], NULL, run_share, &shares[t]), "pthread_create");
        }
        for (t = 0; t < WORKERS; t++)
            pool_check(-pthread_join(threads[t], NULL), "pthread_join");
        record(out, count, count_done(outcomes, count), start);
        free(outcomes);
    }
}

#ifdef _OPENMP
static void map_with_openmp(const struct bench_case *self, struct samples *out) {
    size_t count = items_of(self);
    int    round;

    for (round = 0; round < ROUNDS; round++) {
        uint64_t             start = clock_ns();
        mortal_map_function *function = functions[self->variant];
        uint8_t             *outcomes = calloc(count, 1);
        uint64_t             i;

        if (outcomes == NULL)
            measure_fail("no memory");
#pragma omp parallel for num_threads(WORKERS) schedule(dynamic, 64)
        for (i = 0; i < count; i++)
            outcomes[i] = function(NULL, &i, NULL) == 0 ? 1 : 2;
        record(out, count, count_done(outcomes, count), start);
        free(outcomes);
    }
}
#else
static void map_with_openmp(const struct bench_case *self, struct samples *out) {
    (void)self, (void)out;
    measure_skip("the compiler has no OpenMP");
}
#endif

static const struct bench_case cases[] = {
    {"map-noop", "mortal", "items/s", map_with_pool, WORKERS, 0},
    {"map-noop", "plain-loops", "items/s", map_with_threads, WORKERS, 0},
    {"map-noop", "openmp", "items/s", map_with_openmp, WORKERS, 0},
    {"map-1us", "mortal", "items/s", map_with_pool, WORKERS, 1},
    {"map-1us", "plain-loops", "items/s", map_with_threads, WORKERS, 1},
    {"map-1us", "openmp", "items/s", map_with_openmp, WORKERS, 1},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
