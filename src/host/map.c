#include "host/map.h"

#include <stdio.h>
#include <stdio_ext.h>

#include "host/feed.h"
#include "host/guard.h"
#include "host/limits.h"
#include "host/shield.h"
#include "host/worker.h"
#include "region/asked.h"
#include "region/plant.h"
#include "region/queue.h"
#include "system/clock.h"

#define TURN_NS 1000000u /* then it makes way for other tasks, if any wait */

struct run {
    mortal_task *task;
    const struct map_plan *plan;
    struct map_board *board;
    struct map_cell *cells, *cell;
    struct map_block *blocks;
    _Atomic uint8_t *outcomes;
    const uint8_t *items; /* null: numbers */
    uint8_t *results;
    mortal_map_function *function;
    uint64_t began_ns;
    uint32_t name;
    bool makes_way;
    bool was_taken; /* its block is not its own any more: only a host that is being ended sees that */
};

/* Null: numbers; or there is no such file any more. */
static const uint8_t *items_of(mortal_task *task, const struct map_plan *plan) {
    void *base;
    if (plan->items != MAP_ARRAY)
        return NULL;
    if (plan->items_window != WINDOW_FILES)
        return task->worker->region->windows[plan->items_window].base + plan->items_offset;
    return mortal_task_buffer(task, plan->file, &base, NULL) == 0 ? (const uint8_t *)base + plan->items_offset : NULL;
}

static bool prepare(struct run *run, mortal_task *task, const struct map_runner *runner) {
    const struct region *r = task->worker->region;
    void *plan_at, *board_at;
    size_t bytes;
    if (mortal_task_buffer(task, runner->plan, &plan_at, &bytes) != 0 || bytes < sizeof *run->plan)
        return false;
    const struct map_plan *plan = plan_at;
    if (mortal_task_buffer(task, plan->board, &board_at, NULL) != 0 || runner->cell >= plan->cells)
        return false;
    uint8_t *board = board_at;
    struct map_cell *cells = (struct map_cell *)(void *)(board + plan->board_cells);
    *run = (struct run){
        .task = task,
        .plan = plan,
        .board = board_at,
        .cells = cells,
        .cell = cells + runner->cell,
        .blocks = (struct map_block *)(void *)(board + plan->board_blocks),
        .outcomes = (_Atomic uint8_t *)(void *)(board + plan->board_outcomes),
        .items = items_of(task, plan),
        .results = r->windows[WINDOW_SHARED].base + plan->results_offset,
        .function = (mortal_map_function *)(uintptr_t)worker_function(task->worker->host, plan->function),
        .began_ns = clock_ns(),
        .name = runner->name,
    };
    return run->items != NULL || plan->items != MAP_ARRAY;
}

/* Of this item, as a task has one: for the supervisor, and for the owner, who asks whether a deadline met who was late. */
void map_stamp(mortal_task *task, struct map_cell *cell) {
    struct host *host = task->worker->host;
    uint64_t now = clock_ns();
    int before = guard_open(host);
    /* ORD(*) read after a certain end, or to be looked at again. */
    atomic_store_explicit(&task->worker->desk->started_ns, now, memory_order_relaxed);
    guard_restore(host, before);
    atomic_store_explicit(&cell->started_ns, now, memory_order_relaxed);
}

int map_call(mortal_task *task, mortal_map_function *function, const void *item, void *result, unsigned attempt) {
    struct worker *worker = task->worker;
    task->item_attempt = attempt;
    int status = function(task, item, result);
    worker_end_descendant(worker->host);
    if (worker->drafts != NULL)
        drafts_drop(task);
    if (task->leaves)
        cleanup_forget(task);
    if (task->sections != 0 || worker->host->counts_tasks) {
        int before = guard_open(worker->host);
        if (task->sections != 0)
            shield_drop(task);
        if (worker->host->counts_tasks) /* hosts are replaced between items too */
            limits_count(worker->host);
        guard_restore(worker->host, before);
    }
    if (__fpending(stdout) != 0)
        (void)fflush(stdout);
    return status;
}

bool map_is_asked(const mortal_task *task) { return asked_by(task->worker->region, task->slot, task->word) != 0; }

/* It is to be replaced, or was asked to end, or nothing is to begin here any more. ORD(*) hints, as soon as may be. */
bool map_is_called_off(const mortal_task *task) {
    const struct worker *worker = task->worker;
    return worker->index >= atomic_load_explicit(&worker->berth->active, memory_order_relaxed) ||
           atomic_load_explicit(&worker->berth->resting, memory_order_relaxed) != 0 ||
           map_is_asked(task);
}

/* Lines that are read often and written seldom. */
static bool others_may_wait(const struct worker *worker) {
    const struct region *r = worker->region;
    const struct control_head *control = control_head(r);
    return atomic_load_explicit(&orders_head(r)->tail, memory_order_relaxed) !=
               atomic_load_explicit(&claims_head(r)->head, memory_order_relaxed) ||
           atomic_load_explicit(&control->returned_version, memory_order_relaxed) != worker->claimant.returned_seen ||
           atomic_load_explicit(&control->others_pushed, memory_order_relaxed) != worker->claimant.others_seen;
}

bool map_others_wait(const mortal_task *task) {
    struct worker *worker = task->worker;
    if (!others_may_wait(worker))
        return false;
    int before = guard_open(worker->host); /* looking may mend the cursor */
    bool others_wait = queue_has_work(worker->region, &worker->claimant);
    guard_restore(worker->host, before);
    return others_wait;
}

bool map_makes_way(const mortal_task *task, uint64_t since_ns) {
    if (map_is_called_off(task))
        return true;
    return others_may_wait(task->worker) && clock_ns() - since_ns >= TURN_NS && map_others_wait(task);
}

static void call(const struct run *run, uint64_t number) {
    const struct map_plan *plan = run->plan;
    const void *item = run->items != NULL ? (const void *)(run->items + number * plan->item_bytes) : &number;
    void *result = plan->result_bytes != 0 ? run->results + number * plan->result_bytes : NULL;
    if (plan->has_deadline != 0)
        map_stamp(run->task, run->cell);
    if (PLANTED(PLANT_MAP_ENDS_FIRST))
        atomic_store_explicit(&run->outcomes[number], MORTAL_DONE, memory_order_relaxed);
    /* ORD(map:begun) pairs ORD(map:hand): read after this task's certain end, as a desk's is. */
    if (!PLANTED(PLANT_MAP_NOT_NOTED))
        atomic_store_explicit(&run->cell->begun, number + 1, memory_order_release);
    uint8_t starts = atomic_load_explicit(&run->outcomes[number], memory_order_relaxed); /* ORD(*) as below */
    int status = map_call(run->task, run->function, item, result, 1 + map_starts(starts));
    /* ORD(map:ended) pairs ORD(map:read): the result is there before. This ends the item. */
    atomic_store_explicit(&run->outcomes[number], status == 0 ? MORTAL_DONE : MORTAL_FAILED, memory_order_release);
}

static bool is_to_stop(const struct run *run) { /* ORD(*) a moment later does as well. */
    return atomic_load_explicit(&run->board->stop, memory_order_relaxed) != 0;
}

static bool has_ended(const struct run *run, uint64_t number) { /* ORD(*) no other changes it now */
    return map_has_ended(atomic_load_explicit(&run->outcomes[number], memory_order_relaxed));
}

/* Between two items. */
static bool is_to_pause(struct run *run) {
    run->makes_way = map_makes_way(run->task, run->began_ns);
    return run->makes_way || is_to_stop(run);
}

/* From the item that the word says to its end, or until it is to stop. */
static void run_block(struct run *run, uint64_t block, uint64_t seen) {
    uint64_t first = block * run->plan->per_block, items = map_items_in(run->plan, block);
    _Atomic uint64_t *word = &run->blocks[block].word;
    while (map_at_of(seen) < map_top_of(seen) && map_word_fits(seen, items)) {
        uint64_t at = map_at_of(seen), next;
        bool stop = is_to_pause(run);
        if (!stop && !has_ended(run, first + at))
            call(run, first + at);
        do {
            next = map_word(stop ? 0 : run->name, map_top_of(seen), stop ? at : at + 1);
            /* ORD(map:on) pairs ORD(map:free), ORD(map:steal): another may take items from the top meanwhile. */
        } while (!atomic_compare_exchange_weak_explicit(word, &seen, next, memory_order_acq_rel, memory_order_relaxed) &&
                 map_runner_of(seen) == run->name && map_at_of(seen) == at);
        run->was_taken = map_runner_of(seen) != run->name || map_at_of(seen) != at;
        if (stop || run->was_taken)
            return;
        seen = next;
    }
}

static bool take(struct run *run, uint64_t block) {
    _Atomic uint64_t *word = &run->blocks[block].word;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    if (map_runner_of(seen) != 0 || map_at_of(seen) >= map_top_of(seen) ||
        !map_word_fits(seen, map_items_in(run->plan, block)))
        return false;
    uint64_t mine = map_word(run->name, map_top_of(seen), map_at_of(seen));
    atomic_store_explicit(&run->cell->block, block + 1, memory_order_relaxed);
    /* ORD(map:take) pairs ORD(map:free): who goes on where another died sees what the owner made of it. */
    if (!atomic_compare_exchange_strong_explicit(word, &seen, mine, memory_order_acquire, memory_order_relaxed))
        return false;
    run_block(run, block, mine);
    return true;
}

/* One at a time, so that what is long is shared as evenly as can be. Its owner keeps the one that it is at. */
static bool steal(struct run *run, uint64_t block) {
    _Atomic uint64_t *word = &run->blocks[block].word;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (map_runner_of(seen) != 0 && map_word_fits(seen, map_items_in(run->plan, block)) &&
           map_top_of(seen) - map_at_of(seen) > (PLANTED(PLANT_MAP_STEALS_IN_HAND) ? 0 : 1)) {
        uint64_t top = map_top_of(seen) - 1;
        uint64_t less = map_word(map_runner_of(seen), top, map_at_of(seen)), number = block * run->plan->per_block + top;
        /* ORD(map:steal) pairs ORD(map:on), ORD(map:free) */
        if (!atomic_compare_exchange_weak_explicit(word, &seen, less, memory_order_acquire, memory_order_relaxed))
            continue;
        if (!has_ended(run, number))
            call(run, number);
        return true;
    }
    return false;
}

static bool is_over(struct run *run) { return run->was_taken || is_to_pause(run); }

static bool steal_from_anybody(struct run *run) {
    uint32_t cells = run->plan->cells, own = (uint32_t)(run->cell - run->cells);
    for (uint32_t i = 1; i < cells; i++) {
        uint64_t block = atomic_load_explicit(&run->cells[(own + i) % cells].block, memory_order_relaxed) - 1;
        if (block < run->plan->blocks && steal(run, block))
            return true;
    }
    return false;
}

/* Whoever is to take a block next may be held up before it does, for as long as the rest of the map takes. It finds the block
 * taken then, and takes items from its top as anybody. */
static bool take_one_left(struct run *run) {
    for (uint64_t block = 0; block < run->plan->blocks; block++)
        if (take(run, block))
            return true;
    return false;
}

static void run_blocks(struct run *run) {
    for (;;) {
        /* ORD(*) a hint: what it passes over is found by the owner. */
        uint64_t block = atomic_fetch_add_explicit(&run->board->next, 1, memory_order_relaxed);
        if (block >= run->plan->blocks)
            return;
        (void)take(run, block);
        if (is_over(run))
            return;
    }
}

int map_run(mortal_task *task, const void *input, size_t input_bytes) {
    struct run run;
    const struct map_runner *runner = input;
    if (input_bytes == sizeof(struct feed_runner))
        return feed_run(task, input);
    if (input_bytes != sizeof *runner || !prepare(&run, task, runner))
        return MAP_BROKEN;
    if (runner->item != 0 && runner->item <= run.plan->count && !is_to_stop(&run) && !has_ended(&run, runner->item - 1))
        call(&run, runner->item - 1);
    if (runner->block != 0 && runner->block <= run.plan->blocks && !is_to_pause(&run))
        (void)take(&run, runner->block - 1);
    if (!is_over(&run))
        run_blocks(&run);
    while (!is_over(&run) && (steal_from_anybody(&run) || take_one_left(&run))) {
    }
    return run.makes_way ? MAP_MORE : MAP_NO_MORE;
}
