#include "host/map.h"

#include "host/guard.h"
#include "host/worker.h"
#include "region/map.h"
#include "region/queue.h"
#include "system/clock.h"

#define TURN_NS 1000000u /* then it makes way for other tasks, if any wait */

struct run {
    mortal_task *task;
    const struct map_plan *plan;
    struct map_board *board;
    struct map_cell *cell;
    struct map_block *blocks;
    uint8_t *outcomes;
    const uint8_t *items; /* null: numbers */
    uint8_t *results;
    mortal_map_function *function;
    uint32_t name;
    bool was_taken; /* its block is not its own any more: only a host that is being ended sees that */
};

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
    *run = (struct run){
        .task = task,
        .plan = plan,
        .board = board_at,
        .cell = (struct map_cell *)(void *)(board + plan->board_cells) + runner->cell,
        .blocks = (struct map_block *)(void *)(board + plan->board_blocks),
        .outcomes = board + plan->board_outcomes,
        .items = plan->items == MAP_ARRAY ? r->windows[plan->items_window].base + plan->items_offset : NULL,
        .results = r->windows[WINDOW_SHARED].base + plan->results_offset,
        .function = (mortal_map_function *)(uintptr_t)worker_function(task->worker->host, plan->function),
        .name = runner->name,
    };
    return true;
}

/* Of this item, as a task has one: for the supervisor, and for the owner, who asks whether a deadline met who was late. */
static void stamp(const struct run *run) {
    struct host *host = run->task->worker->host;
    uint64_t now = clock_ns();
    int before = guard_open(host);
    /* ORD(*) read after a certain end, or to be looked at again. */
    atomic_store_explicit(&run->task->worker->desk->started_ns, now, memory_order_relaxed);
    guard_restore(host, before);
    atomic_store_explicit(&run->cell->started_ns, now, memory_order_relaxed);
}

static void call(const struct run *run, uint64_t number) {
    const struct map_plan *plan = run->plan;
    const void *item = run->items != NULL ? (const void *)(run->items + number * plan->item_bytes) : &number;
    void *result = plan->result_bytes != 0 ? run->results + number * plan->result_bytes : NULL;
    if (plan->has_deadline != 0)
        stamp(run);
    /* ORD(map:begun) pairs ORD(map:hand): read after this task's certain end, as a desk's is. */
    atomic_store_explicit(&run->cell->begun, number + 1, memory_order_release);
    int status = run->function(run->task, item, result);
    run->outcomes[number] = status == 0 ? MORTAL_DONE : MORTAL_FAILED;
}

/* From where it is to its end, or until it is to stop. */
static void run_block(struct run *run, uint64_t block, uint64_t position) {
    uint64_t first = block * run->plan->per_block, items = map_items_in(run->plan, block);
    _Atomic uint64_t *word = &run->blocks[block].word;
    for (; position < items; position++) {
        /* ORD(*) a moment later does as well. */
        bool stop = atomic_load_explicit(&run->board->stop, memory_order_relaxed) != 0;
        if (!stop && run->outcomes[first + position] == 0)
            call(run, first + position);
        uint64_t mine = map_word(run->name, position);
        uint64_t next = stop ? map_word(0, position) : map_word(run->name, position + 1);
        /* ORD(map:end) pairs ORD(map:read): result and outcome are there before. */
        run->was_taken = !atomic_compare_exchange_strong_explicit(word, &mine, next, memory_order_release,
                                                                  memory_order_relaxed);
        atomic_store_explicit(&run->cell->begun, 0, memory_order_relaxed);
        if (stop || run->was_taken)
            return;
    }
}

static void take(struct run *run, uint64_t block) {
    _Atomic uint64_t *word = &run->blocks[block].word;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed), position = map_position_of(seen);
    if (map_runner_of(seen) != 0 || position >= map_items_in(run->plan, block))
        return;
    /* ORD(map:take) pairs ORD(map:free): who goes on where another died sees what the owner made of it. */
    if (atomic_compare_exchange_strong_explicit(word, &seen, map_word(run->name, position), memory_order_acquire,
                                                memory_order_relaxed))
        run_block(run, block, position);
}

static bool is_over(const struct run *run) {
    return run->was_taken || atomic_load_explicit(&run->board->stop, memory_order_relaxed) != 0; /* ORD(*) as above */
}

static bool others_wait(const struct worker *worker) {
    int before = guard_open(worker->host); /* looking may mend the cursor */
    bool wait = queue_length(worker->region) != 0;
    guard_restore(worker->host, before);
    return wait;
}

int map_run(mortal_task *task, const void *input, size_t input_bytes) {
    struct run run;
    if (input_bytes != sizeof(struct map_runner) || !prepare(&run, task, input))
        return MAP_BROKEN;
    uint64_t began = clock_ns();
    for (;;) {
        /* ORD(*) a hint: what it passes over is found below. */
        uint64_t block = atomic_fetch_add_explicit(&run.board->next, 1, memory_order_relaxed);
        if (block >= run.plan->blocks)
            break;
        take(&run, block);
        if (is_over(&run))
            return MAP_NO_MORE;
        if (clock_ns() - began > TURN_NS && others_wait(task->worker))
            return MAP_MORE;
    }
    for (uint64_t block = 0; block < run.plan->blocks && !is_over(&run); block++)
        take(&run, block);
    return MAP_NO_MORE;
}
