/*
 * openmp.c - OpenMP tasks: all streams of one producer
 *
 * A team of the workers and the main thread. The main thread makes tasks and waits for a completion word of ours,
 * never in a taskwait, so it has no reason to run tasks; the workers wait at the barrier that ends the region, and
 * run tasks there. But a runtime may run a task at once in who makes it: gcc's does with more than 64 unfinished tasks
 * for each thread of the team, so fewer are outstanding here. Only threads of the team can make tasks for it, which is
 * why there are no streams of several producers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <omp.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "flow.h"
#include "ticket.h"

#define WINDOW 128 /* with one worker and the main thread; the same for all */

struct place {
    alignas(64) ticket_word ticket;
    uint64_t value; /* the argument, then the result */
};

static struct place   places[FLOW_WINDOW];
static _Atomic size_t run_by_main; /* tasks that the main thread ran after all */

static void run_task(struct place *place) {
    if (omp_get_thread_num() == 0)
        atomic_fetch_add(&run_by_main, 1);
    place->value = flow_task(place->value);
    ticket_finish(&place->ticket);
}

static void submit(void *unused, size_t number, uint64_t argument) {
    struct place *place = &places[number];

    (void)unused;
    place->value = argument;
    atomic_store_explicit(&place->ticket, TICKET_OPEN, memory_order_relaxed); /* making the task publishes it */
#pragma omp task firstprivate(place)
    run_task(place);
}

static uint64_t collect(void *unused, size_t number) {
    (void)unused;
    ticket_wait(&places[number].ticket);
    return places[number].value;
}

static void run(struct flow_job *job) {
    struct flow flow = {NULL, submit, collect, NULL};

    omp_set_dynamic(0);
#pragma omp parallel num_threads(job->workers + 1)
    {
#pragma omp master
        {
            if (omp_get_num_threads() != (int)job->workers + 1)
                measure_fail("OpenMP gave another number of threads");
            flow_measure(job, &flow);
            if (atomic_load(&run_by_main) != 0)
                measure_fail("the main thread ran %zu tasks", atomic_load(&run_by_main));
        }
    }
}

static const struct flow_subject subjects[] = {
    {"openmp", run, FLOW_ALL & ~FLOW_MANY, 0, WINDOW},
};

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], NULL, 0);
}
