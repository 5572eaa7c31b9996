/*
 * libuv.c - uv_queue_work: all streams
 *
 * A loop belongs to one thread, so each producer has its own; the threads that work are common to all loops.
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
    uv_loop_t    loop[FLOW_PRODUCERS_MAX];
    size_t       share; /* places of each loop */
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
    if (uv_queue_work(&self->loop[place / self->share], &here->request, run_task, after_task) != 0)
        measure_fail("uv_queue_work refused");
}

/* One turn of the loop takes all completions there are, so the stream refills its window in batches. */
static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;

    while (!self->place[place].done)
        uv_run(&self->loop[place / self->share], UV_RUN_ONCE);
    return self->place[place].value;
}

static void run(struct flow_job *job) {
    static struct subject subject;
    struct flow           flow = {&subject, submit, collect, NULL};
    char                  workers[16];
    unsigned              i;

    snprintf(workers, sizeof workers, "%u", job->workers);
    setenv("UV_THREADPOOL_SIZE", workers, 1);
    subject.share = FLOW_WINDOW / job->producers;
    for (i = 0; i < job->producers; i++)
        if (uv_loop_init(&subject.loop[i]) != 0)
            measure_fail("uv_loop_init failed");
    flow_measure(job, &flow);
    for (i = 0; i < job->producers; i++) {
        uv_run(&subject.loop[i], UV_RUN_DEFAULT);
        uv_loop_close(&subject.loop[i]);
    }
}

static const struct flow_subject subjects[] = {
    {"libuv", run, FLOW_ALL, 0, 0},
};

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], NULL, 0);
}
