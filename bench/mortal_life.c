/*
 * mortal_life.c - mortal: opening, closing, and killing a task that never returns
 *
 * Kills are measured with the standby ready, as it is again a moment after each kill; the subject mortal-no-standby
 * has none and pays for a new process.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "measure.h"
#include "pool.h"

#define RESIDENT_BYTES_MAX (8u << 20) /* the cost of forking depends on it: the figures are those of a small program */

enum { OPEN, CLOSE };
enum { WITH_STANDBY, NO_STANDBY };
enum { CGROUP = POOL_CONTAINMENT(MORTAL_CONTAIN_CGROUP), NAMESPACE = POOL_CONTAINMENT(MORTAL_CONTAIN_NAMESPACE) };

static _Atomic uint32_t *running; /* shared with the hosts: the stuck task is in its loop */

static int never_return(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    atomic_store(running, 1);
    while (atomic_load(running) != 2) /* nobody ever stores it */
        ;
    return 0;
}

static int tell_start(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t now = clock_ns();

    (void)input, (void)input_bytes;
    return mortal_task_reply(task, &now, sizeof now);
}

static size_t resident_bytes(void) {
    unsigned long size = 0, resident = 0;
    FILE         *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2)
        measure_fail("cannot read /proc/self/statm");
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static mortal_pool *open_pool(uint32_t workers, int variant) {
    return pool_open((mortal_pool_options){.workers = workers, .containment = POOL_CONTAINMENT_OF(variant),
                                           .standby = POOL_VARIANT_OF(variant) == NO_STANDBY ? MORTAL_NONE : 0});
}

static void open_close(const struct bench_case *self, struct samples *out) {
    size_t i, count = measure_size(50, 5), resident = resident_bytes();

    if (resident > RESIDENT_BYTES_MAX)
        measure_fail("this program has %zu KiB resident: too large for this figure", resident >> 10);
    for (i = 0; i < count; i++) {
        uint64_t     start = clock_ns(), opened, closing;
        mortal_pool *pool = open_pool(self->workers, WITH_STANDBY);

        opened = clock_ns();
        pool_wait_at_rest(pool, self->workers, 1);
        closing = clock_ns();
        pool_close(pool);
        samples_add(out, (double)(self->variant == CLOSE ? clock_ns() - closing : opened - start) / 1e3);
    }
}

static void share_running(void) {
    void *memory = mmap(NULL, sizeof *running, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        measure_fail("no shared memory");
    running = memory;
}

static mortal_future start_stuck(mortal_pool *pool) {
    mortal_future stuck;

    atomic_store(running, 0);
    pool_check(mortal_pool_submit(pool, never_return, NULL, 0, NULL, &stuck), "submit");
    while (atomic_load(running) == 0)
        sleep_ns(20000);
    sleep_ns(200000); /* as for the raw kill: it is where it stays */
    return stuck;
}

static void kill_stuck(mortal_future stuck) {
    mortal_verdict verdict;

    pool_check(mortal_future_kill(stuck, 0, MORTAL_FOREVER, &verdict), "kill");
    if (verdict.outcome != MORTAL_KILLED)
        measure_fail("the stuck task ended %s", mortal_outcome_name(verdict.outcome));
}

static void kill_to_death(const struct bench_case *self, struct samples *out) {
    size_t       i, count = measure_size(100, 10);
    mortal_pool *pool;

    share_running();
    pool = open_pool(1, self->variant);
    for (i = 0; i < count; i++) {
        mortal_future stuck;
        uint64_t      start;

        pool_wait_at_rest(pool, 1, POOL_VARIANT_OF(self->variant) == WITH_STANDBY);
        stuck = start_stuck(pool);
        start = clock_ns();
        kill_stuck(stuck);
        samples_add(out, (double)(clock_ns() - start) / 1e3);
        pool_check(mortal_future_release(stuck), "release");
    }
    pool_close(pool);
}

static void kill_to_first(const struct bench_case *self, struct samples *out) {
    size_t       i, count = measure_size(100, 10);
    mortal_pool *pool;

    share_running();
    pool = open_pool(1, self->variant);
    for (i = 0; i < count; i++) {
        mortal_future  stuck, next;
        mortal_verdict verdict;
        uint64_t       start, first;

        pool_wait_at_rest(pool, 1, POOL_VARIANT_OF(self->variant) == WITH_STANDBY);
        stuck = start_stuck(pool);
        pool_check(mortal_pool_submit(pool, tell_start, NULL, 0, NULL, &next), "submit");
        start = clock_ns();
        kill_stuck(stuck);
        pool_check(mortal_future_wait(next, MORTAL_FOREVER, &verdict), "wait");
        if (verdict.outcome != MORTAL_DONE || verdict.result_bytes != sizeof first)
            measure_fail("the next task ended %s", mortal_outcome_name(verdict.outcome));
        memcpy(&first, verdict.result, sizeof first);
        samples_add(out, (double)(first - start) / 1e3);
        pool_check(mortal_future_release(next), "release");
        pool_check(mortal_future_release(stuck), "release");
    }
    pool_close(pool);
}

static const struct bench_case cases[] = {
    {"kill-to-death", "mortal", "us", kill_to_death, 1, WITH_STANDBY},
    {"kill-to-death", "mortal-cgroup", "us", kill_to_death, 1, WITH_STANDBY | CGROUP},
    {"kill-to-death", "mortal-namespace", "us", kill_to_death, 1, WITH_STANDBY | NAMESPACE},
    {"kill-to-first-task", "mortal", "us", kill_to_first, 1, WITH_STANDBY},
    {"kill-to-first-task", "mortal-cgroup", "us", kill_to_first, 1, WITH_STANDBY | CGROUP},
    {"kill-to-first-task", "mortal-namespace", "us", kill_to_first, 1, WITH_STANDBY | NAMESPACE},
    {"kill-to-first-task", "mortal-no-standby", "us", kill_to_first, 1, NO_STANDBY},
    {"pool-open", "mortal", "us", open_close, 2, OPEN},
    {"pool-close", "mortal", "us", open_close, 2, CLOSE},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
