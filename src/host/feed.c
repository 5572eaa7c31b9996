#include "host/feed.h"

#include "host/guard.h"
#include "host/map.h"
#include "host/worker.h"
#include "region/plant.h"
#include "system/clock.h"

#define TAKE_NS 1000u    /* as many items are taken up at a time as this is enough for */
#define LINGER_US 20u    /* so long it waits for more */
#define LOOKS_APART 32u  /* or who puts would have to fetch the word back for each item */
#define LEAVE_NS 1000000u /* so long it goes on with what it has, where its host is only to be replaced */
#define LINGER_PACE_NS 10000u /* items that take longer are run one by one: waiting for more would gain nothing */

struct feed {
    mortal_task *task;
    const struct feed_plan *plan;
    struct feed_board *board;
    struct feed_run *run;
    _Atomic uint8_t *outcomes; /* from the first cell of the stretch on, as the rest */
    int32_t *statuses;
    const uint8_t *items; /* null: numbers */
    uint8_t *results;     /* null: there are none */
    mortal_map_function *function;
    const struct feed_runner *runner;
    uint64_t began_ns, pace_ns, pace_told_ns, called_off_ns;
};

static bool prepare(struct feed *f, mortal_task *task, const struct feed_runner *runner) {
    const struct region *r = task->worker->region;
    void *plan_at, *board_at;
    size_t bytes;
    if (mortal_task_buffer(task, runner->plan, &plan_at, &bytes) != 0 || bytes < sizeof *f->plan)
        return false;
    const struct feed_plan *plan = plan_at;
    if (mortal_task_buffer(task, plan->board, &board_at, NULL) != 0 || runner->run >= plan->runs || runner->first >= plan->cells)
        return false;
    uint8_t *board = board_at;
    uint64_t first = runner->first;
    *f = (struct feed){
        .task = task,
        .plan = plan,
        .board = board_at,
        .run = (struct feed_run *)(void *)(board + plan->board_runs) + runner->run,
        .outcomes = (_Atomic uint8_t *)(void *)(board + plan->board_outcomes) + first,
        .statuses = (int32_t *)(void *)(board + plan->board_statuses) + first,
        .items = plan->item_bytes == 0
                     ? NULL
                     : r->windows[WINDOW_GIVEN].base + plan->items_offset + first * plan->item_bytes,
        .results = plan->result_bytes == 0
                       ? NULL
                       : r->windows[WINDOW_SHARED].base + plan->results_offset + first * plan->result_bytes,
        .function = (mortal_map_function *)(uintptr_t)worker_function(task->worker->host, plan->function),
        .runner = runner,
        .began_ns = clock_ns(),
    };
    return true;
}

/* Who takes entries sleeps on the bell of the runners' group. */
static void ring(const struct feed *f) {
    const struct worker *worker = f->task->worker;
    /* ORD(feed:watched) pairs ORD(feed:look): the outcome, ORD(feed:ended), is visible before this look for sleepers. */
    if (atomic_load_explicit(&orders_head(worker->region)->group_watch[f->plan->group], memory_order_seq_cst) == 0)
        return;
    int before = guard_open(worker->host);
    worker_ring_group(worker, f->plan->group);
    guard_restore(worker->host, before);
}

static void end_item(const struct feed *f, uint64_t place, uint8_t outcome) {
    /* ORD(feed:ended) pairs ORD(feed:read): the result is there before. This ends the item. A full barrier too, before
     * ORD(feed:watched): who sleeps has looked after it said so. */
    (void)atomic_exchange_explicit(&f->outcomes[place], outcome, memory_order_seq_cst);
    ring(f);
}

/* The outcome says how often it was begun in vain, or it has ended and somebody undid what was done. */
static void call(const struct feed *f, uint64_t place) {
    uint64_t number = f->runner->number + place;
    uint8_t seen = atomic_load_explicit(&f->outcomes[place], memory_order_relaxed);
    if (map_has_ended(seen))
        return;
    if (number < atomic_load_explicit(&f->plan->cancelled, memory_order_relaxed)) {
        end_item(f, place, MORTAL_CANCELLED);
        return;
    }
    const void *item = f->items != NULL ? (const void *)(f->items + place * f->plan->item_bytes) : &number;
    void *result = f->results != NULL ? f->results + place * f->plan->result_bytes : NULL;
    if (f->plan->has_deadline != 0)
        map_stamp(f->task, &f->run->note);
    if (PLANTED(PLANT_MAP_ENDS_FIRST))
        atomic_store_explicit(&f->outcomes[place], MORTAL_DONE, memory_order_relaxed);
    /* ORD(feed:begun) pairs ORD(feed:hand): read after this task's certain end. */
    if (!PLANTED(PLANT_MAP_NOT_NOTED))
        atomic_store_explicit(&f->run->note.begun, place + 1, memory_order_release);
    int status = map_call(f->task, f->function, item, result, 1 + map_starts(seen));
    if (status != 0)
        f->statuses[place] = status;
    end_item(f, place, status == 0 ? MORTAL_DONE : MORTAL_FAILED);
}

/* How long an item takes tells how many may be given to one runner. */
static void note_pace(struct feed *f, uint64_t each_ns) {
    f->pace_ns = f->pace_ns == 0 ? each_ns + 1 : (3 * f->pace_ns + each_ns) / 4 + 1;
    if (f->pace_ns / 2 <= f->pace_told_ns && f->pace_told_ns / 2 <= f->pace_ns)
        return;
    f->pace_told_ns = f->pace_ns;
    atomic_store_explicit(&f->board->pace_ns, f->pace_ns, memory_order_relaxed);
}

/* True: there is more. What has a deadline is over, so its time is, too. */
static bool linger(const struct feed *f, uint64_t seen) {
    if (f->pace_ns == 0 || f->pace_ns > LINGER_PACE_NS || map_others_wait(f->task))
        return false;
    if (f->plan->has_deadline != 0)
        map_stamp(f->task, &f->run->note);
    struct spin spin = {.limit_us = LINGER_US};
    while (spin_turn(&spin)) {
        if (spin.turn % LOOKS_APART != 0)
            continue;
        if (atomic_load_explicit(&f->run->word, memory_order_relaxed) != seen)
            return true;
        if (map_is_called_off(f->task) || map_others_wait(f->task))
            return false;
    }
    return false;
}

static bool swap(const struct feed *f, uint64_t seen, uint64_t next) {
    /* ORD(feed:take) pairs ORD(feed:put), ORD(feed:back): what was put is there, and is this runner's from here on. */
    return atomic_compare_exchange_strong_explicit(&f->run->word, &seen, next, memory_order_acq_rel, memory_order_relaxed);
}

static bool shut(const struct feed *f, uint64_t seen) {
    return swap(f, seen, feed_word(f->runner->name, true, feed_top_of(seen), feed_at_of(seen)));
}

static bool fits(const struct feed *f, uint64_t word) {
    return feed_name_of(word) == f->runner->name && feed_at_of(word) <= feed_top_of(word) &&
           feed_top_of(word) <= f->plan->cells - f->runner->first;
}

/* What it leaves begins with the next call of the program only, so that is little as a rule. */
static bool is_to_leave(struct feed *f) {
    if (!map_is_called_off(f->task))
        return false;
    uint64_t now = clock_ns();
    if (f->called_off_ns == 0)
        f->called_off_ns = now;
    return map_is_asked(f->task) || now - f->called_off_ns >= LEAVE_NS;
}

/* It leaves, whatever is added meanwhile: from here on the owner gives that to another. */
static void leave(const struct feed *f) {
    uint64_t seen;
    do {
        seen = atomic_load_explicit(&f->run->word, memory_order_relaxed);
    } while (fits(f, seen) && !feed_is_shut(seen) && !shut(f, seen));
}

/* False: it is to end between two of them. What it took up and did not begin the owner finds. */
static bool run_some(struct feed *f, uint64_t from, uint64_t count) {
    uint64_t since = clock_ns();
    uint64_t i = 0;
    do {
        if (i != 0 && is_to_leave(f))
            return false;
        call(f, from + i);
    } while (++i < count);
    note_pace(f, (clock_ns() - since) / i);
    return true;
}

static uint64_t how_many(const struct feed *f, uint64_t seen) {
    uint64_t there = feed_top_of(seen) - feed_at_of(seen), some = f->pace_ns == 0 ? 1 : TAKE_NS / f->pace_ns;
    uint64_t most = atomic_load_explicit(&f->plan->take_most, memory_order_relaxed); /* ORD(*) a hint */
    some = some > most ? most : some;
    some = some == 0 ? 1 : some;
    return some < there ? some : there;
}

int feed_run(mortal_task *task, const struct feed_runner *runner) {
    struct feed f;
    if (!prepare(&f, task, runner))
        return MAP_BROKEN;
    for (;;) {
        /* ORD(feed:take) */
        uint64_t seen = atomic_load_explicit(&f.run->word, memory_order_acquire), at = feed_at_of(seen);
        if (!fits(&f, seen))
            return MAP_NO_MORE; /* taken back */
        if (is_to_leave(&f)) {
            if (feed_is_shut(seen) || shut(&f, seen))
                return MAP_MORE;
        } else if (at == feed_top_of(seen)) {
            if (feed_is_shut(seen) || (!linger(&f, seen) && (PLANTED(PLANT_FEED_LEAVES_OPEN) || shut(&f, seen))))
                return MAP_NO_MORE;
        } else if (!feed_is_shut(seen) && map_makes_way(task, f.began_ns)) {
            (void)shut(&f, seen); /* what it has it runs */
        } else {
            uint64_t count = how_many(&f, seen);
            if (swap(&f, seen, feed_word(runner->name, feed_is_shut(seen), feed_top_of(seen), at + count)) &&
                !run_some(&f, at, count)) {
                leave(&f);
                return MAP_MORE;
            }
        }
    }
}
