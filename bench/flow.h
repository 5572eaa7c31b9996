/*
 * flow.h - the same streams of tasks for every subject
 *
 * A producer submits tasks and collects every result, oldest first, with a bounded number of them outstanding. A
 * subject provides two calls, and a function that opens and closes whatever it is; loops, clocks and checks are common
 * to all. The works are listed in flow.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_FLOW_H
#define BENCH_FLOW_H

#include "measure.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLOW_WINDOW        1024 /* outstanding at most, all producers together */
#define FLOW_PRODUCERS_MAX 4

/* An argument with this bit asks the task to keep its processor busy for the other bits' nanoseconds. */
#define FLOW_BUSY (UINT64_C(1) << 63)
/* One with this bit asks the task to bind its thread to the processor of the other bits' number. */
#define FLOW_BIND (UINT64_C(1) << 62)
/* One with this bit asks for so many turns of work as the bits from 32 on say. Turns, not time: who was taken from its
 * processor meanwhile has not worked. */
#define FLOW_TURNS (UINT64_C(1) << 61)

/* Sorts of works. A subject names those that mean something for it. */
enum flow_sort {
    FLOW_ONE = 1,       /* empty tasks, 1 worker */
    FLOW_TWO = 2,       /* empty tasks, 2 workers */
    FLOW_MANY = 4,      /* several producers */
    FLOW_TRIP = 8,      /* a round trip, everybody awake */
    FLOW_SLEEP = 16,    /* round trips, everybody asleep */
    FLOW_SHARE = 32,    /* efficiency */
    FLOW_BURST = 64,
    FLOW_IDLE = 128,    /* what a pool costs that has nothing to do */
    FLOW_ALL = 255
};

struct flow {
    void *subject;
    void (*submit)(void *subject, size_t place, uint64_t argument); /* place is free, 0..FLOW_WINDOW-1 */
    uint64_t (*collect)(void *subject, size_t place);               /* waits for the task in place, frees it */
    /* Calls body(context) as this subject wants a producer's thread to run; null: just so. */
    void (*enter)(void *subject, void (*body)(void *), void *context);
};

struct flow_work;

struct flow_job {
    const struct flow_work *work;
    struct samples         *out;
    unsigned                workers, producers;
    int                     is_sleepy; /* workers are asleep in between: whoever only spins measures something else */
    size_t                  window;    /* places in use, all producers together; each has an equal share of its own */
    int                     variant;   /* the subject's */
    uint64_t                kib_before;
};

struct flow_subject {
    const char *name;
    void (*run)(struct flow_job *job); /* opens, calls flow_measure(), closes */
    int      sorts;                    /* of flow_sort */
    int      variant;                  /* for the subject's own use */
    size_t   window;                   /* if it can bear only fewer than FLOW_WINDOW */
};

void flow_measure(struct flow_job *job, const struct flow *flow);

/* measure_main() for all works of these subjects, and for cases that are no stream. */
int flow_main(int argc, char **argv, const struct flow_subject *subjects, size_t subject_count,
              const struct bench_case *others, size_t other_count);

uint64_t flow_order(uint64_t argument); /* the rare task that has one of the bits */

/* What every task does, in every subject: no work worth the name, but a result that can be checked. */
static inline uint64_t flow_task(uint64_t argument) {
    return argument >= FLOW_TURNS ? flow_order(argument) : argument + 1;
}

#ifdef __cplusplus
}
#endif
#endif
