/*
 * mortal_flow.c - mortal: all streams
 *
 * mortal          one host for each worker, taking each result: the default, and what a kill is best at
 * mortal-threads  all workers are threads of one host
 * mortal-batch    as mortal, tasks submitted 32 at a time
 * mortal-group    one host for each worker, verdicts taken from a group as they come
 * mortal-keys     as mortal, with the control words shut by memory protection keys while a task runs
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>
#include <string.h>

#include "flow.h"

enum { BY_FUTURE, ONE_HOST, BY_GROUP, WITH_KEYS, IN_BATCHES };
enum { BATCH = 32 };

struct subject {
    mortal_pool  *pool;
    mortal_group *group;
    mortal_future future[FLOW_WINDOW];
    uint64_t      result[FLOW_WINDOW]; /* by group: arrived before its turn */
    uint8_t       arrived[FLOW_WINDOW];
    mortal_job    job[BATCH];          /* in batches: not submitted yet */
    uint64_t      argument[BATCH];
    size_t        first, count;        /* place of the first of them; how many */
};

static int run_task(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t value;

    if (input_bytes != sizeof value)
        return 1;
    memcpy(&value, input, sizeof value);
    value = flow_task(value);
    return mortal_task_reply(task, &value, sizeof value);
}

static uint64_t harvest(const mortal_verdict *verdict) {
    uint64_t result;

    if (verdict->outcome != MORTAL_DONE || verdict->result_bytes != sizeof result)
        measure_fail("a task ended %s", mortal_outcome_name(verdict->outcome));
    memcpy(&result, verdict->result, sizeof result);
    if (mortal_future_release(verdict->future) != 0)
        measure_fail("release: %s", mortal_why());
    return result;
}

static void submit(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;

    if (mortal_pool_submit(self->pool, run_task, &argument, sizeof argument, NULL, &self->future[place]) != 0)
        measure_fail("submit: %s", mortal_why());
}

static uint64_t collect(void *subject, size_t place) {
    struct subject *self = subject;
    mortal_verdict  verdict;
    uint64_t        result;

    if (mortal_future_take(self->future[place], MORTAL_FOREVER, &verdict, &result, sizeof result) != 0)
        measure_fail("take: %s", mortal_why());
    if (verdict.outcome != MORTAL_DONE || verdict.result_bytes != sizeof result)
        measure_fail("a task ended %s", mortal_outcome_name(verdict.outcome));
    return result;
}

static void submit_batch(struct subject *self) {
    if (mortal_pool_submit_many(self->pool, self->job, self->count, NULL, &self->future[self->first], NULL) != 0)
        measure_fail("submit: %s", mortal_why());
    self->count = 0;
}

/* Places follow each other, and after the last one comes the first. */
static void add_to_batch(void *subject, size_t place, uint64_t argument) {
    struct subject *self = subject;

    if (self->count == BATCH || (self->count != 0 && place != self->first + self->count))
        submit_batch(self);
    if (self->count == 0)
        self->first = place;
    self->argument[self->count] = argument;
    self->job[self->count].function = run_task;
    self->job[self->count].input = &self->argument[self->count];
    self->job[self->count].input_bytes = sizeof argument;
    self->count++;
}

static uint64_t collect_of_batches(void *subject, size_t place) {
    struct subject *self = subject;

    if (place - self->first < self->count)
        submit_batch(self);
    return collect(subject, place);
}

static void submit_to_group(void *subject, size_t place, uint64_t argument) {
    struct subject     *self = subject;
    mortal_task_options options = {.size = sizeof options, .group = self->group, .tag = &self->result[place]};

    if (mortal_pool_submit(self->pool, run_task, &argument, sizeof argument, &options, &self->future[place]) != 0)
        measure_fail("submit: %s", mortal_why());
}

static uint64_t collect_from_group(void *subject, size_t place) {
    struct subject *self = subject;
    mortal_verdict  verdict;

    while (!self->arrived[place]) {
        uint64_t *result;

        if (mortal_group_next(self->group, MORTAL_FOREVER, &verdict) != 0)
            measure_fail("group: %s", mortal_why());
        result = verdict.tag;
        *result = harvest(&verdict);
        self->arrived[result - self->result] = 1;
    }
    self->arrived[place] = 0;
    return self->result[place];
}

static void check_keys(mortal_pool *pool) {
    mortal_stats stats;

    if (mortal_pool_stats(pool, &stats) != 0)
        measure_fail("stats: %s", mortal_why());
    if ((stats.hardened & MORTAL_HARDEN_KEYS) != 0)
        return;
    (void)mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
    measure_skip("this machine has no memory protection keys");
}

static void run(struct flow_job *job) {
    static struct subject subject;
    mortal_pool_options   options = {.size = sizeof options, .workers = job->workers};
    struct flow           flow = {&subject, submit, collect, NULL};

    if (job->variant == ONE_HOST)
        options.workers_per_host = job->workers;
    if (job->variant == WITH_KEYS)
        options.harden = MORTAL_HARDEN_KEYS;
    if (mortal_pool_open(&subject.pool, &options) != 0)
        measure_fail("open: %s", mortal_why());
    if (job->variant == WITH_KEYS)
        check_keys(subject.pool);
    if (job->variant == BY_GROUP) {
        flow.submit = submit_to_group;
        flow.collect = collect_from_group;
        if (mortal_group_open(&subject.group, subject.pool) != 0)
            measure_fail("group: %s", mortal_why());
    }
    if (job->variant == IN_BATCHES) {
        flow.submit = add_to_batch;
        flow.collect = collect_of_batches;
    }
    flow_measure(job, &flow);
    if (mortal_pool_close(subject.pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0)
        measure_fail("close: %s", mortal_why());
}

static const struct flow_subject subjects[] = {
    {"mortal", run, FLOW_ALL, BY_FUTURE, 0},
    {"mortal-batch", run, FLOW_ONE | FLOW_TWO | FLOW_BURST, IN_BATCHES, 0},
    {"mortal-threads", run, FLOW_TWO | FLOW_MANY | FLOW_SHARE | FLOW_BURST | FLOW_IDLE, ONE_HOST, 0},
    {"mortal-group", run, FLOW_ONE | FLOW_TWO | FLOW_TRIP | FLOW_SHARE, BY_GROUP, 0},
    {"mortal-keys", run, FLOW_ONE | FLOW_TRIP, WITH_KEYS, 0},
};

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], NULL, 0);
}
