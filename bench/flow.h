/*
 * flow.h - the same stream of tasks for every subject
 *
 * One producer, the main thread, submits every task and collects every result, oldest first, with at most FLOW_WINDOW
 * of them outstanding. A subject provides only the two calls; loops, clocks and checks are common to all.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_FLOW_H
#define BENCH_FLOW_H

#include "measure.h"

#define FLOW_WINDOW 1024

/* An argument with this bit asks the task to keep its processor busy for the other bits' nanoseconds. */
#define FLOW_BUSY (UINT64_C(1) << 63)
/* One with this bit asks the task to bind its thread to the processor of the other bits' number. */
#define FLOW_BIND (UINT64_C(1) << 62)

struct flow {
    void *subject;
    void (*submit)(void *subject, size_t place, uint64_t argument); /* place is free, 0..FLOW_WINDOW-1 */
    uint64_t (*collect)(void *subject, size_t place);               /* waits for the task in place, frees it */
};

uint64_t flow_order(uint64_t argument); /* the rare task that has one of the bits: returns the nanoseconds it took */

/* What every task does, in every subject: no work worth the name, but a result that can be checked. */
static inline uint64_t flow_task(uint64_t argument) {
    return argument >= FLOW_BIND ? flow_order(argument) : argument + 1;
}

void flow_throughput(const struct flow *flow, struct samples *out);   /* tasks/s, one sample */
void flow_round_trip(const struct flow *flow, struct samples *out);   /* ns, nobody given time to fall asleep */
void flow_round_trip_asleep(const struct flow *flow, struct samples *out); /* ns, worker and main thread both asleep */
void flow_round_trip_apart(const struct flow *flow, struct samples *out);  /* likewise, each on its own processor */

#endif
