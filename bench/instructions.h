/*
 * instructions.h - how many instructions this program and what it forks execute outside of the kernel
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_INSTRUCTIONS_H
#define BENCH_INSTRUCTIONS_H

#include <stdint.h>

/* From here on, children that are forked later included. Skips the case where processor or kernel does not count. */
void     instructions_count(void);
uint64_t instructions_so_far(void);

#endif
