#include "host/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "host/guard.h"
#include "host/limits.h"
#include "host/lastwords.h"
#include "host/modules.h"
#include "host/results.h"
#include "host/shield.h"
#include "region/bell.h"
#include "region/plant.h"
#include "region/recover.h"
#include "system/clock.h"
#include "system/futex.h"

static _Thread_local struct worker *self;

struct worker *worker_self(void) { return self; }

void worker_prepare(struct worker *worker, struct host *host, uint32_t index) {
    const struct region *region = host->region;
    memset(worker, 0, sizeof *worker);
    worker->host = host;
    worker->region = region;
    worker->index = index;
    worker->search_us = SPIN_LEAST_US;
    worker->desk = desk_of(region, host->place.life, index);
    worker->berth = berth_of(region, host->place.berth);
    worker->bell = bell_of(region, host->place.berth, index);
    worker->claimant = (struct claimant){.life = host->place.life, .worker = index, .desk = worker->desk};
    worker->cells = (struct cell_writer){
        .region = region, .fd = -1, .first_buffer = cells_buffer_of_worker(region, host->place.berth, index)};
}

/* A robust mutex that is never unlocked: the kernel marks it when this thread is gone although its process lives. The main
 * thread has a life line too: if that is marked the process has become another program (in the kernel the thread that
 * calls exec takes the main thread's id first, so its own word stays as it is). */
static void hold_life_line(struct worker *worker) {
    _Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct life_line), "room for it");
    pthread_mutex_t *mutex = (void *)life_line_of(worker->region, worker->host->place.life, 1 + worker->index);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutex_lock(mutex);
    pthread_mutexattr_destroy(&attributes);
}

void worker_settle(struct worker *worker) {
    self = worker;
    cells_be_writer(&worker->cells);
    (void)guard_open(worker->host); /* as its creator was, but it need not rely on that */
    lastwords_alternate_stack();
    hold_life_line(worker);
    ear_settle(worker);
}

/* A signal and not a descriptor: a task may close any descriptor and open something else at its number. */
void worker_notify_supervisor(const struct host *host) {
    pid_t supervisor = host->heritage->supervisor_pid;
    if (supervisor == 0 && host->heritage->containment == MORTAL_CONTAIN_NAMESPACE)
        supervisor = getppid() == 0 ? 1 : 0; /* the first process passes it on */
    else if (getppid() != supervisor)
        supervisor = 0;
    if (supervisor > 0)
        (void)kill(supervisor, SIGNAL_NOTICE);
}

/* This worker's claim was taken from it. It must touch nothing more: whatever it would claim next, a kill that is under
 * way would hit. ORD(*) here and in worker_run() the plain loads are of words to sleep on. */
static void park(struct worker *worker) {
    /* Told by a signal too, and the kernel orders that: ORD(audit:parked). ORD(worker:parked) pairs
     * ORD(audit:parked). */
    atomic_store_explicit(&worker->desk->parked, 1, memory_order_seq_cst);
    worker_notify_supervisor(worker->host);
    while (atomic_load(&worker->berth->doomed) != BERTH_RETIRED)
        futex_wait(worker->bell, atomic_load(worker->bell), clock_after(1000000000u));
}

/* ORD(worker:doomed) pairs ORD(death:doom): the claim is visible before this load, the doom before the supervisor's look
 * at the claim. One of the two sees the other, or a task could begin in a host that no one thinks it is in. */
static bool host_is_doomed(const struct worker *worker) {
    if (PLANTED(PLANT_IGNORE_DOOM))
        return false;
    return atomic_load_explicit(&worker->berth->doomed, memory_order_seq_cst) != 0;
}

/* Submitters that sleep for room. After a claim something has left the queue, after a publication an input can go. */
static void ring_for_room(const struct region *r) {
    /* ORD(room:wanted) pairs ORD(room:wish): what makes room, ORD(queue:advance) or ORD(publish), is visible before
     * this. */
    uint32_t wanted = atomic_load_explicit(&orders_head(r)->room_wanted, memory_order_seq_cst);
    if (wanted == 0 || ((wanted & ROOM_FOR_INPUT) == 0 && queue_length(r) > r->g.queue_tasks / 2))
        return;
    atomic_fetch_add_explicit(&claims_head(r)->room_bell, 1, memory_order_seq_cst);
    futex_wake(&claims_head(r)->room_bell, INT_MAX);
}

void worker_ring_group(const struct worker *worker, uint32_t group) {
    const struct region *r = worker->region;
    /* ORD(group:watched) pairs ORD(group:watch): the log, ORD(log:told), or the part, ORD(stream:told), is visible before
     * this look for sleepers. */
    uint32_t watch = atomic_load_explicit(&orders_head(r)->group_watch[group], memory_order_seq_cst);
    if (watch == 0)
        return;
    _Atomic uint32_t *bell = &claims_head(r)->group_bell[group];
    atomic_fetch_add_explicit(bell, 1, memory_order_seq_cst);
    if ((watch & GROUP_SLEEPERS) != 0)
        futex_wake(bell, INT_MAX);
    if ((watch & GROUP_FD) != 0)
        worker_notify_supervisor(worker->host);
}

static void log_completion(struct desk *desk, uint32_t slot) {
    uint32_t tail = atomic_load_explicit(&desk->log_tail, memory_order_relaxed);
    /* ORD(log:reuse) pairs ORD(log:still-valid): after the length that stood before. */
    atomic_store_explicit(&desk->log[tail & (LOG_ENTRIES - 1)], slot, memory_order_release);
    /* ORD(log:told) pairs ORD(log:read): who sees the tail sees the entry, and that its task has ended. */
    atomic_store_explicit(&desk->log_tail, tail + 1, memory_order_seq_cst);
}

/* Tell whoever waits. Nobody is told anything that the claim word does not say already. */
static void announce(struct worker *worker, uint32_t slot, struct order *order, uint32_t group) {
    const struct region *r = worker->region;
    if (group != 0 && group <= GROUPS_MAX) {
        log_completion(worker->desk, slot);
        worker_ring_group(worker, group - 1);
    }
    /* ORD(watch:seen) pairs ORD(watch:sleep): the end is published before this look, or a waiter that looked just
     * before it sleeps beside an ended task. */
    if (atomic_load_explicit(&order->watched, memory_order_seq_cst) != 0)
        futex_wake(word_futex(claim_of(r, slot)), INT_MAX);
    ring_for_room(r);
}

/* Claimed but not begun, and the host is to die: the task waits again, uncharged. */
static void hand_back(struct worker *worker, uint32_t slot, uint64_t word) {
    uint64_t pending = word_make(word_generation(word), SLOT_PENDING, 0, 0);
    (void)atomic_compare_exchange_strong(claim_of(worker->region, slot), &word, pending);
    park(worker);
}

/* Member by member: clearing the whole takes one slow instruction where its size is not that of a few stores. */
static inline void start_context(struct mortal_task *task, struct worker *worker, struct order *order, uint32_t slot,
                                 uint64_t word) {
    task->worker = worker;
    task->order = order;
    task->cell = cell_of(worker->region, worker->host->place.life, slot);
    task->slot = slot;
    task->word = word;
    task->result_bytes = 0;
    task->result_offset = HEAP_NONE;
    task->began_ns = task->cpu_began_ns = 0;
    task->has_caps = task->is_cleanup = task->has_parts = task->leaves = false;
    task->small = worker->host->key == 0 ? task->cell->result : worker->small;
    task->sections = 0;
    task->stream_ring = task->stream_head = 0;
    task->item_attempt = 0;
}

static void begin(struct worker *worker, struct mortal_task *task, uint32_t slot, uint64_t word) {
    const struct region *r = worker->region;
    struct order *order = order_of(r, slot);
    start_context(task, worker, order, slot, word);
    results_forget(worker->host, slot);
    uint32_t flags = atomic_load_explicit(&order->flags, memory_order_relaxed);
    if ((flags & ORDER_SOFT) != 0 && care_of(r, slot)->soft_signal != 0)
        ear_open(worker, care_of(r, slot)->soft_signal);
    if ((flags & ORDER_STAMPED) != 0) {
        task->began_ns = clock_ns();
        atomic_store_explicit(&worker->desk->started_ns, task->began_ns, memory_order_relaxed);
    }
    if (worker->host->minds || (flags & (ORDER_CAPS_MEMORY | ORDER_CAPS_CPU)) != 0)
        limits_begin(task);
    atomic_store_explicit(&worker->desk->ran, ++worker->begun, memory_order_relaxed);
    /* ORD(desk:begun) pairs ORD(desk:orphan): the claim is there before, so that who sees a task begun finds its
     * word, or it was overwritten. Recovery reads it after a certain death. */
    atomic_store_explicit(&worker->desk->begun, word, memory_order_release);
}

static bool fill_cell(struct mortal_task *task, int status) {
    struct cell *cell = task->cell;
    if (!results_cell_exists(task->worker->host, task->slot))
        return false;
    if (task->small != cell->result)
        memcpy(cell->result, task->small, INLINE_RESULT_BYTES);
    cell->slot = task->slot | (task->has_parts ? CELL_HAS_PARTS : 0);
    cell->status = status;
    cell->result_bytes = task->result_bytes;
    cell->result_offset = task->result_offset;
    if (task->worker->region->g.measure == 0)
        return true;
    cell->ran_ns = task->began_ns != 0 ? clock_ns() - task->began_ns : 0;
    cell->began_ns = task->began_ns;
    limits_measure(task, cell);
    return true;
}

static void publish(struct mortal_task *task, int status) {
    struct worker *worker = task->worker;
    bool bare = status == 0 && task->result_bytes == 0 && !task->has_parts && worker->region->g.measure == 0;
    uint64_t word = task->word;
    uint64_t ended = bare ? word_bare(word, task->slot) : word_with_phase(word, status == 0 ? SLOT_DONE : SLOT_FAILED);
    uint32_t group = atomic_load_explicit(&task->order->group, memory_order_relaxed);
    _Atomic uint64_t *claim = claim_of(worker->region, task->slot);
    if (PLANTED(PLANT_PUBLISH_BEFORE_RESULT))
        (void)atomic_compare_exchange_strong(claim, &word, ended);
    if (!bare) {
        if (!fill_cell(task, status))
            raise(SIGBUS); /* no memory for the answer: the task crashed, its host with it */
        task->cell->word = ended;
        if (task->result_offset != HEAP_NONE || task->has_parts) {
            results_complete(task);
            results_keep(task, ended);
        }
    }
    /* ORD(publish) pairs ORD(harvest) and ORD(watch:look): everything above is complete before this one swap, and
     * nothing after it is needed. Also a full barrier before the looks for who waits, ORD(watch:seen) and
     * ORD(room:wanted). */
    bool published = PLANTED(PLANT_PUBLISH_BEFORE_RESULT) ||
                     atomic_compare_exchange_strong_explicit(claim, &word, ended, memory_order_seq_cst,
                                                             memory_order_relaxed);
    if (!published && PLANTED(PLANT_IGNORE_LOST_PUBLISH)) {
        atomic_store(claim, ended);
        published = true;
    }
    if (!published)
        park(worker);
    atomic_store_explicit(&worker->desk->begun, 0, memory_order_relaxed);
    if (published)
        announce(worker, task->slot, task->order, group);
}

/* A task that forked and returned in the child as well: the child is no host. */
void worker_end_descendant(const struct host *host) {
    if (*host->still_here == 0)
        _exit(0);
}

/* Within the task: what is loaded may run constructors. Without its module the host is of no use to the pool. */
mortal_function *worker_function(struct host *host, uint64_t code) {
    mortal_function *function = host->heritage->modules == NULL ? (mortal_function *)(uintptr_t)code
                                                                : modules_function(host->heritage, code);
    if (function != NULL)
        return function;
    lastwords_say(host, WORDS_NO_MODULE, NULL, 0);
    _exit(HOST_EXIT_BROKEN);
}

static int call(struct mortal_task *task) {
    struct order *order = task->order;
    const struct region *r = task->worker->region;
    const void *input = NULL;
    if (order->input_bytes != 0) {
        uint32_t flags = atomic_load_explicit(&order->flags, memory_order_relaxed);
        input = (flags & ORDER_TINY) != 0     ? (const uint8_t *)&order->input_offset
                : (flags & ORDER_INLINE) != 0 ? order->input
                                              : inputs_of(r) + order->input_offset;
    }
    guard_close(task->worker->host);
    return worker_function(task->worker->host, order->function)(task, input, order->input_bytes);
}

/* Beyond the task in hand. What was left to this worker while it was the deputy may be on its way still: see bell.h. */
static bool leaves_work(struct worker *worker) {
    const struct region *r = worker->region;
    bool is_seen = !worker->resigned || !bell_anybody_idle(r) || fence_before_sleep(r);
    worker->resigned = false;
    return !is_seen || queue_has_work(r, &worker->claimant);
}

static void run(struct worker *worker, uint32_t slot, uint64_t word) {
    struct mortal_task *task = &worker->task;
    if (PLANTED(PLANT_BEGUN_TOO_EARLY))
        atomic_store_explicit(&worker->desk->begun, word, memory_order_release);
    if (host_is_doomed(worker)) {
        hand_back(worker, slot, word);
        return;
    }
    ring_for_room(worker->region);
    if (worker->found) { /* it was looking on behalf of others too */
        worker->found = false;
        if (leaves_work(worker))
            bell_call(worker->region);
    }
    begin(worker, task, slot, word);
    int status = call(task);
    worker_end_descendant(worker->host);
    if (atomic_load_explicit(&worker->ear.state, memory_order_relaxed) != EAR_SHUT)
        ear_shut(worker);
    if (worker->drafts != NULL)
        drafts_drop(task);
    if (__fpending(stdout) != 0)
        (void)fflush(stdout); /* else a line printed to a pipe is lost when a kill follows */
    (void)guard_open(worker->host);
    if (task->has_caps)
        limits_end(task);
    publish(task, status);
    if (task->sections != 0)
        shield_drop(task);
    task->order = NULL;
    worker->ran++;
    if (worker->host->counts_tasks)
        limits_count(worker->host);
}

bool worker_step(struct worker *worker) {
    uint32_t slot;
    uint64_t word;
    /* ORD(worker:active) pairs ORD(spawn:activate): one that was made active sees what was returned to it. */
    if (worker->index >= atomic_load_explicit(&worker->berth->active, memory_order_acquire) || host_is_doomed(worker))
        return false;
    if (!queue_claim(worker->region, &worker->claimant, &slot, &word))
        return false;
    run(worker, slot, word);
    return true;
}

static bool may_work(const struct worker *worker) { /* ORD(worker:active) */
    return worker->index < atomic_load_explicit(&worker->berth->active, memory_order_acquire) && !host_is_doomed(worker);
}

/* How long a task takes, with what passes before the next one is there: the time between two looks for more is less than
 * that by far only where the queue is never empty, and then nobody sleeps. */
static void note_pace(struct worker *worker) {
    if (worker->region->g.workers == 1 || worker->ran == 0)
        return;
    uint64_t now = clock_ns();
    bell_note_pace(worker->region, now - worker->looked_ns < (uint64_t)worker->ran * BRISK_NS);
    worker->looked_ns = now;
    worker->ran = 0;
}

/* True: there is something to look at again before sleeping. */
static bool search(struct worker *worker, uint32_t bell) {
    const struct region *r = worker->region;
    uint32_t berth = worker->host->place.berth;
    note_pace(worker);
    bool is_only = r->g.workers == 1; /* nobody else would be woken in its place */
    if (!is_only && !bell_start_search(r, berth, worker->index))
        return false;
    struct spin spin = {.limit_us = worker->search_us};
    /* It was woken for what it has run since, so tasks are rare, and who waits for one, maybe on this very processor, goes
     * first. */
    if (worker->was_asleep)
        spin_give_way();
    worker->was_asleep = false;
    bool found;
    do {
        found = queue_has_work(r, &worker->claimant) || atomic_load(worker->bell) != bell;
    } while (!found && spin_turn(&spin));
    if (!is_only)
        bell_stop_search(r, berth, worker->index);
    worker->found = found && !is_only;
    return found;
}

/* To be followed by another host: this worker saw that, and claims nothing any more. */
static void say_rest(const struct worker *worker) {
    /* ORD(worker:rest) pairs ORD(recycle:rest): no later look finds that it may claim. */
    if (atomic_load_explicit(&worker->berth->resting, memory_order_acquire) == 0 ||
        atomic_load_explicit(&worker->desk->rested, memory_order_relaxed) != 0)
        return;
    /* ORD(worker:rests) pairs ORD(recycle:seen): all that it did comes before. */
    atomic_store_explicit(&worker->desk->rested, 1, memory_order_release);
    worker_notify_supervisor(worker->host);
}

static void sleep_until_rung(struct worker *worker, uint32_t bell) {
    uint32_t berth = worker->host->place.berth;
    if (!may_work(worker)) { /* a standby or doomed: nobody shall count on it */
        say_rest(worker);
        if (!cleanup_run(worker))
            futex_wait(worker->bell, bell, NEVER);
        return;
    }
    bool deputy = bell_become_deputy(worker->region, berth, worker->index);
    bell_say_idle(worker->region, berth, worker->index);
    /* A deputy looks again soon, whatever it overlooks here. */
    uint64_t soon = deputy ? DEPUTY_NS : fence_before_sleep(worker->region) ? 0 : FENCELESS_SLEEP_NS;
    if (PLANTED(PLANT_LOST_WAKE_UP) || !queue_has_work(worker->region, &worker->claimant)) {
        uint64_t since = clock_ns();
        int outcome = futex_wait(worker->bell, bell, soon != 0 ? since + soon : NEVER);
        if (outcome != -ETIMEDOUT)
            worker->search_us = spin_learn(worker->search_us, clock_ns() - since);
        else if (!queue_has_work(worker->region, &worker->claimant))
            bell_note_silence(worker->region);
    }
    if (deputy)
        bell_resign(worker->region, berth, worker->index);
    worker->resigned = deputy; /* else there was a barrier */
    bell_say_busy(worker->region, berth, worker->index);
    worker->found = worker->was_asleep = true;
}

void worker_run(struct worker *worker) {
    while (atomic_load(&worker->berth->doomed) != BERTH_RETIRED) {
        /* ORD(bell:heard) pairs ORD(bell:ring): before the look for work, so that what is rung after it ends the
         * sleep. */
        uint32_t bell = atomic_load(worker->bell);
        if (worker_step(worker))
            continue;
        if (may_work(worker) && search(worker, bell))
            continue;
        sleep_until_rung(worker, bell);
    }
}
