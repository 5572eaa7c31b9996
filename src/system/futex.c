#include "system/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "system/clock.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* struct futex_waitv of linux/futex.h, spelled out for headers older than 5.16. */
struct wait_entry {
    uint64_t value, address;
    uint32_t flags, reserved;
};

#define WAIT_SIZE_U32 2u
#define FALLBACK_NS 500000000ull
#define FALLBACK_OF_ANY_NS 10000000ull

static struct timespec to_timespec(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
}

/* errno of the owner's thread is not ours to change (the library neither reads nor sets it). */
static int finish(long outcome, int saved) {
    int error = outcome < 0 ? errno : 0;
    errno = saved;
    return error == ETIMEDOUT || error == EINTR ? -error : 0;
}

int futex_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
    int saved = errno;
    struct timespec at = to_timespec(deadline_ns);
    /* WAIT_BITSET, since its time-out is absolute: a restart after a signal does not prolong it. */
    long outcome = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, deadline_ns == NEVER ? NULL : &at, NULL,
                           FUTEX_BITSET_MATCH_ANY);
    return finish(outcome, saved);
}

static int wait_any(const struct futex_want *wants, unsigned count, uint64_t deadline_ns, uint64_t fallback_ns) {
    int saved = errno;
    struct timespec at = to_timespec(deadline_ns);
    struct wait_entry entries[FUTEX_WANTS];
    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct wait_entry){
            .value = wants[i].expected, .address = (uintptr_t)wants[i].word, .flags = WAIT_SIZE_U32};
    long outcome = syscall(SYS_futex_waitv, entries, count, 0, deadline_ns == NEVER ? NULL : &at, CLOCK_MONOTONIC);
    if (outcome < 0 && (errno == ENOSYS || errno == EPERM)) {
        errno = saved;
        uint64_t limit = clock_after(fallback_ns);
        return futex_wait(wants[0].word, wants[0].expected, deadline_ns < limit ? deadline_ns : limit);
    }
    return finish(outcome, saved);
}

int futex_wait_either(const _Atomic uint32_t *first, uint32_t expected_first, const _Atomic uint32_t *second,
                      uint32_t expected_second, uint64_t deadline_ns) {
    const struct futex_want wants[2] = {{first, expected_first}, {second, expected_second}};
    return wait_any(wants, 2, deadline_ns, FALLBACK_NS);
}

int futex_wait_any(const struct futex_want *wants, unsigned count, uint64_t deadline_ns) {
    return wait_any(wants, count, deadline_ns, FALLBACK_OF_ANY_NS);
}

void futex_wake(const _Atomic uint32_t *word, int count) {
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    errno = saved;
}
