/*
 * growth.c - mortal: what a task and a kill cost when there is more of everything
 *
 * Each work's name ends with how many there are. What is compared is mortal with itself: nothing here may grow with
 * what it does not touch.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "instructions.h"
#include "measure.h"
#include "pool.h"

#define SLOTS_MAX     1000000u /* the library's own limit, of tasks that are pending and that are held */
#define WINDOW        512u
#define SPARE_SLOTS   (WINDOW + 64) /* left of a full region, for what is measured in it */
#define STREAM_TASKS  150000u
#define LEAST_TASKS   100000u /* of all repetitions of a small number of queued tasks together */
#define BUSY_NS       1000u

enum { NOOP, BUSY, INSTRUCTIONS };
enum { IN_ONE_HOST, IN_HOSTS };

struct page {
    _Atomic uint32_t running; /* tasks that stay until the gate is open */
    _Atomic uint32_t open, is_patient;
};

static struct page   *page;
static mortal_future *futures;

static int add_one(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t value;

    if (input_bytes != sizeof value)
        return 1;
    memcpy(&value, input, sizeof value);
    value++;
    return mortal_task_reply(task, &value, sizeof value);
}

static int add_one_slowly(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t until = clock_ns() + BUSY_NS;

    while (clock_ns() < until)
        ;
    return add_one(task, input, input_bytes);
}

static int tell_time(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t now = clock_ns();

    (void)input, (void)input_bytes;
    return mortal_task_reply(task, &now, sizeof now);
}

static int stay(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    atomic_fetch_add(&page->running, 1);
    while (atomic_load(&page->open) == 0)
        if (atomic_load(&page->is_patient))
            sleep_ns(100000);
    return 0;
}

/* A task that stays in its worker until the gate is open, or it is killed. One that is patient sleeps meanwhile, and
 * executes next to nothing; else it sees at once that it may go. */
static mortal_future shut_gate(mortal_pool *pool, int is_patient) {
    mortal_future staying;

    atomic_store(&page->running, 0);
    atomic_store(&page->open, 0);
    atomic_store(&page->is_patient, is_patient);
    pool_check(mortal_pool_submit(pool, stay, NULL, 0, NULL, &staying), "submit");
    while (atomic_load(&page->running) == 0)
        sleep_ns(20000);
    sleep_ns(200000);
    return staying;
}

static void submit_number(mortal_pool *pool, mortal_function *function, uint64_t number, mortal_future *future) {
    pool_check(mortal_pool_submit(pool, function, &number, sizeof number, NULL, future), "submit");
}

static uint64_t take(mortal_future future, int is_released) {
    mortal_verdict verdict;
    uint64_t       result;

    pool_check(mortal_future_wait(future, MORTAL_FOREVER, &verdict), "wait");
    if (verdict.outcome != MORTAL_DONE || verdict.result_bytes != sizeof result)
        measure_fail("a task ended %s", mortal_outcome_name(verdict.outcome));
    memcpy(&result, verdict.result, sizeof result);
    if (is_released)
        pool_check(mortal_future_release(future), "release");
    return result;
}

static void take_number(mortal_future future, uint64_t number, int is_released) {
    if (take(future, is_released) != number + 1)
        measure_fail("task %llu came back wrong", (unsigned long long)number);
}

static void prepare(void) {
    page = shared_memory(sizeof *page);
    futures = calloc(SLOTS_MAX, sizeof *futures);
    if (futures == NULL)
        measure_fail("no memory for futures");
    for (size_t i = 0; i < SLOTS_MAX; i++) /* its pages are there before they are measured */
        futures[i].place = 1;
}

static mortal_pool *open_large(unsigned workers, unsigned slots) {
    mortal_pool *pool;

    prepare();
    pool = pool_open((mortal_pool_options){.workers = workers, .queue_tasks = slots, .held_tasks = slots});
    pool_wait_at_rest(pool, workers, 1);
    return pool;
}

static uint64_t count_now(int variant) {
    return variant == INSTRUCTIONS ? instructions_so_far() : clock_ns();
}

/* All submitted while the worker is not free, then run, then taken: what that costs for each. */
static double run_queued(mortal_pool *pool, mortal_function *function, unsigned count, int variant) {
    mortal_future staying = shut_gate(pool, variant == INSTRUCTIONS);
    uint64_t      start = count_now(variant), took;
    unsigned      i;

    for (i = 0; i < count; i++)
        submit_number(pool, function, i, &futures[i]);
    atomic_store(&page->open, 1);
    pool_check(mortal_future_wait(futures[count - 1], MORTAL_FOREVER, NULL), "wait");
    for (i = 0; i < count; i++)
        take_number(futures[i], i, 1);
    took = count_now(variant) - start;
    pool_check(mortal_future_release(staying), "release");
    return (double)took / count;
}

static void queued(const struct bench_case *self, struct samples *out) {
    mortal_function *function = self->variant == BUSY ? add_one_slowly : add_one;
    unsigned         count = self->workers == SLOTS_MAX ? SLOTS_MAX - 8 : self->workers;
    unsigned         turns = LEAST_TASKS / count + 1;
    mortal_pool     *pool;

    if (self->variant == INSTRUCTIONS)
        instructions_count();
    pool = open_large(1, SLOTS_MAX);
    run_queued(pool, add_one, count, NOOP); /* all pages of the region are there now, and those of the ledger */
    while (turns-- > 0)
        samples_add(out, run_queued(pool, function, count, self->variant));
    pool_close(pool);
}

static double stream(mortal_pool *pool) {
    uint64_t tasks = measure_size(STREAM_TASKS, STREAM_TASKS / 10), start = clock_ns(), submitted, taken = 0;

    for (submitted = 0; submitted < tasks; submitted++) {
        if (submitted - taken == WINDOW) {
            take_number(futures[taken % WINDOW], taken, 1);
            taken++;
        }
        submit_number(pool, add_one, submitted, &futures[submitted % WINDOW]);
    }
    for (; taken < tasks; taken++)
        take_number(futures[taken % WINDOW], taken, 1);
    return (double)(clock_ns() - start) / (double)tasks;
}

static void workers(const struct bench_case *self, struct samples *out) {
    mortal_pool_options options = {.workers = self->workers};
    mortal_pool        *pool;

    prepare();
    if (self->variant == IN_ONE_HOST)
        options.workers_per_host = self->workers;
    pool = pool_open(options);
    pool_wait_at_rest(pool, self->variant == IN_ONE_HOST ? 1 : self->workers, 1);
    stream(pool);
    samples_add(out, stream(pool));
    pool_close(pool);
}

/* A region of so many slots that are nearly all taken: by tasks that have ended and are not released. */
static mortal_pool *open_full(unsigned slots) {
    mortal_pool *pool = open_large(1, slots);
    unsigned     i;

    for (i = SPARE_SLOTS; i < slots; i++)
        submit_number(pool, add_one, i, &futures[i]);
    for (i = SPARE_SLOTS; i < slots; i++)
        take_number(futures[i], i, 0);
    return pool;
}

static void slots(const struct bench_case *self, struct samples *out) {
    mortal_pool *pool = open_full(self->workers);

    stream(pool);
    samples_add(out, stream(pool));
    pool_close(pool);
}

static void kill_staying(mortal_pool *pool, unsigned hosts, struct samples *out) {
    size_t i, count = measure_size(20, 3);

    for (i = 0; i < count; i++) {
        mortal_verdict verdict;
        mortal_future  staying;
        uint64_t       start;

        pool_wait_at_rest(pool, hosts, 1);
        staying = shut_gate(pool, 0);
        start = clock_ns();
        pool_check(mortal_future_kill(staying, 0, MORTAL_FOREVER, &verdict), "kill");
        samples_add(out, (double)(clock_ns() - start) / 1e3);
        if (verdict.outcome != MORTAL_KILLED)
            measure_fail("the task ended %s", mortal_outcome_name(verdict.outcome));
        pool_check(mortal_future_release(staying), "release");
    }
}

static void kill_in_slots(const struct bench_case *self, struct samples *out) {
    mortal_pool *pool = open_full(self->workers);

    kill_staying(pool, 1, out);
    pool_close(pool);
}

static void kill_among_hosts(const struct bench_case *self, struct samples *out) {
    mortal_pool *pool;

    prepare();
    pool = pool_open((mortal_pool_options){.workers = self->workers});
    kill_staying(pool, self->workers, out);
    pool_close(pool);
}

/* From the call of the kill to the first instruction of the first task that waits, with so many waiting. */
static void recovery(const struct bench_case *self, struct samples *out) {
    unsigned     count = self->workers == SLOTS_MAX ? SLOTS_MAX - 8 : self->workers, i;
    size_t       turn, turns = measure_size(self->workers > 10000 ? 3 : 10, 1);
    mortal_pool *pool = open_large(1, SLOTS_MAX);

    for (turn = 0; turn < turns; turn++) {
        mortal_future staying, first;
        uint64_t      start;

        pool_wait_at_rest(pool, 1, 1);
        staying = shut_gate(pool, 0);
        pool_check(mortal_pool_submit(pool, tell_time, NULL, 0, NULL, &first), "submit");
        for (i = 1; i < count; i++)
            submit_number(pool, add_one, i, &futures[i]);
        sleep_ns(1000000); /* who has just computed for long waits longer for a processor: not what is measured */
        start = clock_ns();
        pool_check(mortal_future_kill(staying, 0, MORTAL_FOREVER, NULL), "kill");
        samples_add(out, (double)(take(first, 1) - start) / 1e3);
        for (i = 1; i < count; i++)
            take_number(futures[i], i, 1);
        pool_check(mortal_future_release(staying), "release");
    }
    pool_close(pool);
}

#define BY_TASKS(work, unit, run, variant) \
    {"cost-growth-" work "-1000", "mortal", unit, run, 1000, variant}, \
    {"cost-growth-" work "-10000", "mortal", unit, run, 10000, variant}, \
    {"cost-growth-" work "-100000", "mortal", unit, run, 100000, variant}, \
    {"cost-growth-" work "-1000000", "mortal", unit, run, SLOTS_MAX, variant}
#define BY_WORKERS(work, unit, run, variant) \
    {"cost-growth-" work "-1", "mortal", unit, run, 1, variant}, \
    {"cost-growth-" work "-4", "mortal", unit, run, 4, variant}, \
    {"cost-growth-" work "-16", "mortal", unit, run, 16, variant}, \
    {"cost-growth-" work "-64", "mortal", unit, run, 64, variant}, \
    {"cost-growth-" work "-256", "mortal", unit, run, 256, variant}

static const struct bench_case cases[] = {
    BY_TASKS("queued-noop", "ns", queued, NOOP),
    BY_TASKS("queued-1us", "ns", queued, BUSY),
    BY_TASKS("queued-instructions", "instructions", queued, INSTRUCTIONS),
    BY_TASKS("slots", "ns", slots, 0),
    BY_TASKS("kill-slots", "us", kill_in_slots, 0),
    BY_TASKS("recovery", "us", recovery, 0),
    BY_WORKERS("workers", "ns", workers, IN_ONE_HOST),
    BY_WORKERS("hosts", "ns", workers, IN_HOSTS),
    BY_WORKERS("kill-hosts", "us", kill_among_hosts, 0),
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
