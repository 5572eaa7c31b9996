/*
 * apr.c - the thread pool of the Apache Portable Runtime: all streams
 *
 * All threads there from the start, none ends for being idle, none more is made for being late. It tells nobody that a
 * task is done, so completion is a word by atomics and futex.
 *
 * SPDX-License-Identifier: MIT
 */
#include <apr_general.h>
#include <apr_thread_pool.h>
#include <stdalign.h>

#include "flow.h"
#include "ticket.h"

struct place {
    alignas(64) ticket_word ticket;
    uint64_t value; /* the argument, then the result */
};

struct subject {
    apr_thread_pool_t *pool;
    struct place       place[FLOW_WINDOW];
};

static void *APR_THREAD_FUNC run_task(apr_thread_t *thread, void *data) {
    struct place *place = data;

    (void)thread;
    place->value = flow_task(place->value);
    ticket_finish(&place->ticket);
    return NULL;
}

static void submit(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;
    struct place   *here = &self->place[place];

    here->value = argument;
    atomic_store_explicit(&here->ticket, TICKET_OPEN, memory_order_relaxed); /* the push publishes it */
    if (apr_thread_pool_push(self->pool, run_task, here, APR_THREAD_TASK_PRIORITY_NORMAL, NULL) != APR_SUCCESS)
        measure_fail("apr_thread_pool_push refused");
}

static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;

    ticket_wait(&self->place[place].ticket);
    return self->place[place].value;
}

static void run(struct flow_job *job) {
    static struct subject subject;
    struct flow           flow = {&subject, submit, collect, NULL};
    apr_pool_t           *memory;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&memory, NULL) != APR_SUCCESS)
        measure_fail("apr does not start");
    if (apr_thread_pool_create(&subject.pool, job->workers, job->workers, memory) != APR_SUCCESS)
        measure_fail("apr_thread_pool_create failed");
    apr_thread_pool_idle_max_set(subject.pool, job->workers);
    flow_measure(job, &flow);
    apr_thread_pool_destroy(subject.pool);
    apr_terminate();
}

static const struct flow_subject subjects[] = {
    {"apr", run, FLOW_ALL, 0, 0},
};

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], NULL, 0);
}
