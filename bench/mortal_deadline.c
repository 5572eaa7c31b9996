/*
 * mortal_deadline.c - mortal: how late deadlines are kept
 *
 * The hard one: from the deadline until the owner knows that the task's host is certainly dead. The soft one, subject
 * mortal-soft: from the deadline until the task, which looks all the time, sees that it was asked to stop. Both count
 * from the task's own first instruction, some 100 ns after the start from which the library counts.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "measure.h"
#include "pool.h"

#define LEAST_NS 2000000u
#define PHASES   1000u /* a microsecond each: no tick of a clock shall favour anybody */

static _Atomic uint64_t *started; /* shared with the hosts; 0: not yet */

static int never_return(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    atomic_store(started, clock_ns());
    while (atomic_load(started) != 1) /* nobody ever stores it */
        ;
    return 0;
}

static int return_when_asked(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t seen;

    (void)input, (void)input_bytes;
    atomic_store(started, clock_ns());
    while (!mortal_task_should_stop(task))
        ;
    seen = clock_ns();
    return mortal_task_reply(task, &seen, sizeof seen);
}

static uint64_t limit_of(size_t i) { return LEAST_NS + i * 379 % PHASES * 1000; }

static uint64_t one(mortal_pool *pool, mortal_function *function, mortal_task_options options, int outcome) {
    mortal_future  future;
    mortal_verdict verdict;
    uint64_t       at;

    options.size = sizeof options;
    atomic_store(started, 0);
    pool_check(mortal_pool_submit(pool, function, NULL, 0, &options, &future), "submit");
    pool_check(mortal_future_wait(future, MORTAL_FOREVER, &verdict), "wait");
    at = clock_ns();
    if (verdict.outcome != outcome)
        measure_fail("a task with a deadline ended %s", mortal_outcome_name(verdict.outcome));
    if (verdict.result_bytes == sizeof at)
        memcpy(&at, verdict.result, sizeof at);
    pool_check(mortal_future_release(future), "release");
    return at;
}

enum { HARD, SOFT };

static void lateness(const struct bench_case *self, struct samples *out) {
    size_t       i, count = measure_size(200, 10);
    mortal_pool *pool;

    started = mmap(NULL, sizeof *started, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (started == MAP_FAILED)
        measure_fail("no shared memory");
    pool = pool_open((mortal_pool_options){.workers = self->workers});
    for (i = 0; i < count; i++) {
        uint64_t limit = limit_of(i), at;

        pool_wait_at_rest(pool, 1, 1);
        if (self->variant == HARD)
            at = one(pool, never_return, (mortal_task_options){.deadline_ns = limit}, MORTAL_TIMED_OUT);
        else
            at = one(pool, return_when_asked, (mortal_task_options){.soft_deadline_ns = limit}, MORTAL_DONE);
        if (atomic_load(started) == 0)
            continue; /* ended before its first instruction: others had its processor */
        samples_add(out, ((double)at - (double)(atomic_load(started) + limit)) / 1e3);
    }
    pool_close(pool);
}

static const struct bench_case cases[] = {
    {"deadline-lateness", "mortal", "us", lateness, 1, HARD},
    {"deadline-lateness", "mortal-soft", "us", lateness, 1, SOFT},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
