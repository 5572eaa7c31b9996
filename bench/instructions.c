/*
 * instructions.c - how many instructions this program and what it forks execute outside of the kernel
 *
 * SPDX-License-Identifier: MIT
 */
#include "instructions.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

static int counter;

void instructions_count(void) {
    struct perf_event_attr what = {.type = PERF_TYPE_HARDWARE, .size = sizeof what};

    what.config = PERF_COUNT_HW_INSTRUCTIONS;
    what.exclude_kernel = 1;
    what.exclude_hv = 1;
    what.inherit = 1;
    counter = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (counter < 0)
        measure_skip("this machine does not count instructions");
}

uint64_t instructions_so_far(void) {
    uint64_t count = 0;

    if (read(counter, &count, sizeof count) != (ssize_t)sizeof count)
        measure_fail("the counter of instructions cannot be read");
    return count;
}
