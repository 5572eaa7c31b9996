/*
 * flow.c - the way of an item: read, submitted, ended, submitted again or settled; and the early stop of it all
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "map.h"

#define STUCK_NS 10000000000ull /* how long a kill may take before it is told that the kernel has not done it yet */

/* The tool's own failure ends everything: what cannot be told need not be computed. */
void flow_give_up(struct run *run, int status) {
    if (!run->status) {
        run->status = status;
    }
    flow_stop(run, 0);
}

/* A second Ctrl-C ends a write to a pipe that nobody reads; that is no failure. */
void flow_check_output(struct run *run, int error) {
    if (error && !run->status) {
        if (error != -EINTR) {
            complain("cannot write results: standard output: %s", strerror(-error));
        }
        flow_give_up(run, error == -EINTR ? STATUS_INTERRUPTED : STATUS_SYSTEM);
    }
}

void flow_check_obituaries(struct run *run, int error) {
    if (error && !run->status) {
        complain("cannot write the obituaries: %s: %s", run->options->obituaries, strerror(-error));
        flow_give_up(run, STATUS_SYSTEM);
    }
}

/* An item's story is over: count, tell, log, write. The item may be gone after it. */
static void settle(struct run *run, struct item *item) {
    bool is_done = !item->is_refused && item->verdict.outcome == MORTAL_DONE;
    tally_count(&run->tally, item, run->options->deadline_ns);
    if (!is_done && item->verdict.outcome != MORTAL_CANCELLED) {
        tally_tell_item(item);
    }
    int error = joblog_write(item);
    if (error && !run->status) {
        complain("cannot write the job log: %s: %s", run->options->joblog, strerror(-error));
        flow_give_up(run, STATUS_SYSTEM);
    }
    flow_check_output(run, window_settle(run, item));
    if (!is_done && run->options->is_halting) {
        flow_stop(run, 0);
    }
}

static void settle_unsubmitted(struct run *run, struct item *item) {
    if (item->attempts == 0) { /* else it waited for a retry, and its last verdict stands */
        item->verdict.outcome = MORTAL_CANCELLED;
    }
    settle(run, item);
}

/* The pool's circuit breaker is open: what was asked for by --max-deaths. */
static void give_up_on_deaths(struct run *run) {
    const struct map_options *options = run->options;
    char period[32], grace[32];
    if (run->has_given_up || run->is_stopping) {
        return;
    }
    run->has_given_up = true;
    format_duration(options->deaths_period_ns, period, sizeof period);
    format_duration(options->grace_ns, grace, sizeof grace);
    complain("gave up: more than %" PRIu32 " processes ended by themselves within %s: nothing more is started, what runs "
             "has %s", options->deaths == MORTAL_NONE ? 0 : options->deaths, period, grace);
    flow_stop(run, options->grace_ns);
}

/* True: the item is in the pool, or settled. False: no room, to be tried again when something has ended. */
static bool submit(struct run *run, struct item *item) {
    mortal_task_options task = {.size = sizeof task, .name = item->text, .group = run->group, .tag = item,
                                .deadline_ns = run->options->deadline_ns,
                                .soft_deadline_ns = run->options->soft_deadline_ns,
                                .attempts = run->options->retries + 1 - item->attempts,
                                .priority = map_priority_of(run->options, item->text),
                                .more_memory_percent = run->options->more_memory_percent};
    mortal_future future;
    clock_gettime(CLOCK_REALTIME, &item->submitted);
    int error = item->is_refused ? -EMSGSIZE
                                 : mortal_pool_try_submit(run->pool, run->module.function, item->text,
                                                          item->text_bytes + 1, &task, &future);
    if (error == -EAGAIN) {
        return false;
    }
    if (!error) {
        run->in_flight++;
    } else if (error == -EMSGSIZE) {
        item->is_refused = true;
        settle(run, item);
    } else if (error == -EHOSTDOWN) {
        settle_unsubmitted(run, item);
        give_up_on_deaths(run);
    } else {
        complain("cannot start items: %s", mortal_why());
        settle_unsubmitted(run, item);
        flow_give_up(run, STATUS_SYSTEM);
    }
    return true;
}

static void wait_at_front(struct run *run, struct item *item) {
    item->next_waiting = run->waiting_first;
    run->waiting_last = run->waiting_first ? run->waiting_last : item;
    run->waiting_first = item;
}

static void wait_at_end(struct run *run, struct item *item) {
    item->next_waiting = NULL;
    *(run->waiting_first ? &run->waiting_last->next_waiting : &run->waiting_first) = item;
    run->waiting_last = item;
}

static struct item *take_waiting(struct run *run) {
    struct item *item = run->waiting_first;
    run->waiting_first = item ? item->next_waiting : NULL;
    return item;
}

/* Null: none for now. */
static struct item *read_item(struct run *run) {
    const char *text;
    size_t text_bytes;
    bool is_too_long;
    int state = items_next(&run->items, &text, &text_bytes, &is_too_long);
    struct item *item = NULL;
    if (state == ITEMS_ONE) {
        item = window_add(run, text, text_bytes);
        if (item) {
            item->is_refused = is_too_long;
            return item;
        }
        run->items.error = ENOMEM;
    }
    if (run->items.error) {
        complain("cannot read items: %s: %s", run->items.name, strerror(run->items.error));
        flow_give_up(run, STATUS_SYSTEM);
    }
    run->is_hungry = state == ITEMS_HUNGRY;
    run->is_input_over = state != ITEMS_HUNGRY;
    return NULL;
}

void flow_feed(struct run *run) {
    run->is_hungry = false;
    while (!run->is_stopping && run->in_flight < run->in_flight_most) {
        struct item *item = take_waiting(run);
        if (!item && !run->is_input_over && window_has_room(run)) {
            item = read_item(run);
        }
        if (!item) {
            return;
        }
        if (!submit(run, item)) {
            wait_at_front(run, item); /* items start in their order */
            return;
        }
    }
}

/* What died is started again by the pool itself; what returned a failure is for us to submit again. */
static bool is_for_retry(const struct run *run, const struct item *item) {
    return item->verdict.outcome == MORTAL_FAILED && item->attempts <= run->options->retries && !run->is_stopping;
}

/*
 * More items than workers are in flight, so that no worker waits for us. But a host that answers faster than we take
 * its answers away must not run out of memory for them: so it is a few at first, and fewer if results are large.
 */
static void adapt_in_flight(struct run *run, size_t result_bytes) {
    uint32_t most = 4 * run->workers + 16;
    run->result_bytes -= run->result_bytes / 16;
    run->result_bytes = result_bytes > run->result_bytes ? result_bytes : run->result_bytes;
    size_t fits = run->result_bytes > 0 ? run->result_room / 2 / run->result_bytes : most;
    run->in_flight_most = run->in_flight_most < most ? run->in_flight_most + 1 : most;
    run->in_flight_most = fits < run->in_flight_most ? (uint32_t)fits : run->in_flight_most;
    run->in_flight_most = run->in_flight_most > 0 ? run->in_flight_most : 1;
}

static void end(struct run *run, const mortal_verdict *verdict) {
    struct item *item = verdict->tag;
    item->verdict = *verdict;
    item->attempts += verdict->attempts;
    run->in_flight--;
    adapt_in_flight(run, verdict->result_bytes);
    if (!is_for_retry(run, item)) {
        settle(run, item);
        return;
    }
    item->verdict.result = NULL;
    item->verdict.result_bytes = 0;
    wait_at_end(run, item);
}

/* As long as an item runs no call of ours needs to tell, but the group's descriptor wakes us. */
static bool is_breaker_open(const struct run *run) {
    mortal_stats stats;
    return run->options->deaths > 0 && mortal_pool_stats(run->pool, &stats) == 0 && stats.breaker != 0;
}

bool flow_harvest(struct run *run) {
    mortal_verdict verdict;
    int error;
    while ((error = mortal_group_next(run->group, 0, &verdict)) == 0) {
        end(run, &verdict);
        mortal_future_release(verdict.future);
    }
    flow_check_obituaries(run, obituaries_tell(run));
    if (is_breaker_open(run)) {
        give_up_on_deaths(run);
    } else if (error != -ENOENT && error != -ETIMEDOUT && error != -EINTR && error != -EHOSTDOWN) {
        complain("cannot collect results: %s", mortal_why());
        flow_give_up(run, STATUS_SYSTEM);
        return false;
    }
    return true;
}

/* A second signal ends the grace: its handler has begun to kill already. */
static void kill_what_runs(struct run *run, uint64_t grace_ns) {
    mortal_kill_report report = {0};
    uint64_t until_ns = mortal_now_ns() + grace_ns;
    uint64_t left_ns = grace_ns;
    while (mortal_pool_kill(run->pool, MORTAL_UNENDED, left_ns, STUCK_NS, &report) == -EINTR) {
        uint64_t now_ns = mortal_now_ns();
        left_ns = stop_signals() > 1 || now_ns >= until_ns ? 0 : until_ns - now_ns;
    }
    run->tally.kill = report;
    run->tally.kill.took_ns -= report.took_ns > left_ns ? left_ns : 0;
}

/* Nothing more is started. What runs may go on for the grace and is then killed. */
void flow_stop(struct run *run, uint64_t grace_ns) {
    struct item *item;
    if (run->is_stopping) {
        return;
    }
    run->is_stopping = run->is_input_over = true;
    mortal_pool_kill(run->pool, MORTAL_PENDING, 0, 0, NULL);
    kill_what_runs(run, grace_ns);
    while ((item = take_waiting(run)) != NULL) {
        settle_unsubmitted(run, item);
    }
}
