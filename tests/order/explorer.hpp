/*
 * explorer.hpp - the protocols of the region under every order that weak memory allows
 *
 * relacy runs a few threads through all their interleavings, and lets each load see every value that C11 allows it to
 * see, which x86 never does. The protocols are written anew here, a few lines each, but not their orders: those are
 * read from the sources by tests/check/orders.py, which knows each by its label. So a release that is made relaxed in
 * src/ fails here.
 *
 * A protocol is explored as it is, which must find nothing, and then once for each of its labels with that one made
 * relaxed, which must find something: else the order is not needed, or the protocol as written here does not show for
 * what. With EXPLORE=1 in the environment the execution that breaks a protocol as it is is told step by step.
 */
#ifndef EXPLORER_HPP
#define EXPLORER_HPP

#include <relacy/relacy.hpp>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <iostream>

enum label {
#define LABEL(name, order) name,
#include "orders.h"
#undef LABEL
    none
};

static const rl::memory_order order_in_source[] = {
#define LABEL(name, order) rl::mo_##order,
#include "orders.h"
#undef LABEL
};
static const char *const name_of_label[] = {
#define LABEL(name, order) #name,
#include "orders.h"
#undef LABEL
};

static label weakened = none;

static inline rl::memory_order order_of(label which)
{
    return which == weakened ? rl::mo_relaxed : order_in_source[which];
}

/* An atomic word, each access by its label. Those that are in the sources under another label, or matter to nobody,
 * are quiet. */
struct word {
    rl::atomic<unsigned> value;

    void     is(unsigned now) { value.store(now, rl::mo_relaxed, $); }
    unsigned quietly() const { return value.load(rl::mo_relaxed, $); }
    unsigned load(label which) const { return value.load(order_of(which), $); }
    void     store(unsigned now, label which) { value.store(now, order_of(which), $); }
    unsigned exchange(unsigned now, label which) { return value.exchange(now, order_of(which), $); }
    bool     swap(unsigned from, unsigned to, label which)
    {
        return value.compare_exchange_strong(from, to, order_of(which), $);
    }
    bool quiet_swap(unsigned from, unsigned to) { return value.compare_exchange_strong(from, to, rl::mo_relaxed, $); }
};

static inline void fence(label which)
{
    if (order_of(which) != rl::mo_relaxed)
        rl::atomic_thread_fence(order_of(which), $);
}
/* membarrier(2): whoever calls it goes on once the other thread has made a full barrier, which that one does between any
 * two of its accesses, or has ended. What the kernel does by an interrupt is a poll between all accesses here; a call that no
 * poll has met by then would wait, and met by a later one is another execution: so this one proves nothing. */
struct membarrier {
    rl::atomic<unsigned> asked, met;

    void ready()
    {
        asked.store(0, rl::mo_relaxed, $);
        met.store(0, rl::mo_relaxed, $);
    }

    void answer()
    {
        rl::atomic_thread_fence(rl::mo_seq_cst, $);
        met.store(1, rl::mo_release, $);
    }

    void poll()
    {
        if (asked.load(rl::mo_acquire, $) != 0)
            answer();
    }

    bool call()
    {
        rl::atomic_thread_fence(rl::mo_seq_cst, $);
        asked.store(1, rl::mo_release, $);
        bool is_met = met.load(rl::mo_acquire, $) != 0;
        rl::atomic_thread_fence(rl::mo_seq_cst, $);
        return is_met;
    }
};

static unsigned long explored, caught, planted, faults;

/* iterations: 0 for all executions there are, else so many at random, the same ones in every run. */
template <typename protocol, template <rl::thread_id_t> class scheduler>
static rl::test_result_e found_in(unsigned long iterations, bool in_steps)
{
    static std::ostream nowhere(nullptr);
    rl::ostringstream   state;
    rl::test_params     parameters;
    parameters.search_type = iterations == 0 ? rl::sched_full : rl::sched_random;
    parameters.iteration_count = iterations;
    parameters.collect_history = in_steps;
    parameters.output_stream = in_steps ? &std::cout : &nowhere;
    parameters.progress_stream = &nowhere;
    rl::test_result_e found =
        rl::run_test<protocol, scheduler<protocol::params::thread_count>>(parameters, state, in_steps);
    explored += parameters.stop_iteration;
    return found;
}

template <typename protocol, template <rl::thread_id_t> class scheduler>
static void explore_with(const char *name, std::initializer_list<label> labels, unsigned long iterations)
{
    weakened = none;
    rl::test_result_e found = found_in<protocol, scheduler>(iterations, std::getenv("EXPLORE") != nullptr);
    if (found != rl::test_result_success) {
        std::printf("%s: broken: %s\n", name, rl::test_result_str(found));
        faults++;
    }
    for (label each : labels) {
        weakened = each;
        planted++;
        found = found_in<protocol, scheduler>(iterations, false);
        if (found == rl::test_result_user_assert_failed || found == rl::test_result_data_race) {
            caught++;
            continue;
        }
        std::printf("%s: %s made relaxed: %s\n", name, name_of_label[each], rl::test_result_str(found));
        faults++;
    }
    weakened = none;
}

/* A mistake that is no order: it must be found, in as many executions at random. */
template <typename protocol>
static void explore_mistake(const char *name, unsigned long iterations)
{
    weakened = none;
    planted++;
    rl::test_result_e found = found_in<protocol, rl::random_scheduler>(iterations, false);
    if (found == rl::test_result_user_assert_failed || found == rl::test_result_data_race) {
        caught++;
        return;
    }
    std::printf("%s: %s\n", name, rl::test_result_str(found));
    faults++;
}

template <typename protocol>
static void explore(const char *name, std::initializer_list<label> labels)
{
    explore_with<protocol, rl::full_search_scheduler>(name, labels, 0);
}

template <typename protocol>
static void explore_some(const char *name, std::initializer_list<label> labels, unsigned long iterations)
{
    explore_with<protocol, rl::random_scheduler>(name, labels, iterations);
}

static inline int explored_all()
{
    std::printf("note: executions explored: %lu; orders weakened and caught: %lu of %lu\n", explored, caught, planted);
    return faults == 0 ? 0 : 1;
}

#endif
