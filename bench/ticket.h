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
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

#define TICKET_SPIN_NS 10000

enum { TICKET_OPEN, TICKET_WAITED, TICKET_DONE };

/* Shared: the word lies in memory of several processes. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static inline void futex_wake(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static inline void spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline void ticket_finish(_Atomic uint32_t *ticket) {
    if (atomic_exchange(ticket, TICKET_DONE) == TICKET_WAITED)
        syscall(SYS_futex, ticket, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void ticket_wait(_Atomic uint32_t *ticket) {
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
        atomic_compare_exchange_strong(ticket, &open, TICKET_WAITED);
        while (atomic_load(ticket) == TICKET_WAITED)
            syscall(SYS_futex, ticket, FUTEX_WAIT_PRIVATE, TICKET_WAITED, NULL, NULL, 0);
    }
}

#endif
