/*
 * family.h - what this program and all processes below it use
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_FAMILY_H
#define BENCH_FAMILY_H

#include <stdint.h>

struct family_load {
    double switches_per_s; /* how often a thread, but the calling one, went off its processor: it had been awake */
    double ran_us_per_s;
};

/* Proportional set size: what is shared counts for each by its share. An address space counts once. */
uint64_t family_kib(void);

/* Sleeps so long, and tells what all other threads did meanwhile. Whoever comes or goes meanwhile is not told of. */
struct family_load family_load_for(uint64_t ns);

#endif
