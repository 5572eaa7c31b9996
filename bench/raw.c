/*
 * raw.c - what the kernel itself charges for a kill and for a new process
 *
 * A victim has as many threads as a host with one worker: its main thread, which sleeps, and one that never returns.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "child.h"
#include "measure.h"
#include "ticket.h"

enum { AFTER_FORK, SPARE_WAKES };

struct page {
    _Atomic uint32_t running; /* the stuck thread runs */
    _Atomic uint32_t go;      /* futex: the spare may start */
    _Atomic uint64_t first;   /* when the new process executed its first instruction; 0: not yet */
};

static struct page *page;

static void *never_return(void *unused) {
    (void)unused;
    atomic_store(&page->running, 1);
    while (atomic_load(&page->running) == 1)
        spin_pause();
    return NULL;
}

static void be_stuck(void *unused) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, never_return, NULL) == 0)
        pthread_join(thread, unused);
}

static void tell_first(void *unused) {
    (void)unused;
    atomic_store(&page->first, clock_ns());
    for (;;)
        pause();
}

static void be_spare(void *unused) {
    atomic_store(&page->running, 1);
    while (atomic_load(&page->go) == 0)
        futex_wait(&page->go, 0);
    tell_first(unused);
}

static struct child start_and_see(void (*body)(void *)) {
    struct child child;

    atomic_store(&page->running, 0);
    child = child_start(body, NULL);
    while (atomic_load(&page->running) == 0)
        sleep_ns(20000);
    sleep_ns(200000); /* it is where it stays: spinning, or asleep */
    return child;
}

static uint64_t wait_first(void) {
    uint64_t first;

    while ((first = atomic_load(&page->first)) == 0)
        spin_pause();
    atomic_store(&page->first, 0);
    return first;
}

static void kill_to_death(const struct bench_case *self, struct samples *out) {
    size_t i, count = measure_size(100, 10);

    (void)self;
    page = shared_memory(sizeof *page);
    for (i = 0; i < count; i++) {
        struct child victim = start_and_see(be_stuck);
        uint64_t     start = clock_ns();

        child_kill(victim);
        samples_add(out, (double)(clock_ns() - start) / 1e3);
    }
}

static void kill_to_first(const struct bench_case *self, struct samples *out) {
    size_t i, count = measure_size(100, 10);

    page = shared_memory(sizeof *page);
    for (i = 0; i < count; i++) {
        struct child next = {0}, victim;
        uint64_t     start;

        atomic_store(&page->go, 0);
        if (self->variant == SPARE_WAKES)
            next = start_and_see(be_spare);
        victim = start_and_see(be_stuck);
        start = clock_ns();
        child_kill(victim);
        if (self->variant == SPARE_WAKES) {
            atomic_store(&page->go, 1);
            futex_wake(&page->go);
        } else {
            next = child_start(tell_first, NULL);
        }
        samples_add(out, (double)(wait_first() - start) / 1e3);
        child_kill(next);
    }
}

static void fork_to_first(const struct bench_case *self, struct samples *out) {
    size_t i, count = measure_size(200, 20);

    (void)self;
    page = shared_memory(sizeof *page);
    for (i = 0; i < count; i++) {
        uint64_t     start = clock_ns();
        struct child child = child_start(tell_first, NULL);

        samples_add(out, (double)(wait_first() - start) / 1e3);
        child_kill(child);
    }
}

static const struct bench_case cases[] = {
    {"kill-to-death", "raw-sigkill", "us", kill_to_death, 1, 0},
    {"kill-to-first-task", "raw-fork", "us", kill_to_first, 1, AFTER_FORK},
    {"kill-to-first-task", "raw-spare", "us", kill_to_first, 1, SPARE_WAKES},
    {"pool-open", "raw-fork", "us", fork_to_first, 1, 0},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
