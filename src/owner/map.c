/*
 * map.c - one function over many items, by runners that are tasks of the pool
 *
 * The runners divide the items among themselves, see region/map.h. This only starts them, and when one has ended, however,
 * settles the item that it had in hand and lets others go on with what is behind that. It is built on the public calls, so
 * whatever a task may meet, a runner may. What decides is private: the board is memory that tasks can write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owner/seat.h"
#include "region/map.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/why.h"

#define CALL "mortal_pool_map"
#define BLOCKS_PER_WORKER 256u
#define BLOCK_MOST 4096u

struct runner {
    mortal_future future;
    uint32_t name; /* 0: this cell is free */
};

/* An item that the owner had to end; hosts could overwrite the outcome on the board. */
struct ended_item {
    uint64_t number;
    uint32_t starts;
    uint8_t outcome; /* 0: it may start again */
};

struct map {
    mortal_pool *handle;
    struct pool *pool; /* kept from being closed */
    mortal_task_options options;
    mortal_function *run;
    mortal_group *group;
    mortal_buffer plan_buffer, board_buffer, items_buffer, results_buffer;
    struct map_plan plan; /* the truth; hosts read a copy */
    struct map_board *board;
    struct map_cell *cells;
    struct map_block *blocks;
    uint8_t *board_outcomes;
    struct runner *runners; /* by cell */
    uint32_t running, names;
    struct ended_item *ended;
    size_t ended_count, ended_room;
    uint64_t first_ticket;
    bool is_over; /* nothing new is to begin */
    int error;    /* why */
};

/* ---- what is where -------------------------------------------------------------------------------------------- */

static bool is_in_window(const struct window *window, const void *address, uint64_t bytes, uint64_t *offset) {
    uintptr_t at = (uintptr_t)address, base = (uintptr_t)window->base;
    if (window->bytes == 0 || at < base || at - base > window->bytes || window->bytes - (at - base) < bytes)
        return false;
    *offset = at - base;
    return true;
}

static int open_in(struct map *m, enum window_kind kind, uint64_t bytes, mortal_buffer *buffer, uint64_t *offset) {
    void *address;
    int error = mortal_buffer_open(buffer, m->handle, bytes, kind == WINDOW_GIVEN ? MORTAL_BUFFER_GIVEN : 0);
    if (error == 0)
        error = mortal_buffer_view(*buffer, &address, NULL);
    if (error == 0)
        (void)is_in_window(&m->pool->region->windows[kind], address, bytes, offset);
    return error;
}

static int place_items(struct map *m, const void *items) {
    const struct region *r = m->pool->region;
    struct map_plan *plan = &m->plan;
    uint64_t bytes = plan->count * plan->item_bytes;
    if (items == NULL)
        return 0;
    plan->items = MAP_ARRAY;
    for (uint32_t kind = 0; kind < WINDOWS; kind++) {
        plan->items_window = kind;
        if (is_in_window(&r->windows[kind], items, bytes, &plan->items_offset))
            return 0;
    }
    plan->items_window = WINDOW_GIVEN;
    int error = open_in(m, WINDOW_GIVEN, bytes, &m->items_buffer, &plan->items_offset);
    if (error == 0)
        memcpy(r->windows[WINDOW_GIVEN].base + plan->items_offset, items, bytes);
    return error;
}

static int place_results(struct map *m, const void *results) {
    struct map_plan *plan = &m->plan;
    uint64_t bytes = plan->count * plan->result_bytes;
    if (bytes == 0 || is_in_window(&m->pool->region->windows[WINDOW_SHARED], results, bytes, &plan->results_offset))
        return 0;
    return open_in(m, WINDOW_SHARED, bytes, &m->results_buffer, &plan->results_offset);
}

static int place_board(struct map *m) {
    struct map_plan *plan = &m->plan;
    uint64_t workers = m->pool->region->g.workers, share = plan->count / (workers * BLOCKS_PER_WORKER);
    plan->per_block = share == 0 ? 1 : share > BLOCK_MOST ? BLOCK_MOST : share;
    plan->blocks = (plan->count + plan->per_block - 1) / plan->per_block;
    plan->cells = (uint32_t)workers;
    plan->board_cells = sizeof(struct map_board);
    plan->board_blocks = plan->board_cells + plan->cells * sizeof(struct map_cell);
    plan->board_outcomes = plan->board_blocks + plan->blocks * sizeof(struct map_block);
    uint64_t offset = 0;
    int error = open_in(m, WINDOW_SHARED, plan->board_outcomes + plan->count, &m->board_buffer, &offset);
    if (error != 0)
        return error;
    uint8_t *board = m->pool->region->windows[WINDOW_SHARED].base + offset;
    m->board = (struct map_board *)(void *)board;
    m->cells = (struct map_cell *)(void *)(board + plan->board_cells);
    m->blocks = (struct map_block *)(void *)(board + plan->board_blocks);
    m->board_outcomes = board + plan->board_outcomes;
    plan->board = m->board_buffer;
    return 0;
}

static int place_plan(struct map *m) {
    uint64_t offset = 0;
    int error = open_in(m, WINDOW_GIVEN, sizeof m->plan, &m->plan_buffer, &offset);
    if (error == 0)
        memcpy(m->pool->region->windows[WINDOW_GIVEN].base + offset, &m->plan, sizeof m->plan);
    return error;
}

static void close_all(struct map *m) {
    const mortal_buffer buffers[] = {m->plan_buffer, m->board_buffer, m->items_buffer, m->results_buffer};
    if (m->group != NULL)
        (void)mortal_group_close(m->group);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i].place != 0)
            (void)mortal_buffer_close(buffers[i]);
    free(m->runners);
    free(m->ended);
}

/* ---- runners -------------------------------------------------------------------------------------------------- */

static int start_runner(struct map *m, uint32_t cell) {
    mortal_task_options options = m->options;
    options.group = m->group;
    options.tag = &m->runners[cell];
    options.attempts = 1; /* those of the items are counted here */
    if (m->names == MAP_RUNNERS_MOST)
        return why(-ENOBUFS, CALL ": %u runners were cut: there is no end to it", MAP_RUNNERS_MOST);
    struct map_runner input = {.plan = m->plan_buffer, .name = m->names + 1, .cell = cell};
    /* ORD(*) whoever had this cell has certainly ended, and the submit tells of it. */
    atomic_store(&m->cells[cell].begun, 0);
    int error = mortal_pool_submit(m->handle, m->run, &input, sizeof input, &options, &m->runners[cell].future);
    if (error != 0)
        return error;
    m->runners[cell].name = ++m->names;
    m->running++;
    return 0;
}

static void give_up(struct map *m, int error) {
    if (m->is_over)
        return;
    m->is_over = true;
    m->error = error;
    atomic_store(&m->board->stop, 1); /* ORD(*) runners see it between two items */
}

/* Runners in all free cells, as far as there is something for them to do. */
static void start_runners(struct map *m, uint64_t free_blocks) {
    for (uint32_t cell = 0; cell < m->plan.cells && free_blocks != 0 && !m->is_over; cell++) {
        if (m->runners[cell].name != 0)
            continue;
        int error = start_runner(m, cell);
        if (error == -ENOBUFS && m->running != 0)
            return; /* with those that there are */
        if (error != 0)
            give_up(m, error);
        free_blocks--;
    }
}

/* Free and not at its end. */
static uint64_t count_free(const struct map *m) {
    uint64_t count = 0;
    for (uint64_t block = 0; block < m->plan.blocks; block++) {
        /* ORD(*) whoever freed it told so by its end. */
        uint64_t word = atomic_load_explicit(&m->blocks[block].word, memory_order_relaxed);
        count += map_runner_of(word) == 0 && map_position_of(word) < map_items_in(&m->plan, block);
    }
    return count;
}

/* ---- what became of an item ----------------------------------------------------------------------------------- */

static struct ended_item *item_of(struct map *m, uint64_t number) {
    for (size_t i = 0; i < m->ended_count; i++)
        if (m->ended[i].number == number)
            return &m->ended[i];
    if (m->ended_count == m->ended_room) {
        size_t room = m->ended_room == 0 ? 64 : m->ended_room * 2;
        struct ended_item *more = realloc(m->ended, room * sizeof *more);
        if (more == NULL)
            return NULL;
        m->ended = more;
        m->ended_room = room;
    }
    m->ended[m->ended_count] = (struct ended_item){.number = number};
    return &m->ended[m->ended_count++];
}

/* The deadline met another item than the one that it was for: that one is over, and this had only begun. */
static bool is_innocent(const struct map *m, const struct map_cell *cell, const mortal_verdict *verdict, uint64_t now) {
    if (verdict->outcome == MORTAL_COLLATERAL)
        return true;
    uint64_t started = atomic_load_explicit(&cell->started_ns, memory_order_relaxed); /* ORD(*) of a certain end */
    return verdict->outcome == MORTAL_TIMED_OUT && m->plan.has_deadline != 0 && started <= now &&
           now - started < m->options.deadline_ns;
}

/* True: it has ended. False: it may start again. */
static bool end_item(struct map *m, uint64_t number, const struct map_cell *cell, const mortal_verdict *verdict) {
    struct ended_item *item = item_of(m, number);
    bool innocent = is_innocent(m, cell, verdict, clock_ns());
    uint32_t attempts = m->options.attempts > 1 ? m->options.attempts : 1;
    int outcome = innocent ? MORTAL_COLLATERAL : verdict->outcome;
    bool may_again = outcome == MORTAL_CRASHED || outcome == MORTAL_TIMED_OUT || outcome == MORTAL_COLLATERAL ||
                     outcome == MORTAL_OUT_OF_MEMORY;
    if (item == NULL) { /* no memory to count with: it ends as it is */
        m->board_outcomes[number] = (uint8_t)outcome;
        return true;
    }
    item->starts += !innocent;
    if (may_again && attempts > 1 && item->starts < attempts)
        return false;
    item->outcome = (uint8_t)(outcome == MORTAL_CRASHED && attempts > 1 ? MORTAL_QUARANTINED : outcome);
    return true;
}

/* A block of a runner that has ended: the item in hand ends, the rest is free. One whose claim was overwritten may still
 * run for a moment: who loses this swap looks again, and if the runner loses it, it begins nothing more. */
static bool settle_block(struct map *m, uint64_t block, uint64_t word, const struct map_cell *cell,
                         const mortal_verdict *verdict) {
    uint64_t position = map_position_of(word), items = map_items_in(&m->plan, block);
    uint64_t number = block * m->plan.per_block + position;
    if (position > items) /* overwritten: what of it has no outcome on the board is lost */
        position = items;
    /* ORD(map:hand) pairs ORD(map:begun) */
    else if (position < items && atomic_load(&cell->begun) == number + 1 && end_item(m, number, cell, verdict))
        position++;
    /* ORD(map:free) pairs ORD(map:take) */
    return atomic_compare_exchange_strong_explicit(&m->blocks[block].word, &word, map_word(0, position),
                                                   memory_order_release, memory_order_relaxed);
}

static void settle(struct map *m, uint32_t cell, const mortal_verdict *verdict) {
    uint32_t name = m->runners[cell].name;
    m->runners[cell] = (struct runner){0};
    m->running--;
    (void)mortal_future_release(verdict->future);
    for (uint64_t block = 0; block < m->plan.blocks; block++) {
        uint64_t word;
        do
            word = atomic_load(&m->blocks[block].word); /* ORD(map:read) pairs ORD(map:end) */
        while (map_runner_of(word) == name && !settle_block(m, block, word, &m->cells[cell], verdict));
    }
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static bool pending_was_killed(const struct map *m) {
    /* ORD(*) looked at again with each end. */
    uint64_t now = atomic_load(&control_head(m->pool->region)->now_pending);
    return atomic_load(&m->pool->pending_killed) > m->first_ticket || now > m->first_ticket;
}

static void run_all(struct map *m) {
    start_runners(m, m->plan.blocks);
    while (m->running != 0) {
        mortal_verdict verdict;
        int error = mortal_group_next(m->group, MORTAL_FOREVER, &verdict);
        if (error == -ESHUTDOWN || error == -ENOENT) { /* the pool is being closed */
            give_up(m, error);
            return;
        }
        if (error != 0) {
            bool is_second = m->is_over;
            give_up(m, error);
            if (error != -EINTR || is_second) /* else until the items in hand have ended */
                (void)mortal_group_kill(m->group, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL);
            continue;
        }
        const struct runner *runner = verdict.tag;
        settle(m, (uint32_t)(runner - m->runners), &verdict);
        if (verdict.outcome == MORTAL_FAILED && verdict.status == MAP_BROKEN)
            give_up(m, why(-EIO, CALL ": a runner did not find what it was to do: its memory was overwritten"));
        if (pending_was_killed(m))
            give_up(m, why(-ECANCELED, CALL ": a kill of what is pending met it: what had not begun is cancelled"));
        start_runners(m, m->is_over ? 0 : count_free(m));
    }
}

/* 0: as untouched as before the call. */
static uint8_t outcome_of(const struct map *m, uint64_t number) {
    uint8_t outcome = m->board_outcomes[number];
    if (outcome > MORTAL_LOST)
        return MORTAL_LOST;
    uint64_t block = number / m->plan.per_block;
    uint64_t position = map_position_of(atomic_load_explicit(&m->blocks[block].word, memory_order_relaxed)); /* ORD(*) */
    bool has_passed = number - block * m->plan.per_block < position;
    if (has_passed)
        return outcome != 0 ? outcome : MORTAL_LOST;
    return m->error == -ECANCELED ? MORTAL_CANCELLED : 0;
}

static void tell(struct map *m, void *results, uint8_t *outcomes, size_t *done) {
    size_t count = 0;
    const uint8_t *made = m->pool->region->windows[WINDOW_SHARED].base + m->plan.results_offset;
    uint64_t each = m->plan.result_bytes;
    for (size_t i = 0; i < m->ended_count; i++)
        if (m->ended[i].outcome != 0)
            m->board_outcomes[m->ended[i].number] = m->ended[i].outcome;
    for (uint64_t i = 0; i < m->plan.count; i++) {
        bool is_earlier = outcomes != NULL && outcomes[i] != 0;
        uint8_t outcome = is_earlier ? outcomes[i] : outcome_of(m, i);
        if (outcomes != NULL)
            outcomes[i] = outcome;
        count += outcome == MORTAL_DONE;
        if (m->results_buffer.place != 0 && !is_earlier && (outcome == MORTAL_DONE || outcome == MORTAL_FAILED))
            memcpy((uint8_t *)results + i * each, made + i * each, each);
    }
    if (done != NULL)
        *done = count;
}

static bool is_limit(uint64_t ns) { return ns != 0 && ns != MORTAL_FOREVER; }

static int check(const mortal_task_options *options, mortal_map_function *function, const void *items, size_t item_bytes,
                 const void *results, size_t result_bytes, size_t count) {
    uint64_t most = 1ull << 39;
    if (function == NULL)
        return why(-EINVAL, CALL ": the function is null");
    if ((items == NULL) != (item_bytes == 0) || (results == NULL) != (result_bytes == 0))
        return why(-EINVAL, CALL ": %s and its size do not fit: null goes with 0, and only with 0",
                   (items == NULL) != (item_bytes == 0) ? "items" : "results");
    if (count > most || (item_bytes != 0 && count > most * 1024 / item_bytes) ||
        (result_bytes != 0 && count > most * 1024 / result_bytes))
        return why(-EINVAL, CALL ": %zu items are too many: at most 2^39, and 2^49 bytes", count);
    if (options->group != NULL || options->tag != NULL)
        return why(-EINVAL, CALL ": the options have a group or a tag: a map's items can have neither");
    if (is_limit(options->soft_deadline_ns) || is_limit(options->shield_ns) || is_limit(options->cpu_ns) ||
        options->soft_signal > 0)
        return why(-EINVAL, CALL ": the options, or the pool's defaults, have a soft deadline, a soft signal, a shield or "
                            "cpu_ns: items have deadline_ns only");
    if (options->more_memory_percent != 0 || options->buffer_count != 0)
        return why(-EINVAL, CALL ": the options have more_memory_percent or buffers: a map's items can have neither");
    return 0;
}

static int begin(struct map *m, const mortal_task_options *options, mortal_map_function *function) {
    struct pool *pool;
    int error = seat_enter(m->handle, CALL, &pool);
    if (error != 0)
        return error;
    error = options_task(pool, options, &m->options);
    if (error == 0 && function != NULL)
        error = submit_locate(pool, CALL, (uintptr_t)function, &m->plan.function);
    m->options.size = sizeof m->options;
    m->run = pool->heritage.map_run;
    m->first_ticket = atomic_load(&orders_head(pool->region)->tickets); /* ORD(*) */
    if (error == 0) {
        m->pool = pool;
        watch_stay(pool);
    }
    seat_unlock(pool);
    return error;
}

static int place_all(struct map *m, const void *items, const void *results) {
    int error = place_board(m);
    if (error == 0)
        error = place_items(m, items);
    if (error == 0)
        error = place_results(m, results);
    if (error == 0)
        error = place_plan(m);
    if (error == 0)
        error = mortal_group_open(&m->group, m->handle);
    m->runners = calloc(m->plan.cells, sizeof *m->runners);
    return error == 0 && m->runners == NULL ? why(-ENOMEM, CALL ": no memory") : error;
}

int mortal_pool_map(mortal_pool *handle, mortal_map_function *function, const void *items, size_t item_bytes, void *results,
                    size_t result_bytes, size_t count, const mortal_task_options *options, uint8_t *outcomes, size_t *done) {
    struct map m = {.handle = handle};
    int error = begin(&m, options, function);
    if (error != 0)
        return error;
    m.plan = (struct map_plan){.function = m.plan.function, .count = count, .item_bytes = item_bytes,
                               .result_bytes = result_bytes,
                               .has_deadline = is_limit(m.options.deadline_ns)};
    error = check(&m.options, function, items, item_bytes, results, result_bytes, count);
    if (error == 0 && count != 0)
        error = place_all(&m, items, results);
    if (error == 0) {
        if (count != 0 && outcomes != NULL)
            memcpy(m.board_outcomes, outcomes, count);
        run_all(&m);
        error = m.error;
        tell(&m, results, outcomes, done);
    }
    close_all(&m);
    watch_leave(m.pool);
    seat_unlock(m.pool);
    return error;
}
