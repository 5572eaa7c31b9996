#include "system/clock.h"

#include <sched.h>
#include <time.h>

#include <mortal.h>

uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_coarse_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_after(uint64_t duration_ns) {
    if (duration_ns == NEVER)
        return NEVER;
    uint64_t now = clock_ns();
    return duration_ns >= NEVER - now ? NEVER : now + duration_ns;
}

uint64_t mortal_now_ns(void) { return clock_ns(); }

static uint32_t turns_per_us = 30; /* set before any thread or process could read it, and inherited */

static inline void pause_once(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The least of some tries: whatever interrupts one of them makes it longer. */
void spin_calibrate(void) {
    static bool done;
    uint64_t least = NEVER;
    for (int try = 0; try < 5 && !done; try++) {
        uint64_t from = clock_ns();
        for (int i = 0; i < 64; i++)
            pause_once();
        uint64_t took = clock_ns() - from;
        if (took < least)
            least = took;
    }
    if (!done && least != 0)
        turns_per_us = least >= 64000 ? 1 : (uint32_t)(64000 / least);
    done = true;
}

void spin_give_way(void) { sched_yield(); }

bool spin_turn(struct spin *spin) {
    if (++spin->turn >= spin->limit_us * turns_per_us)
        return false;
    pause_once();
    if (spin->turn - spin->offered >= turns_per_us) { /* a division would be as long as half a pause */
        spin->offered = spin->turn;
        sched_yield();
    }
    return true;
}
