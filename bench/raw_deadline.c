/*
 * raw_deadline.c - what the kernel itself charges for a deadline: sleep until then, send SIGKILL, wait, reap
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#include "child.h"
#include "measure.h"
#include "ticket.h"

#define LEAST_NS 2000000u
#define PHASES   1000u

static _Atomic uint64_t *started; /* 0: not yet */

static void *never_return(void *unused) {
    (void)unused;
    atomic_store(started, clock_ns());
    while (atomic_load(started) != 1)
        spin_pause();
    return NULL;
}

/* As many threads as a host with one worker. */
static void be_stuck(void *unused) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, never_return, NULL) == 0)
        pthread_join(thread, unused);
}

static void lateness(const struct bench_case *self, struct samples *out) {
    size_t i, count = measure_size(200, 10);

    (void)self;
    started = shared_memory(sizeof *started);
    prctl(PR_SET_TIMERSLACK, 1);
    for (i = 0; i < count; i++) {
        struct child    victim;
        struct timespec at;
        uint64_t        due;

        atomic_store(started, 0);
        victim = child_start(be_stuck, NULL);
        while (atomic_load(started) == 0)
            sleep_ns(20000);
        due = atomic_load(started) + LEAST_NS + i * 379 % PHASES * 1000;
        at.tv_sec = (time_t)(due / 1000000000u);
        at.tv_nsec = (long)(due % 1000000000u);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
        }
        child_kill(victim);
        samples_add(out, (double)(clock_ns() - due) / 1e3);
    }
}

static const struct bench_case cases[] = {
    {"deadline-lateness", "raw-sigkill", "us", lateness, 1, 0},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
