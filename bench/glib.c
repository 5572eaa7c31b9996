/*
 * glib.c - GThreadPool: all streams, opening and closing
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <stdalign.h>

#include "flow.h"
#include "ticket.h"

struct place {
    alignas(64) ticket_word ticket;
    uint64_t value; /* the argument, then the result */
};

struct subject {
    GThreadPool *pool;
    struct place place[FLOW_WINDOW];
};

static void run_task(gpointer data, gpointer unused) {
    struct place *place = data;

    (void)unused;
    place->value = flow_task(place->value);
    ticket_finish(&place->ticket);
}

static void submit(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;

    self->place[place].value = argument;
    atomic_store_explicit(&self->place[place].ticket, TICKET_OPEN, memory_order_relaxed); /* the push publishes it */
    if (!g_thread_pool_push(self->pool, &self->place[place], NULL))
        measure_fail("g_thread_pool_push refused");
}

static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;

    ticket_wait(&self->place[place].ticket);
    return self->place[place].value;
}

static GThreadPool *open_pool(unsigned workers, gboolean exclusive) {
    GThreadPool *pool = g_thread_pool_new(run_task, NULL, (gint)workers, exclusive, NULL);

    if (pool == NULL)
        measure_fail("g_thread_pool_new failed");
    return pool;
}

static void run(struct flow_job *job) {
    static struct subject subject;
    struct flow           flow = {&subject, submit, collect, NULL};

    subject.pool = open_pool(job->workers, job->variant);
    flow_measure(job, &flow);
    g_thread_pool_free(subject.pool, FALSE, TRUE);
}

/* Opening an exclusive pool starts its threads; closing waits until they took their leave of the pool. */
static void open_close(const struct bench_case *self, struct samples *out) {
    size_t   i, count = measure_size(100, 10);
    uint64_t start, opened, closing;

    for (i = 0; i < count; i++) {
        GThreadPool *pool;

        start = clock_ns();
        pool = open_pool(self->workers, TRUE);
        opened = clock_ns();
        sleep_ns(1000000); /* closing is of a pool at rest */
        closing = clock_ns();
        g_thread_pool_free(pool, TRUE, TRUE);
        samples_add(out, (double)(self->variant ? clock_ns() - closing : opened - start) / 1e3);
    }
}

/* Exclusive or not. Where they differ, exclusive is the faster. */
static const struct flow_subject subjects[] = {
    {"glib", run, FLOW_ALL, TRUE, 0},
    {"glib-shared", run, FLOW_ONE | FLOW_TWO | FLOW_TRIP, FALSE, 0},
};

static const struct bench_case others[] = {
    {"pool-open", "glib", "us", open_close, 2, 0},
    {"pool-close", "glib", "us", open_close, 2, 1},
};

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], others,
                     sizeof others / sizeof others[0]);
}
