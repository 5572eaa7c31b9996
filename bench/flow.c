/*
 * flow.c - the same stream of tasks for every subject
 *
 * SPDX-License-Identifier: MIT
 */
#include "flow.h"

#include <sched.h>

#define PAUSE_NS 300000 /* long beyond the spinning of any subject: its workers sleep */
#define BUSY_NS  50000  /* likewise: whoever waits for this task's result sleeps when it comes */

static void bind_thread(unsigned processor) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        measure_fail("cannot bind to processor %u", processor);
}

uint64_t flow_order(uint64_t argument) {
    uint64_t start = clock_ns(), number = argument & ~(FLOW_BUSY | FLOW_BIND), now = start;

    if ((argument & FLOW_BIND) != 0)
        bind_thread((unsigned)number);
    else
        while ((now = clock_ns()) < start + number)
            ;
    return now - start;
}

static void collect_checked(const struct flow *flow, uint64_t argument) {
    uint64_t result = flow->collect(flow->subject, argument % FLOW_WINDOW);

    if (result != argument + 1)
        measure_fail("task %llu came back as %llu", (unsigned long long)argument, (unsigned long long)result);
}

static void stream(const struct flow *flow, uint64_t tasks) {
    uint64_t submitted, collected = 0;

    for (submitted = 0; submitted < tasks; submitted++) {
        if (submitted - collected == FLOW_WINDOW)
            collect_checked(flow, collected++);
        flow->submit(flow->subject, submitted % FLOW_WINDOW, submitted);
    }
    while (collected < tasks)
        collect_checked(flow, collected++);
}

void flow_throughput(const struct flow *flow, struct samples *out) {
    uint64_t tasks = measure_size(400 * FLOW_WINDOW, 20 * FLOW_WINDOW), start;

    stream(flow, 8 * FLOW_WINDOW); /* first touch of memory, threads that start late */
    start = clock_ns();
    stream(flow, tasks);
    samples_add(out, (double)tasks * 1e9 / (double)(clock_ns() - start));
}

void flow_round_trip(const struct flow *flow, struct samples *out) {
    /* A sample is a mean over many trips, since reading the clock twice costs a good part of one. */
    size_t   trips = measure_size(1000, 200), sample, sample_count = measure_size(25, 5), trip;
    uint64_t argument = 0, start;

    for (sample = 0; sample <= sample_count; sample++) {
        start = clock_ns();
        for (trip = 0; trip < trips; trip++, argument++) {
            flow->submit(flow->subject, argument % FLOW_WINDOW, argument);
            collect_checked(flow, argument);
        }
        if (sample > 0) /* the first one warms up */
            samples_add(out, (double)(clock_ns() - start) / (double)trips);
    }
}

static void asleep_from(size_t place, const struct flow *flow, struct samples *out) {
    size_t   sample, sample_count = measure_size(500, 50);
    uint64_t start, took, own;

    for (sample = 0; sample < sample_count + 10; sample++) {
        sleep_ns(PAUSE_NS);
        start = clock_ns();
        flow->submit(flow->subject, place, FLOW_BUSY | BUSY_NS);
        own = flow->collect(flow->subject, place);
        took = clock_ns() - start;
        place = (place + 1) % FLOW_WINDOW;
        if (own < BUSY_NS || own > took)
            measure_fail("a busy task reports %llu ns of its own", (unsigned long long)own);
        if (sample >= 10)
            samples_add(out, (double)(took - own));
    }
}

void flow_round_trip_asleep(const struct flow *flow, struct samples *out) {
    asleep_from(0, flow, out);
}

void flow_round_trip_apart(const struct flow *flow, struct samples *out) {
    cpu_set_t allowed;
    unsigned  processor, chosen[2], found = 0;

    sched_getaffinity(0, sizeof allowed, &allowed);
    for (processor = 0; processor < CPU_SETSIZE && found < 2; processor++)
        if (CPU_ISSET(processor, &allowed))
            chosen[found++] = processor;
    if (found < 2)
        measure_skip("needs two processors");
    bind_thread(chosen[0]);
    flow->submit(flow->subject, 0, FLOW_BIND | chosen[1]);
    flow->collect(flow->subject, 0);
    asleep_from(1, flow, out); /* the floor's worker takes places in their order */
}
