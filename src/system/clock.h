/* clock.h - the one clock, and how to wait a moment without it. */
#ifndef SYSTEM_CLOCK_H
#define SYSTEM_CLOCK_H

#include <stdint.h>

#define NEVER UINT64_MAX

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */

/* now + duration, without wrapping: a duration of NEVER, or one that reaches past the end of time, is NEVER. */
uint64_t clock_after(uint64_t duration_ns);

/* Spins before sleeping are counted in these, not in time: reading the clock would cost more than a turn.
 * About 10 us in all: what a sleep and a wake cost, so spinning never loses more than twice the best choice. */
#define SPIN_TURNS 800u

static inline void spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
