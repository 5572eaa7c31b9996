/*
 * latency.h - how long it took from the request for a death to the certain death, counted in buckets
 *
 * The supervisor counts, the owner reads. Each bucket is as wide as a quarter of the power of two it lies in, so that a
 * figure read from it is off by a fifth at the most: finer than two runs of the same program differ.
 */
#ifndef REGION_LATENCY_H
#define REGION_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#include <mortal.h>

enum latency_of { LATENCY_OF_KILLS = 0, LATENCY_OF_DEADLINES, LATENCY_KINDS }; /* enum mortal_latency_of less one */

struct latency {
    _Atomic uint64_t counts[MORTAL_LATENCY_BUCKETS]; /* S  whose sum is the count, so that the two cannot differ */
    _Atomic uint64_t sum_ns, max_ns;                 /* S */
};

/* The longest time that belongs into a bucket; of the last one: UINT64_MAX. */
uint64_t latency_bound(uint32_t bucket);

void latency_count(struct latency *latency, uint64_t ns);

/* The bound of the bucket in which so many thousandths of all are reached, at most the longest; 0: there are none. */
uint64_t latency_quantile(const uint64_t counts[MORTAL_LATENCY_BUCKETS], uint64_t max_ns, uint32_t thousandths);

#endif
