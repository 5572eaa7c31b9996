/*
 * moodycamel.cpp - moodycamel's ConcurrentQueue with plain threads: all streams
 *
 * As its documentation advises for speed: a token for each producer and each consumer, and room reserved for all. Where
 * there is always work the threads poll the queue and yield; where they are to sleep in between they wait in
 * BlockingConcurrentQueue, which polls for a while first. Completion is a word by atomics and futex.
 *
 * SPDX-License-Identifier: MIT
 */
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <sched.h>
#include <thread>
#include <vector>

#include "flow.h"
#include "ticket.h"

namespace {

/* More pauses than a hand-over takes; beyond them let somebody else have this processor. */
const unsigned pauses_before_yield = 200;

struct alignas(64) place {
    ticket_word ticket;
    uint64_t    value; /* the argument, then the result */
};

void run_task(place *here) {
    here->value = flow_task(here->value);
    ticket_finish(&here->ticket);
}

/* A null place tells a worker to end. */
void work_spinning(moodycamel::ConcurrentQueue<place *> *queue) {
    moodycamel::ConsumerToken token(*queue);
    place                    *here = nullptr;

    for (unsigned idle = 0;;) {
        if (!queue->try_dequeue(token, here)) {
            if (++idle % pauses_before_yield == 0)
                sched_yield();
            else
                spin_pause();
            continue;
        }
        if (here == nullptr)
            return;
        idle = 0;
        run_task(here);
    }
}

void work_sleeping(moodycamel::BlockingConcurrentQueue<place *> *queue) {
    moodycamel::ConsumerToken token(*queue);
    place                    *here = nullptr;

    for (;;) {
        queue->wait_dequeue(token, here);
        if (here == nullptr)
            return;
        run_task(here);
    }
}

template <class queue> struct subject {
    queue                                  tasks{4 * FLOW_WINDOW, FLOW_PRODUCERS_MAX + 1, 0};
    std::vector<moodycamel::ProducerToken> tokens; /* of the producers */
    size_t                                 share; /* places of each */
    place                                  places[FLOW_WINDOW];

    static void submit(void *context, size_t number, uint64_t argument) {
        subject *self = static_cast<subject *>(context);
        place   *here = &self->places[number];

        here->value = argument;
        atomic_store_explicit(&here->ticket, (uint32_t)TICKET_OPEN, memory_order_relaxed); /* the push publishes it */
        if (!self->tasks.enqueue(self->tokens[number / self->share], here))
            measure_fail("no memory for an element of the queue");
    }

    static uint64_t collect(void *context, size_t number) {
        subject *self = static_cast<subject *>(context);

        ticket_wait(&self->places[number].ticket);
        return self->places[number].value;
    }

    void run(struct flow_job *job, void (*work)(queue *)) {
        struct flow              flow = {this, submit, collect, nullptr};
        std::vector<std::thread> workers;

        share = FLOW_WINDOW / job->producers;
        for (unsigned i = 0; i < job->producers; i++)
            tokens.emplace_back(tasks);
        for (unsigned i = 0; i < job->workers; i++)
            workers.emplace_back(work, &tasks);
        flow_measure(job, &flow);
        for (unsigned i = 0; i < job->workers; i++)
            tasks.enqueue(nullptr);
        for (std::thread &worker : workers)
            worker.join();
    }
};

void run(struct flow_job *job) {
    static subject<moodycamel::ConcurrentQueue<place *>>         spinning;
    static subject<moodycamel::BlockingConcurrentQueue<place *>> sleeping;

    if (job->is_sleepy)
        sleeping.run(job, work_sleeping);
    else
        spinning.run(job, work_spinning);
}

const struct flow_subject subjects[] = {
    {"moodycamel", run, FLOW_ALL, 0, 0},
};

} // namespace

int main(int argc, char **argv) {
    return flow_main(argc, argv, subjects, sizeof subjects / sizeof subjects[0], nullptr, 0);
}
