/*
 * libuv.c - uv_queue_work: a no-op stream and round trips
 *
 * libuv has no pool to open or close: its threads start at the first request and end with the program.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "flow.h"

struct place {
    alignas(64) uv_work_t request;
    uint64_t value; /* the argument, then the result */
    int      done;  /* touched by the loop's thread only */
};

struct subject {
    uv_loop_t    loop;
    struct place place[FLOW_WINDOW];
};

static void run_task(uv_work_t *request) {
    struct place *place = request->data;

    place->value = flow_task(place->value);
}

static void after_task(uv_work_t *request, int status) {
    struct place *place = request->data;

    if (status != 0)
        measure_fail("uv_queue_work: %s", uv_strerror(status));
    place->done = 1;
}

static void submit(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;
    struct place   *here = &self->place[place];

    here->value = argument;
    here->done = 0;
    here->request.data = here;
    if (uv_queue_work(&self->loop, &here->request, run_task, after_task) != 0)
        measure_fail("uv_queue_work refused");
}

/* One turn of the loop takes all completions there are, so the stream refills its window in batches. */
static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;

    while (!self->place[place].done)
        uv_run(&self->loop, UV_RUN_ONCE);
    return self->place[place].value;
}

static void run_flow(const struct bench_case *self, struct samples *out,
                     void (*measure)(const struct flow *, struct samples *)) {
    static struct subject subject;
    struct flow           flow = {&subject, submit, collect};
    char                  workers[16];

    snprintf(workers, sizeof workers, "%u", self->workers);
    setenv("UV_THREADPOOL_SIZE", workers, 1);
    if (uv_loop_init(&subject.loop) != 0)
        measure_fail("uv_loop_init failed");
    measure(&flow, out);
    uv_run(&subject.loop, UV_RUN_DEFAULT);
    uv_loop_close(&subject.loop);
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
    {"noop-throughput-1w", "libuv", "tasks/s", throughput, 1, 0},
    {"noop-throughput-2w", "libuv", "tasks/s", throughput, 2, 0},
    {"round-trip", "libuv", "ns", round_trip, 1, 0},
    {"round-trip-asleep", "libuv", "ns", round_trip_asleep, 1, 0},
    {"round-trip-apart", "libuv", "ns", round_trip_apart, 1, 0},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
