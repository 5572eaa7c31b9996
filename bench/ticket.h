/*
 * ticket.h - a completion word, as a user would write it for a pool that has no futures: atomics and a futex
 *
 *   OPEN --finish--> DONE          nobody waits: no system call
 *   OPEN --wait----> WAITED --finish--> DONE, and a wake
 *
 * Waiting spins for SPIN_NS first, for that is what wins where the other side is awake.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_TICKET_H
#define BENCH_TICKET_H

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

#ifdef __cplusplus /* the same words and the same names */
#include <atomic>
typedef std::atomic<uint32_t> ticket_word;
using std::atomic_compare_exchange_strong;
using std::atomic_exchange;
using std::atomic_load;
using std::atomic_load_explicit;
using std::atomic_store_explicit;
using std::memory_order_acquire;
using std::memory_order_relaxed;
#else
#include <stdatomic.h>
typedef _Atomic uint32_t ticket_word;
#endif

#define TICKET_SPIN_NS 10000

enum { TICKET_OPEN, TICKET_WAITED, TICKET_DONE };

/* Shared: the word lies in memory of several processes. */
static inline void futex_wait(ticket_word *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static inline void futex_wake(ticket_word *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static inline void futex_wake_all(ticket_word *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0);
}

static inline void spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline void ticket_finish(ticket_word *ticket) {
    if (atomic_exchange(ticket, (uint32_t)TICKET_DONE) == TICKET_WAITED)
        syscall(SYS_futex, ticket, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void ticket_wait(ticket_word *ticket) {
    uint32_t open = TICKET_OPEN;
    uint64_t until = 0;
    unsigned turn;

    for (turn = 0; atomic_load_explicit(ticket, memory_order_acquire) != TICKET_DONE; turn++) {
        spin_pause();
        if (turn % 32 != 31)
            continue;
        if (until == 0)
            until = clock_ns() + TICKET_SPIN_NS;
        if (clock_ns() < until)
            continue;
        atomic_compare_exchange_strong(ticket, &open, (uint32_t)TICKET_WAITED);
        while (atomic_load(ticket) == TICKET_WAITED)
            syscall(SYS_futex, ticket, FUTEX_WAIT_PRIVATE, TICKET_WAITED, NULL, NULL, 0);
    }
}

#endif
