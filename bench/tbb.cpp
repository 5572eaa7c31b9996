/*
 * tbb.cpp - oneTBB: all streams, twice
 *
 * tbb-group     task_group::run by threads that joined the arena to submit: tasks lie in the producer's own deque, and
 *               workers steal them
 * tbb-enqueue   task_arena::enqueue into an arena that the producer is no part of: first in, first out
 *
 * Whoever waits waits for a completion word and runs no tasks itself, as task_group::wait() would: a pool whose waiting
 * caller runs tasks can have that caller stuck in one.
 *
 * SPDX-License-Identifier: MIT
 */
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include "flow.h"
#include "ticket.h"

namespace {

enum { GROUP, ENQUEUE };

struct alignas(64) place {
    ticket_word ticket;
    uint64_t    value; /* the argument, then the result */
};

struct subject {
    tbb::task_group *group;
    tbb::task_arena *arena;
    place            places[FLOW_WINDOW];
};

void run_task(place *here) {
    here->value = flow_task(here->value);
    ticket_finish(&here->ticket);
}

place *fill(void *context, size_t number, uint64_t argument) {
    place *here = &static_cast<subject *>(context)->places[number];

    here->value = argument;
    atomic_store_explicit(&here->ticket, (uint32_t)TICKET_OPEN, memory_order_relaxed); /* the push publishes it */
    return here;
}

void submit_to_group(void *context, size_t number, uint64_t argument) {
    place *here = fill(context, number, argument);

    static_cast<subject *>(context)->group->run([here] { run_task(here); });
}

void enqueue(void *context, size_t number, uint64_t argument) {
    place *here = fill(context, number, argument);

    static_cast<subject *>(context)->arena->enqueue([here] { run_task(here); });
}

uint64_t collect(void *context, size_t number) {
    place *here = &static_cast<subject *>(context)->places[number];

    ticket_wait(&here->ticket);
    return here->value;
}

/* For as long as the call lasts the thread has a place of its own in the arena: submitting costs no entry. */
void enter(void *context, void (*body)(void *), void *argument) {
    static_cast<subject *>(context)->arena->execute([=] { body(argument); });
}

void run(struct flow_job *job) {
    static subject subject;
    /* One more than work, for oneTBB counts the thread that is there already. */
    tbb::global_control parallelism(tbb::global_control::max_allowed_parallelism, job->workers + 1);
    unsigned            reserved = job->variant == GROUP ? job->producers : 0;
    tbb::task_arena     arena((int)(job->workers + reserved), reserved);
    tbb::task_group     group;
    struct flow         flow = {&subject, submit_to_group, collect, enter};

    subject.group = &group;
    subject.arena = &arena;
    if (job->variant == GROUP) {
        arena.execute([&] {
            flow_measure(job, &flow);
            group.wait();
        });
        return;
    }
    flow.submit = enqueue;
    flow.enter = nullptr;
    flow_measure(job, &flow);
}

const struct flow_subject subjects[] = {
    {"tbb-group", run, FLOW_ALL, GROUP, 0},
    {"tbb-enqueue", run, FLOW_ALL & ~FLOW_IDLE, ENQUEUE, 0},
};

} // namespace

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], nullptr, 0);
}
