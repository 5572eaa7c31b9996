/*
 * flow.c - the same streams of tasks for every subject
 *
 * SPDX-License-Identifier: MIT
 */
#include "flow.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "family.h"

#define PAUSE_NS 300000 /* long beyond the spinning of any subject: its workers sleep */
#define BUSY_NS  50000  /* likewise: whoever waits for this task's result sleeps when it comes */

#define WARM_TASKS  (4 * FLOW_WINDOW) /* first touch of memory, threads that start late */
#define STREAM_NS   150000000
#define QUICK_NS    10000000
#define BURST_TASKS 100
#define BIRTH_NS    100000000 /* who is made in the background is there */
#define SETTLE_NS   800000000 /* what is done once after work, half a second later, is done */

struct flow_work {
    const char *name, *unit;
    void (*measure)(const struct flow_job *job, const struct flow *flow);
    unsigned       workers, producers;
    enum flow_sort sort;
    unsigned       number; /* for the work's own use */
};

static void bind_thread(unsigned processor) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        measure_fail("cannot bind to processor %u", processor);
}

/* Each turn needs the one before it: no processor does them faster than one after the other. */
static void turn_over(uint64_t turns) {
    for (uint64_t value = turns; turns > 0; turns--) {
        value = value * UINT64_C(6364136223846793005) + turns;
        __asm__ volatile("" : "+r"(value));
    }
}

uint64_t flow_order(uint64_t argument) {
    uint64_t start, number = argument & (FLOW_TURNS - 1), now;

    if ((argument & (FLOW_BUSY | FLOW_BIND)) == 0) {
        turn_over(number >> 32);
        return argument + 1;
    }
    start = now = clock_ns();
    if ((argument & FLOW_BIND) != 0)
        bind_thread((unsigned)number);
    else
        while ((now = clock_ns()) < start + number)
            ;
    return now - start;
}

/* One of several producers: its own places, its own numbers. */
struct producer {
    const struct flow *flow;
    size_t             first, window; /* of places */
    uint64_t           bits;          /* in each argument */
    uint64_t           until;         /* when to stop; checked now and then */
    uint64_t           tasks;         /* out, or in if until is 0 */
    uint64_t           next;          /* number: places are used one after the other, from one stream to the next */
    pthread_barrier_t *start;
};

static void collect_checked(const struct producer *self, uint64_t number) {
    uint64_t result = self->flow->collect(self->flow->subject, self->first + number % self->window);

    if (result != (self->bits | number) + 1)
        measure_fail("task %llu came back as %llu", (unsigned long long)number, (unsigned long long)result);
}

static void stream(struct producer *self) {
    uint64_t submitted = self->next, collected = submitted;
    uint64_t end = self->until != 0 ? UINT64_MAX : submitted + self->tasks;

    if (self->window == 0)
        measure_fail("fewer places than producers");
    for (; submitted < end; submitted++) {
        if (self->until != 0 && submitted % 64 == 0 && clock_ns() >= self->until)
            break;
        if (submitted - collected == self->window)
            collect_checked(self, collected++);
        self->flow->submit(self->flow->subject, self->first + submitted % self->window, self->bits | submitted);
    }
    while (collected < submitted)
        collect_checked(self, collected++);
    self->tasks = submitted - self->next;
    self->next = submitted;
}

static void produce(void *producer) {
    struct producer *self = producer;

    pthread_barrier_wait(self->start);
    self->until = clock_ns() + measure_size(STREAM_NS, QUICK_NS);
    stream(self);
}

static void *be_producer(void *producer) {
    const struct flow *flow = ((struct producer *)producer)->flow;

    if (flow->enter != NULL)
        flow->enter(flow->subject, produce, producer);
    else
        produce(producer);
    return NULL;
}

/* Tasks a second, all producers together. */
static double rate_of(const struct flow_job *job, const struct flow *flow, uint64_t bits) {
    struct producer   producers[FLOW_PRODUCERS_MAX];
    pthread_barrier_t start;
    pthread_t         threads[FLOW_PRODUCERS_MAX];
    size_t            window = job->window / job->producers;
    uint64_t          begin, tasks = 0;
    unsigned          i;

    for (i = 0; i < job->producers; i++) {
        producers[i] = (struct producer){flow, i * window, window, bits, 0, WARM_TASKS, 0, &start};
        stream(&producers[i]);
    }
    pthread_barrier_init(&start, NULL, job->producers);
    for (i = 1; i < job->producers; i++)
        if (pthread_create(&threads[i], NULL, be_producer, &producers[i]) != 0)
            measure_fail("no thread for a producer");
    begin = clock_ns();
    produce(&producers[0]);
    for (i = 1; i < job->producers; i++)
        pthread_join(threads[i], NULL);
    begin = clock_ns() - begin;
    pthread_barrier_destroy(&start);
    for (i = 0; i < job->producers; i++)
        tasks += producers[i].tasks;
    return (double)tasks * 1e9 / (double)begin;
}

static void throughput(const struct flow_job *job, const struct flow *flow) {
    samples_add(job->out, rate_of(job, flow, 0));
}

static unsigned processors(void) {
    cpu_set_t allowed;

    sched_getaffinity(0, sizeof allowed, &allowed);
    return (unsigned)CPU_COUNT(&allowed);
}

/* How long one turn takes if nobody disturbs it. */
static double turn_ns(void) {
    uint64_t best = UINT64_MAX, start;
    int      i;

    for (i = 0; i < 50; i++) {
        start = clock_ns();
        turn_over(100000);
        start = clock_ns() - start;
        best = start < best ? start : best;
    }
    return (double)best / 100000;
}

/* The work done, in a processor's time, by the time of all processors that could have worked on it. */
static void share(const struct flow_job *job, const struct flow *flow) {
    double   turn = turn_ns(), rate;
    uint64_t turns = (uint64_t)(job->work->number / turn + 0.5);
    unsigned could = job->workers < processors() ? job->workers : processors();

    rate = rate_of(job, flow, FLOW_TURNS | turns << 32);
    samples_add(job->out, rate * (double)turns * turn / 1e9 / could);
}

static void round_trip(const struct flow_job *job, const struct flow *flow) {
    /* A sample is a mean over many trips, since reading the clock twice costs a good part of one. */
    size_t          trips = measure_size(1000, 200), sample, sample_count = measure_size(25, 5), trip;
    struct producer self = {.flow = flow, .window = job->window};
    uint64_t        number = 0, start;

    for (sample = 0; sample <= sample_count; sample++) {
        start = clock_ns();
        for (trip = 0; trip < trips; trip++, number++) {
            flow->submit(flow->subject, number % self.window, number);
            collect_checked(&self, number);
        }
        if (sample > 0) /* the first one warms up */
            samples_add(job->out, (double)(clock_ns() - start) / (double)trips);
    }
}

static void asleep_from(size_t place, const struct flow_job *job, const struct flow *flow) {
    size_t   sample, sample_count = measure_size(500, 50);
    uint64_t start, took, own;

    for (sample = 0; sample < sample_count + 10; sample++) {
        sleep_ns(PAUSE_NS);
        start = clock_ns();
        flow->submit(flow->subject, place, FLOW_BUSY | BUSY_NS);
        own = flow->collect(flow->subject, place);
        took = clock_ns() - start;
        place = (place + 1) % job->window;
        if (own < BUSY_NS || own > took)
            measure_fail("a busy task reports %llu ns of its own", (unsigned long long)own);
        if (sample >= 10)
            samples_add(job->out, (double)(took - own));
    }
}

static void round_trip_asleep(const struct flow_job *job, const struct flow *flow) {
    asleep_from(0, job, flow);
}

static void round_trip_apart(const struct flow_job *job, const struct flow *flow) {
    cpu_set_t allowed;
    unsigned  processor, chosen[2], found = 0;

    sched_getaffinity(0, sizeof allowed, &allowed);
    for (processor = 0; processor < CPU_SETSIZE && found < 2; processor++)
        if (CPU_ISSET(processor, &allowed))
            chosen[found++] = processor;
    if (found < 2)
        measure_skip("needs two processors");
    bind_thread(chosen[0]);
    flow->submit(flow->subject, 0, FLOW_BIND | chosen[1]);
    flow->collect(flow->subject, 0);
    asleep_from(1, job, flow); /* the floor's worker takes places in their order */
}

static void burst(const struct flow_job *job, const struct flow *flow) {
    struct producer self = {.flow = flow, .window = job->window, .tasks = BURST_TASKS};
    size_t          sample, sample_count = measure_size(200, 20);
    uint64_t        start;

    for (sample = 0; sample < sample_count + 5; sample++) {
        sleep_ns(2 * PAUSE_NS);
        start = clock_ns();
        stream(&self);
        if (sample >= 5)
            samples_add(job->out, (double)(clock_ns() - start) / 1e3);
    }
}

enum { MEMORY, WAKE_UPS };

static void idle(const struct flow_job *job, const struct flow *flow) {
    struct producer self = {.flow = flow, .window = job->window, .tasks = 16};

    stream(&self); /* whoever starts its threads late has them now */
    if (job->work->number == MEMORY) {
        sleep_ns(BIRTH_NS);
        samples_add(job->out, (double)family_kib() - (double)job->kib_before);
        return;
    }
    sleep_ns(SETTLE_NS);
    samples_add(job->out, family_wakes_per_s(measure_size(700, 100) * 1000000));
}

/* For the streams of one producer and one worker the subject's window is the same place after place, as the floor's
 * worker expects it. */
static const struct flow_work works[] = {
    {"noop-throughput-1w", "tasks/s", throughput, 1, 1, FLOW_ONE, 0},
    {"noop-throughput-2w", "tasks/s", throughput, 2, 1, FLOW_TWO, 0},
    {"noop-throughput-2w-2p", "tasks/s", throughput, 2, 2, FLOW_MANY, 0},
    {"noop-throughput-2w-4p", "tasks/s", throughput, 2, 4, FLOW_MANY, 0},
    {"round-trip", "ns", round_trip, 1, 1, FLOW_TRIP, 0},
    {"round-trip-asleep", "ns", round_trip_asleep, 1, 1, FLOW_SLEEP, 0},
    {"round-trip-apart", "ns", round_trip_apart, 1, 1, FLOW_SLEEP, 0},
    {"efficiency-1us", "share", share, 2, 1, FLOW_SHARE, 1000},
    {"efficiency-10us", "share", share, 2, 1, FLOW_SHARE, 10000},
    {"burst-100", "us", burst, 2, 1, FLOW_BURST, 0},
    {"idle-memory", "KiB", idle, 2, 1, FLOW_IDLE, MEMORY},
    {"idle-cpu", "wakes/s", idle, 2, 1, FLOW_IDLE, WAKE_UPS},
};
#define WORKS (sizeof works / sizeof works[0])

static const struct flow_subject *all_subjects;

static void run_case(const struct bench_case *self, struct samples *out) {
    const struct flow_subject *subject = &all_subjects[(size_t)self->variant / WORKS];
    const struct flow_work    *work = &works[(size_t)self->variant % WORKS];
    struct flow_job            job = {work, out, work->workers, work->producers, 0, FLOW_WINDOW, subject->variant, 0};

    job.is_sleepy = (work->sort & (FLOW_SLEEP | FLOW_BURST | FLOW_IDLE)) != 0;
    if (subject->window != 0)
        job.window = subject->window;
    if (work->sort == FLOW_IDLE)
        job.kib_before = family_kib();
    subject->run(&job);
}

void flow_measure(struct flow_job *job, const struct flow *flow) {
    job->work->measure(job, flow);
}

int flow_main(int argc, char **argv, const struct flow_subject *subjects, size_t subject_count,
              const struct bench_case *others, size_t other_count) {
    struct bench_case *cases = calloc(subject_count * WORKS + other_count, sizeof *cases);
    size_t             i, count = 0;
    int                code;

    if (cases == NULL)
        measure_fail("no memory for the list of cases");
    all_subjects = subjects;
    for (i = 0; i < subject_count * WORKS; i++) {
        const struct flow_subject *subject = &subjects[i / WORKS];
        const struct flow_work    *work = &works[i % WORKS];

        if ((subject->sorts & (int)work->sort) != 0)
            cases[count++] =
                (struct bench_case){work->name, subject->name, work->unit, run_case, work->workers, (int)i};
    }
    for (i = 0; i < other_count; i++)
        cases[count++] = others[i];
    code = measure_main(argc, argv, cases, count);
    free(cases);
    return code;
}
