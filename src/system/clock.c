#include "system/clock.h"

#include <time.h>

#include <mortal.h>

uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_after(uint64_t duration_ns) {
    if (duration_ns == NEVER)
        return NEVER;
    uint64_t now = clock_ns();
    return duration_ns >= NEVER - now ? NEVER : now + duration_ns;
}

uint64_t mortal_now_ns(void) { return clock_ns(); }
