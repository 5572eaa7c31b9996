/*
 * family.h - what this program and all processes below it use
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_FAMILY_H
#define BENCH_FAMILY_H

#include <stdint.h>

/* Proportional set size: what is shared counts for each by its share. An address space counts once. */
uint64_t family_kib(void);

/* Sleeps so long, and tells how often other threads went off their processors meanwhile: they had been awake. Whoever
 * comes meanwhile is not counted. */
double family_wakes_per_s(uint64_t ns);

#endif
