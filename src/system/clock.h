/* clock.h - the one clock, and how to wait a moment without it. */
#ifndef SYSTEM_CLOCK_H
#define SYSTEM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NEVER UINT64_MAX

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */
uint64_t clock_coarse_ns(void); /* the same some milliseconds ago, for an eighth of the price */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME: for people */

/* now + duration, without wrapping: a duration of NEVER, or one that reaches past the end of time, is NEVER. */
uint64_t clock_after(uint64_t duration_ns);

/*
 * Spinning before a sleep. A turn is a pause instruction, which costs 5 ns on one processor and 50 on another, so turns
 * are calibrated once. Each microsecond the processor is offered to others: whoever is waited for may be waiting for just
 * this processor, and would otherwise be held up by the wait for it.
 */
struct spin {
    uint32_t turn, limit_us, offered; /* offered: the turn of the last offer */
};

void spin_calibrate(void);
bool spin_turn(struct spin *spin); /* false: it was long enough */
void spin_give_way(void);          /* at once: whoever is waited for is not on a processor, or has nothing else to do */

/*
 * How long to spin is learnt from how long sleeps last. A sleep of some microseconds should have been a spin: on some
 * machines waking another processor takes longer than the shortest useful spin, and two sides that each fall asleep just
 * before the other's answer would go on like that for ever.
 */
#define SPIN_LEAST_US 10u
#define SPIN_MOST_US 80u
static inline uint32_t spin_learn(uint32_t limit_us, uint64_t slept_ns) {
    if (slept_ns >= 2000ull * SPIN_MOST_US)
        return SPIN_LEAST_US;
    return limit_us * 2 < SPIN_MOST_US ? limit_us * 2 : SPIN_MOST_US;
}

#endif
