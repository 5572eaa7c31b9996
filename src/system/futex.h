/*
 * futex.h - sleeping on a shared word and waking who sleeps there.
 *
 * All words are in shared memory, so none of this is FUTEX_PRIVATE. Deadlines are absolute on clock_ns(); NEVER waits
 * for ever. Waits return 0 when woken or when the word had changed already, -ETIMEDOUT, or -EINTR.
 */
#ifndef SYSTEM_FUTEX_H
#define SYSTEM_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

int futex_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);

/* Sleep on two words at once. Where the kernel cannot (before 5.16), sleeps on the first alone, for at most 500 ms. */
int futex_wait_either(const _Atomic uint32_t *first, uint32_t expected_first, const _Atomic uint32_t *second,
                      uint32_t expected_second, uint64_t deadline_ns);

struct futex_want {
    const _Atomic uint32_t *word;
    uint32_t expected;
};
#define FUTEX_WANTS 3u

/* Sleep on up to three words at once. Where the kernel cannot, on the first alone, for at most 10 ms. */
int futex_wait_any(const struct futex_want *wants, unsigned count, uint64_t deadline_ns);

void futex_wake(const _Atomic uint32_t *word, int count);

#endif
