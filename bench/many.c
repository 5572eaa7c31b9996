/*
 * many.c - eight processes that never return, killed at once: they must die side by side
 *
 * They sleep, since eight that compute would first of all wait for processors, also to die.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "child.h"
#include "measure.h"
#include "pool.h"
#include "ticket.h"

#define MANY 8

static _Atomic uint32_t *asleep; /* shared with the victims: how many are where they stay */

static int sleep_for_ever(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    atomic_fetch_add(asleep, 1);
    while (atomic_load(asleep) != 0) /* until it is killed */
        pause();
    return 0;
}

static void *sleeper(void *unused) {
    (void)sleep_for_ever(NULL, NULL, 0);
    return unused;
}

/* As many threads as a host with one worker. */
static void be_asleep(void *unused) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, sleeper, NULL) == 0)
        pthread_join(thread, unused);
}

static void wait_asleep(void) {
    while (atomic_load(asleep) < MANY)
        sleep_ns(20000);
    sleep_ns(200000);
}

static void kill_pool(const struct bench_case *self, struct samples *out) {
    size_t       i, count = measure_size(50, 5);
    mortal_pool *pool;

    (void)self;
    asleep = shared_memory(sizeof *asleep);
    pool = pool_open((mortal_pool_options){.workers = MANY, .standby = MANY});
    for (i = 0; i < count; i++) {
        mortal_future      futures[MANY];
        mortal_kill_report report;
        int                victim;

        pool_wait_at_rest(pool, MANY, MANY);
        atomic_store(asleep, 0);
        for (victim = 0; victim < MANY; victim++)
            pool_check(mortal_pool_submit(pool, sleep_for_ever, NULL, 0, NULL, &futures[victim]), "submit");
        wait_asleep();
        pool_check(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report), "kill");
        if (report.killed != MANY)
            measure_fail("%u of %d were killed", report.killed, MANY);
        samples_add(out, (double)report.took_ns / 1e3);
        for (victim = 0; victim < MANY; victim++)
            pool_check(mortal_future_release(futures[victim]), "release");
    }
    pool_close(pool);
}

static void kill_children(const struct bench_case *self, struct samples *out) {
    size_t i, count = measure_size(50, 5);

    (void)self;
    asleep = shared_memory(sizeof *asleep);
    for (i = 0; i < count; i++) {
        struct child victims[MANY];
        uint64_t     start;
        int          victim;

        atomic_store(asleep, 0);
        for (victim = 0; victim < MANY; victim++)
            victims[victim] = child_start(be_asleep, NULL);
        wait_asleep();
        start = clock_ns();
        for (victim = 0; victim < MANY; victim++)
            child_strike(victims[victim]);
        for (victim = 0; victim < MANY; victim++)
            child_await(victims[victim]);
        samples_add(out, (double)(clock_ns() - start) / 1e3);
    }
}

static const struct bench_case cases[] = {
    {"kill-eight-to-death", "mortal", "us", kill_pool, MANY, 0},
    {"kill-eight-to-death", "raw-sigkill", "us", kill_children, MANY, 0},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
