/*
 * mortal_payload.c - large arguments and results: what it costs that a task runs in another process
 *
 * mortal        the caller makes the argument in a buffer of the pool, the task writes the result into another
 * mortal-input  the argument is handed to submit, which copies it, and the result is had by mortal_task_result()
 * in-process    a thread of this program gets pointers to both: what any thread pool without a kill does
 * raw-mmap      faults: one process that maps as much memory for itself
 *
 * Every argument is written by the caller, read by the task, and every result written by the task and read by the caller, a
 * word at a time: so each byte passes the memory four times in all subjects, and what differs is the way in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include <linux/futex.h>
#include <mortal.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

enum { WINDOW = 4, SPIN = 20000 };

/* ---- the work, the same for all ---- */

static void make(uint64_t *argument, size_t words, uint64_t seed) {
    for (size_t i = 0; i < words; i++)
        argument[i] = seed + i;
}

static void answer(const uint64_t *argument, uint64_t *result, size_t words) {
    for (size_t i = 0; i < words; i++)
        result[i] = argument[i] * 3 + 1;
}

static void check(const uint64_t *result, size_t words, uint64_t seed) {
    uint64_t differences = 0;

    for (size_t i = 0; i < words; i++)
        differences |= result[i] ^ ((seed + i) * 3 + 1);
    if (differences != 0)
        measure_fail("a result is wrong");
}

struct way {
    void (*submit)(size_t place, size_t words, uint64_t seed);
    void (*collect)(size_t place, size_t words, uint64_t seed); /* waits, and checks the result */
};

static void stream(const struct way *way, size_t bytes, size_t count, struct samples *out) {
    size_t   words = bytes / sizeof(uint64_t);
    uint64_t start = 0;

    for (size_t i = 0; i < count + WINDOW; i++) {
        if (i == 2 * (size_t)WINDOW)
            start = clock_ns(); /* all places were used once, by both sides: their pages are there */
        if (i >= WINDOW)
            way->collect(i % WINDOW, words, i - WINDOW);
        if (i < count)
            way->submit(i % WINDOW, words, i);
    }
    samples_add(out, 2.0 * (double)(bytes * (count - WINDOW)) * 1e9 / (double)(clock_ns() - start));
}

static size_t count_of(size_t bytes) { return measure_size(((size_t)3 << 30) / bytes, 16) + WINDOW; }

/* ---- mortal ---- */

struct job {
    mortal_slice argument, result;
};

static mortal_pool   *pool;
static mortal_future  future[WINDOW];
static mortal_buffer  arguments, results;
static uint64_t      *argument_at[WINDOW], *result_at[WINDOW];

static void check_call(int error) {
    if (error != 0)
        measure_fail("%s", mortal_why());
}

static int run_in_place(mortal_task *task, const void *input, size_t input_bytes) {
    const struct job *job = input;
    void             *argument, *result;

    if (input_bytes != sizeof *job || mortal_task_slice(task, job->argument, &argument) != 0 ||
        mortal_task_slice(task, job->result, &result) != 0)
        return 1;
    answer(argument, result, job->argument.bytes / sizeof(uint64_t));
    return 0;
}

static void submit_in_place(size_t place, size_t words, uint64_t seed) {
    uint64_t   bytes = words * sizeof(uint64_t);
    struct job job = {.argument = {arguments, place * bytes, bytes}, .result = {results, place * bytes, bytes}};

    make(argument_at[place], words, seed);
    check_call(mortal_pool_submit(pool, run_in_place, &job, sizeof job, NULL, &future[place]));
}

static void take(size_t place, mortal_verdict *verdict) {
    check_call(mortal_future_wait(future[place], MORTAL_FOREVER, verdict));
    if (verdict->outcome != MORTAL_DONE)
        measure_fail("a task ended %s", mortal_outcome_name(verdict->outcome));
}

static void collect_in_place(size_t place, size_t words, uint64_t seed) {
    mortal_verdict verdict;

    take(place, &verdict);
    check(result_at[place], words, seed);
    check_call(mortal_future_release(future[place]));
}

static int run_copied(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t *result = mortal_task_result(task, input_bytes);

    if (result == NULL)
        return 1;
    answer(input, result, input_bytes / sizeof(uint64_t));
    return 0;
}

static void submit_copied(size_t place, size_t words, uint64_t seed) {
    make(argument_at[place], words, seed);
    check_call(mortal_pool_submit(pool, run_copied, argument_at[place], words * sizeof(uint64_t), NULL, &future[place]));
}

static void collect_copied(size_t place, size_t words, uint64_t seed) {
    mortal_verdict verdict;

    take(place, &verdict);
    check(verdict.result, words, seed);
    check_call(mortal_future_release(future[place]));
}

static void open_pool(unsigned workers) {
    mortal_pool_options options = {.size = sizeof options, .workers = workers};

    check_call(mortal_pool_open(&pool, &options));
}

static void close_pool(void) { check_call(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL)); }

static void mortal_stream(const struct bench_case *self, struct samples *out) {
    static const struct way in_place = {submit_in_place, collect_in_place}, copied = {submit_copied, collect_copied};
    size_t                  bytes = (size_t)self->variant;
    bool                    is_copied = strcmp(self->subject, "mortal-input") == 0;
    void                   *at[2];

    open_pool(self->workers);
    check_call(mortal_buffer_open(&arguments, pool, WINDOW * bytes, MORTAL_BUFFER_GIVEN));
    check_call(mortal_buffer_open(&results, pool, WINDOW * bytes, 0));
    check_call(mortal_buffer_view(arguments, &at[0], NULL));
    check_call(mortal_buffer_view(results, &at[1], NULL));
    for (size_t place = 0; place < WINDOW; place++) {
        argument_at[place] = (uint64_t *)((char *)at[0] + place * bytes);
        result_at[place] = (uint64_t *)((char *)at[1] + place * bytes);
    }
    stream(is_copied ? &copied : &in_place, bytes, count_of(bytes), out);
    close_pool();
}

/* ---- in process ---- */

static struct ticket {
    _Alignas(64) _Atomic uint32_t state;
    _Atomic uint32_t              sleeps; /* how many do, on the state */
    size_t                        words;
} tickets[WINDOW];
enum { FREE, READY, OVER, STOP };

/* Until it is that, or STOP. Nobody calls the kernel while nobody sleeps, as in any good pool. */
static uint32_t await(struct ticket *ticket, uint32_t wanted) {
    uint32_t state;

    for (unsigned turns = 0; (state = atomic_load(&ticket->state)) != wanted && state != STOP; turns++) {
        if (turns < SPIN)
            continue;
        atomic_fetch_add(&ticket->sleeps, 1);
        if (atomic_load(&ticket->state) == state)
            syscall(SYS_futex, &ticket->state, FUTEX_WAIT_PRIVATE, state, NULL, NULL, 0);
        atomic_fetch_sub(&ticket->sleeps, 1);
    }
    return state;
}

static void become(struct ticket *ticket, uint32_t state) {
    atomic_store(&ticket->state, state);
    if (atomic_load(&ticket->sleeps) != 0)
        syscall(SYS_futex, &ticket->state, FUTEX_WAKE_PRIVATE, WINDOW, NULL, NULL, 0);
}

/* Each thread takes every so manieth ticket: no queue could be cheaper. */
static void *serve(void *argument) {
    size_t place = ((size_t *)argument)[0], step = ((size_t *)argument)[1];

    for (;; place = (place + step) % WINDOW) {
        struct ticket *ticket = &tickets[place];

        if (await(ticket, READY) == STOP)
            return NULL;
        answer(argument_at[place], result_at[place], ticket->words);
        become(ticket, OVER);
    }
}

static void submit_by_pointer(size_t place, size_t words, uint64_t seed) {
    make(argument_at[place], words, seed);
    tickets[place].words = words;
    become(&tickets[place], READY);
}

static void collect_by_pointer(size_t place, size_t words, uint64_t seed) {
    (void)await(&tickets[place], OVER);
    check(result_at[place], words, seed);
    atomic_store(&tickets[place].state, FREE);
}

static void in_process(const struct bench_case *self, struct samples *out) {
    static const struct way way = {submit_by_pointer, collect_by_pointer};
    size_t                  bytes = (size_t)self->variant, part[2][2] = {{0, self->workers}, {1, self->workers}};
    pthread_t               threads[2];

    for (size_t place = 0; place < WINDOW; place++) { /* from 2 MiB on it is memory that may be huge pages, as malloc's is */
        argument_at[place] = malloc(bytes);
        result_at[place] = malloc(bytes);
        if (argument_at[place] == NULL || result_at[place] == NULL)
            measure_fail("no memory");
        memset(argument_at[place], 0, bytes);
        memset(result_at[place], 0, bytes);
    }
    for (unsigned i = 0; i < self->workers; i++)
        if (pthread_create(&threads[i], NULL, serve, part[i]) != 0)
            measure_fail("no thread");
    stream(&way, bytes, count_of(bytes), out);
    for (size_t place = 0; place < WINDOW; place++)
        become(&tickets[place], STOP);
    for (unsigned i = 0; i < self->workers; i++)
        pthread_join(threads[i], NULL);
    for (size_t place = 0; place < WINDOW; place++) {
        free(argument_at[place]);
        free(result_at[place]);
    }
}

/* ---- made visible, and touched ---- */

/* From the call that makes it until a task that was there before has read its last word, less the same for 4 KiB: what the
 * size costs. */
static int read_last(mortal_task *task, const void *input, size_t input_bytes) {
    mortal_buffer buffer;
    void         *base;
    size_t        bytes;

    if (input_bytes != sizeof buffer)
        return 1;
    memcpy(&buffer, input, sizeof buffer);
    if (mortal_task_buffer(task, buffer, &base, &bytes) != 0)
        return 1;
    return ((volatile unsigned char *)base)[bytes - 1];
}

static void visible(const struct bench_case *self, struct samples *out) {
    uint64_t bytes = (uint64_t)self->variant << 10;
    size_t   count = measure_size(200, 10);

    open_pool(self->workers);
    for (size_t i = 0; i < count + 10; i++) {
        mortal_verdict verdict;
        uint64_t       start = clock_ns();

        check_call(mortal_buffer_open(&arguments, pool, bytes, MORTAL_BUFFER_LAZY));
        check_call(mortal_pool_submit(pool, read_last, &arguments, sizeof arguments, NULL, &future[0]));
        take(0, &verdict);
        if (i >= 10)
            samples_add(out, (double)(clock_ns() - start));
        check_call(mortal_future_release(future[0]));
        check_call(mortal_buffer_close(arguments));
    }
    close_pool();
}

static long touch(unsigned char *at, size_t bytes) {
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < bytes; i += 4096)
        ((volatile unsigned char *)at)[i] = 1;
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

static int count_faults(mortal_task *task, const void *input, size_t input_bytes) {
    mortal_buffer buffer;
    void         *base;
    size_t        bytes;
    long          faults;

    if (input_bytes != sizeof buffer)
        return 1;
    memcpy(&buffer, input, sizeof buffer);
    if (mortal_task_buffer(task, buffer, &base, &bytes) != 0)
        return 1;
    faults = touch(base, bytes);
    return mortal_task_reply(task, &faults, sizeof faults);
}

static void faults_of_mortal(const struct bench_case *self, struct samples *out) {
    mortal_verdict verdict;
    long           faults;

    open_pool(self->workers);
    if (mortal_buffer_open(&arguments, pool, (size_t)self->variant, 0) != 0)
        measure_skip("there is no memory for the buffer");
    check_call(mortal_pool_submit(pool, count_faults, &arguments, sizeof arguments, NULL, &future[0]));
    take(0, &verdict);
    memcpy(&faults, verdict.result, sizeof faults);
    samples_add(out, (double)faults);
    check_call(mortal_future_release(future[0]));
    close_pool();
}

/* Shared memory without a file, as a buffer is, and so with the machine's rule for its huge pages. */
static void faults_of_mmap(const struct bench_case *self, struct samples *out) {
    size_t         bytes = (size_t)self->variant;
    unsigned char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        measure_skip("there is no memory for the mapping");
    (void)madvise(at, bytes, MADV_HUGEPAGE);
    samples_add(out, (double)touch(at, bytes));
    munmap(at, bytes);
}

enum { LARGE = 16 << 20, SMALL = 64 << 10, GIB = 1 << 30, SIX_GIB_IN_KIB = 6 << 20, PAGE_IN_KIB = 4 };

static const struct bench_case cases[] = {
    {"payload-16m", "mortal", "bytes/s", mortal_stream, 1, LARGE},
    {"payload-16m", "mortal-input", "bytes/s", mortal_stream, 1, LARGE},
    {"payload-16m", "in-process", "bytes/s", in_process, 1, LARGE},
    {"payload-64k", "mortal", "bytes/s", mortal_stream, 1, SMALL},
    {"payload-64k", "mortal-input", "bytes/s", mortal_stream, 1, SMALL},
    {"payload-64k", "in-process", "bytes/s", in_process, 1, SMALL},
    {"buffer-visible-6g", "mortal", "ns", visible, 1, SIX_GIB_IN_KIB},
    {"buffer-visible-4k", "mortal", "ns", visible, 1, PAGE_IN_KIB},
    {"buffer-faults-1g", "mortal", "faults", faults_of_mortal, 1, GIB},
    {"buffer-faults-1g", "raw-mmap", "faults", faults_of_mmap, 1, GIB},
};

int main(int argc, char **argv) { return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]); }
