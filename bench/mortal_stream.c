/*
 * mortal_stream.c - mortal: parts that a task emits as fast as it can, and the main thread takes
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>
#include <string.h>

#include "measure.h"
#include "ring.h"

struct plan {
    unsigned bytes;
    size_t   count;
};

static int emit_all(mortal_task *task, const void *input, size_t input_bytes) {
    const struct plan *plan = input;
    char               part[4096];
    size_t             i;

    (void)input_bytes;
    memset(part, 1, sizeof part);
    for (i = 0; i < plan->count; i++) {
        memcpy(part, &i, sizeof i);
        if (mortal_task_emit(task, part, plan->bytes, MORTAL_FOREVER) != 0)
            return 1;
    }
    return 0;
}

static void check(int result, const char *what) {
    if (result != 0)
        measure_fail("%s: %s (%s)", what, strerror(-result), mortal_why());
}

static void stream(const struct bench_case *self, struct samples *out) {
    mortal_pool_options options = {.size = sizeof options, .workers = self->workers, .stream_bytes = STREAM_BYTES};
    struct plan         plan = {streams[self->variant].bytes, 0};
    mortal_pool        *pool;
    mortal_future       future;
    mortal_part         part;
    uint64_t            began;
    size_t              i, number;

    plan.count = measure_size(streams[self->variant].count, streams[self->variant].quick);
    check(mortal_pool_open(&pool, &options), "open");
    began = clock_ns();
    check(mortal_pool_submit(pool, emit_all, &plan, sizeof plan, NULL, &future), "submit");
    for (i = 0; i < plan.count; i++) {
        check(mortal_future_next(future, MORTAL_FOREVER, &part), "next");
        memcpy(&number, part.data, sizeof number);
        if (number != i || part.bytes != plan.bytes)
            measure_fail("part %zu is %zu, of %zu bytes", i, number, part.bytes);
    }
    samples_add(out, (double)plan.count * 1e9 / (double)(clock_ns() - began));
    check(mortal_future_release(future), "release");
    check(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL), "close");
}

static const struct bench_case cases[] = {
    {"stream-64", "mortal", "parts/s", stream, 1, 0},
    {"stream-4k", "mortal", "parts/s", stream, 1, 1},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
