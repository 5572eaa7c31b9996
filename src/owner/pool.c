/* pool.c - opening and closing, and what is in between to be counted */
#include <errno.h>
#include <poll.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "owner/modules.h"
#include "owner/seat.h"
#include "owner/usual.h"
#include "region/queue.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"
#include "system/why.h"

/* ORD(*) counters for people, and a seal that a submit may miss by an instant. */

#define QUIT_NS 10000000000ull

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static bool copy_options(struct pool *pool, const struct plan *plan) {
    const mortal_pool_options *asked = &plan->asked;
    struct heritage *h = &pool->heritage;
    h->preload = asked->preload;
    h->init = asked->init;
    h->start_ns = plan->start_ns;
    h->deaths = plan->deaths;
    h->deaths_period_ns = plan->deaths_period_ns;
    h->harden = (uint32_t)plan->asked.harden;
    h->caps = plan->caps;
    h->backtrace = plan->backtrace;
    h->cleanup_ns = plan->cleanup_ns;
    h->containment = plan->asked.containment;
    if (asked->name != NULL)
        (void)snprintf(h->name, sizeof h->name, "%s", asked->name);
    if (asked->context_bytes != 0) {
        void *context = malloc(asked->context_bytes);
        if (context == NULL)
            return false;
        memcpy(context, asked->context, asked->context_bytes);
        h->context = context;
        h->context_bytes = asked->context_bytes;
    }
    if (asked->keep_fd_count != 0) {
        int *fds = calloc(asked->keep_fd_count, sizeof *fds);
        if (fds == NULL)
            return false;
        memcpy(fds, asked->keep_fds, asked->keep_fd_count * sizeof *fds);
        qsort(fds, asked->keep_fd_count, sizeof *fds, by_number);
        h->keep_fds = fds;
        h->keep_fd_count = asked->keep_fd_count;
    }
    pool->defaults = plan->task;
    if (plan->task.name != NULL && (pool->defaults.name = strndup(plan->task.name, NAME_BYTES - 1)) == NULL)
        return false;
    pool->defaults_are_plain = options_are_plain(&pool->defaults);
    return true;
}

static bool make_ledger(struct pool *pool) {
    const struct geometry *g = &pool->region->g;
    pool->entries = memory_private(round_up((uint64_t)g->slots * sizeof *pool->entries, PAGE_BYTES));
    pool->free_slots = memory_private(round_up((uint64_t)g->slots * sizeof *pool->free_slots, PAGE_BYTES));
    pool->logs_seen = calloc((size_t)g->berths * g->workers_per_host, sizeof *pool->logs_seen);
    pool->sweep_at = 64;
    int code = pool->modules == NULL ? process_code(&pool->code) : 0;
    pool->code_count = code > 0 ? (uint32_t)code : 0;
    if (pool->code_count == 0) /* nothing to compare with */
        pool->code_seen = (struct code_range){0, UINTPTR_MAX};
    return pool->entries != NULL && pool->free_slots != NULL && pool->logs_seen != NULL &&
           heap_open(&pool->inputs, inputs_of(pool->region), g->inputs_bytes, pool->region->orders_fd, g->order_inputs) == 0;
}

static void free_pool(struct pool *pool) {
    const struct geometry *g = &pool->region->g;
    for (uint32_t slot = 0; slot < pool->slots_used; slot++) {
        struct entry *entry = &pool->entries[slot];
        free(entry->copy);
        if (entry->state != ENTRY_FREE)
            free(entry->name);
        if (entry->stream != NULL)
            stream_drop(entry);
    }
    group_destroy_all(pool);
    modules_close(pool);
    buffer_destroy_all(pool);
    heap_close(&pool->inputs);
    cell_end_all(pool);
    if (pool->entries != NULL)
        memory_unmap(pool->entries, round_up((uint64_t)g->slots * sizeof *pool->entries, PAGE_BYTES));
    if (pool->free_slots != NULL)
        memory_unmap(pool->free_slots, round_up((uint64_t)g->slots * sizeof *pool->free_slots, PAGE_BYTES));
    free(pool->logs_seen);
    free(pool->code);
    free((void *)(uintptr_t)pool->heritage.context);
    free((void *)(uintptr_t)pool->heritage.keep_fds);
    free((void *)(uintptr_t)pool->defaults.name);
    if (pool->region->orders_fd >= 0)
        region_destroy(pool->region);
    free(pool);
}

static int explain_region(int error) {
    if (error == -EFBIG)
        return why(error, "mortal_pool_open: the file size limit (ulimit -f) is smaller than the pool's shared memory: raise "
                          "it, or ask for less held_tasks, inputs_bytes and results_bytes");
    if (error == -EMFILE || error == -ENFILE)
        return why(-EMFILE, "mortal_pool_open: no descriptor is left for shared memory: raise ulimit -n, or close some files");
    return why(-ENOMEM, "mortal_pool_open: no memory or address space for the pool (%s): look at ulimit -v, or ask for less "
                        "held_tasks, inputs_bytes and results_bytes", strerror(-error));
}

#define JOINED_NS 100000000ull

/* A thread that was joined may still be counted for a moment: its joiner is woken before the kernel has let go of it. */
static int count_threads(void) {
    uint64_t until = clock_after(JOINED_NS);
    int threads = process_threads();
    while (threads > 1 && clock_ns() < until) {
        (void)poll(NULL, 0, 1);
        threads = process_threads();
    }
    return threads;
}

static int check_process(void) {
    int threads = count_threads();
    if (threads <= 1)
        return 0;
    return why(-EBUSY, "mortal_pool_open: this process has %d threads, and hosts forked from it could inherit locks that "
                       "nobody will ever open: open the pool before starting threads, or with start = MORTAL_START_EXEC",
               threads);
}

/* Everything of a pool; on failure what there is of it is left for free_pool(). */
static int build(struct pool *pool, struct mortal_pool *seat, const struct plan *plan, int (*launcher)(struct pool *)) {
    pool->seat = seat;
    pool->region = &pool->heritage.region;
    pool->region->orders_fd = -1;
    pool->supervisor_fd = pool->link_fd = -1;
    pool->heritage.bell_fd = pool->heritage.link_fd = pool->heritage.owner_pidfd = pool->heritage.modules_fd = -1;
    pool->opener = getpid();
    pool->spin_us = SPIN_LEAST_US;
    int error = region_create(pool->region, &plan->limits);
    if (error != 0)
        return explain_region(error);
    if (plan->asked.start == MORTAL_START_EXEC && (error = modules_open(pool)) != 0)
        return error;
    if (!make_ledger(pool) || !copy_options(pool, plan))
        return why(-ENOMEM, "mortal_pool_open: no memory");
    return launcher(pool);
}

int pool_open_with(mortal_pool **out, const mortal_pool_options *options, int (*launcher)(struct pool *)) {
    struct plan plan;
    int saved = errno;
    if (out == NULL)
        return why(-EINVAL, "mortal_pool_open: out is null");
    int error = options_plan(options, &plan);
    if (error == 0 && launcher == launch)
        error = plan.asked.start == MORTAL_START_EXEC ? image_check() : check_process();
    if (error == 0 && seat_table_open() != 0)
        error = why(-ENOMEM, "mortal_pool_open: no memory");
    if (error != 0)
        return error;
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return why(-ENOMEM, "mortal_pool_open: no memory");
    struct mortal_pool *seat = seat_take();
    if (seat == NULL) {
        free(pool);
        return why(-EMFILE, "mortal_pool_open: %u pools are open in this process: close some", SEATS);
    }
    error = build(pool, seat, &plan, launcher);
    if (error != 0) {
        bool dead;
        launch_end(pool, clock_after(QUIT_NS), &dead);
        free_pool(pool);
        seat_leave(seat);
    } else {
        pool->seat_number = seat_number(seat);
        pool->value_place = (uint64_t)(pool->seat_number + 1) << 32;
        pool->value_life = (uint64_t)seat->nonce << LIFE_BITS_OF_VALUES;
        pool->is_usual = usual_pool(pool);
        seat_settle(seat, pool);
        *out = seat;
    }
    errno = saved;
    return error;
}

int mortal_pool_open(mortal_pool **out, const mortal_pool_options *options) {
    if (process_is_hosted())
        return why(-EPERM, "mortal_pool_open: called inside a task, preload or init: only the program itself may open a pool");
    return pool_open_with(out, options, launch);
}

void mortal_pool_seal(mortal_pool *handle) {
    struct pool *pool = seat_peek(handle);
    if (pool != NULL)
        atomic_store(&pool->sealed, 1);
}

/* Everybody who sleeps on anything of this pool sleeps on this word too. */
static void send_everybody_home(struct pool *pool) {
    futex_wake(&control_head(pool->region)->supervisor_lives, INT_MAX);
    atomic_fetch_add(&claims_head(pool->region)->room_bell, 1);
    futex_wake(&claims_head(pool->region)->room_bell, INT_MAX);
}

/* With an open circuit breaker what runs goes on to its end, and what waits never starts: the rest is to be
 * cancelled. */
static int drain(struct pool *pool, uint64_t grace_ns) {
    uint64_t deadline = clock_after(grace_ns);
    int result = 0;
    for (uint32_t slot = 0; slot < pool->slots_used; slot++) {
        if (pool->entries[slot].state != ENTRY_LIVE)
            continue;
        int error;
        do {
            error = watch_task(pool, slot, pool->entries[slot].life, deadline, WATCH_END_OR_BREAKER);
        } while (error == -EINTR);
        if (error == -ETIMEDOUT)
            return error;
        if (error == -EHOSTDOWN)
            result = error;
    }
    return result;
}

static void end_tasks(struct pool *pool, int how, uint64_t grace_ns, mortal_kill_report *report) {
    if (how == MORTAL_CLOSE_DRAIN && drain(pool, grace_ns) == 0)
        return;
    if (how == MORTAL_CLOSE_CANCEL) { /* running ones may end, but are not told to */
        (void)kill_all(pool, NULL, MORTAL_PENDING, 0, 0, report);
        (void)drain(pool, grace_ns);
    }
    mortal_kill_report rest = {0};
    (void)kill_all(pool, NULL, MORTAL_UNENDED, how == MORTAL_CLOSE_KILL ? grace_ns : 0, QUIT_NS, &rest);
    report->never_started += rest.never_started;
    report->finished_first += rest.finished_first;
    report->killed += rest.killed;
    report->still_dying += rest.still_dying;
    report->hosts += rest.hosts;
    report->trees_left = 0; /* the supervisor, which is waited for, ends with the last of them */
}

/* The lock is held by the caller; afterwards no other thread is inside, nor can one come. */
static void shut_doors(struct pool *pool) {
    seat_shut(pool->seat);
    pool->closing = true;
    pool->closer = pthread_self();
    atomic_store(&pool->sealed, 1);
    while (pool->sleepers != 0) {
        send_everybody_home(pool);
        uint32_t left = atomic_load(&pool->left);
        seat_unlock(pool);
        (void)futex_wait(&pool->left, left, clock_after(1000000u));
        seat_lock(pool);
    }
}

int mortal_pool_close(mortal_pool *handle, int how, uint64_t grace_ns, mortal_kill_report *report) {
    struct pool *pool;
    if (how < MORTAL_CLOSE_DRAIN || how > MORTAL_CLOSE_KILL)
        return why(-EINVAL, "mortal_pool_close: how is %d: it must be MORTAL_CLOSE_DRAIN, _CANCEL or _KILL", how);
    int saved = errno;
    uint64_t began = clock_ns();
    int error = seat_enter(handle, "mortal_pool_close", &pool);
    if (error == -ESHUTDOWN)
        return why(-EALREADY, "mortal_pool_close: another thread is closing this pool");
    if (error != 0)
        return error;
    struct mortal_pool *seat = pool->seat;
    mortal_kill_report done = {0};
    bool dead = true;
    shut_doors(pool);
    end_tasks(pool, how, grace_ns, &done);
    launch_end(pool, clock_after(QUIT_NS), &dead);
    lock_leave(&seat->lock);
    free_pool(pool);
    seat_leave(seat);
    done.took_ns = clock_ns() - began;
    if (report != NULL)
        *report = done;
    errno = saved;
    return dead ? 0 : why(-EINPROGRESS, "mortal_pool_close: a host did not die within 10 s; the kernel ends it when it can");
}

static void count_tasks(struct pool *pool, mortal_stats *stats) {
    for (uint32_t slot = 0; slot < pool->slots_used; slot++) {
        if (pool->entries[slot].state != ENTRY_LIVE || ledger_harvest(pool, slot))
            continue;
        if (phase_is_running(word_phase(atomic_load(claim_of(pool->region, slot)))))
            stats->running++;
        else
            stats->pending++;
    }
}

int mortal_pool_stats(mortal_pool *handle, mortal_stats *stats) {
    struct pool *pool;
    if (stats == NULL)
        return why(-EINVAL, "mortal_pool_stats: stats is null");
    int error = seat_enter(handle, "mortal_pool_stats", &pool);
    if (error != 0)
        return error;
    const struct geometry *g = &pool->region->g;
    const struct control_head *control = control_head(pool->region);
    mortal_stats now = {0};
    bool alive = watch_supervisor(pool);
    count_tasks(pool, &now);
    now.submitted = pool->submitted;
    memcpy(now.ended, pool->ended, sizeof now.ended);
    now.held = pool->held;
    now.host_deaths = atomic_load(&control->deaths);
    now.host_kills = atomic_load(&control->kills);
    now.requeued = atomic_load(&control->requeued);
    now.breaker = alive && breaker_is_open(pool->region);
    now.breaker_opened = atomic_load(&control->breaker_opened);
    now.failed_starts = atomic_load(&control->failed_starts);
    now.workers = g->workers;
    now.hosts = alive ? atomic_load(&control->hosts_ready) : 0;
    now.standby = alive ? atomic_load(&control->standby_ready) : 0;
    now.replaced = atomic_load(&control->replaced);
    now.dying = alive ? atomic_load(&control->dying) : 0;
    now.supervisor = alive ? pool->supervisor_pid : 0;
    now.hardened = alive ? (int32_t)atomic_load(&control->hardened) : 0;
    now.caps = alive ? (int32_t)atomic_load(&control->caps) : 0;
    now.recycled = atomic_load(&control->recycled);
    now.empty_host_bytes = atomic_load(&control->empty_host_bytes);
    now.broken = !alive;
    now.obituaries = atomic_load(&control->obituaries);
    now.cleanups = atomic_load(&control->cleanups);
    now.containment = alive ? (int32_t)atomic_load(&control->containment) : 0;
    now.input_bytes_max = heap_largest(&pool->inputs);
    now.buffers = pool->buffers_held;
    now.buffers_bytes = pool->region->windows[WINDOW_SHARED].bytes;
    now.result_bytes_max = heap_largest_of(g->results_bytes);
    now.stream_bytes = g->stream_bytes;
    now.results_used_bytes = memory_used(pool->region->answers_fd);
    *stats = now;
    seat_unlock(pool);
    return 0;
}
