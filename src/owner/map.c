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

#include "owner/buffer.h"
#include "owner/mapbook.h"
#include "owner/seat.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/why.h"

#define CALL "mortal_pool_map"
#define FORGED_STOPS_MOST 1000u
#define LOOK_AROUND_NS 500000000ull /* whether a signal handler asked for an end */

struct runner {
    mortal_future future;
    struct map_runner input; /* name 0: this cell is free */
};

struct map {
    struct mapping mapping;
    mortal_pool *handle;
    struct pool *pool; /* kept from being closed */
    mortal_task_options options;
    mortal_function *run;
    mortal_group *group;
    mortal_buffer plan_buffer, board_buffer, items_buffer, results_buffer;
    struct map_plan plan; /* the truth; hosts read a copy */
    struct map_book book;
    struct runner *runners; /* by cell */
    uint32_t running, names;
    uint64_t kills; /* by signal handlers, before it began */
    _Atomic bool is_cancelled;
    _Atomic(struct map_board *) stop; /* where runners look whether to stop; null: not yet */
    uint32_t forged_stops; /* how often runners were told to stop, and not by us */
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

/* In place, and kept for the runners by their options. True: that is where they are. */
static bool place_items_of_file(struct map *m, const void *items, uint64_t bytes) {
    struct pool *pool;
    const struct window *files = &m->pool->region->windows[WINDOW_FILES];
    if (!is_in_window(files, items, bytes, &m->plan.items_offset) || seat_enter(m->handle, CALL, &pool) != 0)
        return false;
    bool found = buffer_of_file(pool, items, bytes, &m->plan.file, &m->plan.items_offset);
    seat_unlock(pool);
    m->plan.items_window = WINDOW_FILES;
    return found;
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
    if (place_items_of_file(m, items, bytes))
        return 0;
    plan->items_window = WINDOW_GIVEN;
    int error = open_in(m, WINDOW_GIVEN, bytes, &m->items_buffer, &plan->items_offset);
    if (error == 0 && !memory_copy_in(r->windows[WINDOW_GIVEN].fd, plan->items_offset, items, bytes))
        error = why(-EFAULT, CALL ": the items are not where they were said to be, or lie in a file that was cut off");
    return error;
}

static int place_results(struct map *m, const void *results) {
    struct map_plan *plan = &m->plan;
    uint64_t bytes = plan->count * plan->result_bytes, unused;
    if (bytes != 0 && is_in_window(&m->pool->region->windows[WINDOW_FILES], results, bytes, &unused))
        return why(-EINVAL, CALL ": the results lie in a wrapped file, which may be cut off meanwhile: use a buffer, or "
                            "memory of the program");
    if (bytes == 0 || is_in_window(&m->pool->region->windows[WINDOW_SHARED], results, bytes, &plan->results_offset))
        return 0;
    return open_in(m, WINDOW_SHARED, bytes, &m->results_buffer, &plan->results_offset);
}

static int place_board(struct map *m) {
    struct map_plan *plan = &m->plan;
    uint64_t offset = 0;
    book_plan(plan, m->pool->region->g.workers);
    int error = open_in(m, WINDOW_SHARED, plan->board_outcomes + plan->count, &m->board_buffer, &offset);
    if (error != 0)
        return error;
    plan->board = m->board_buffer;
    m->book.attempts = m->options.attempts > 1 ? m->options.attempts : 1;
    m->book.deadline_ns = plan->has_deadline != 0 ? m->options.deadline_ns : 0;
    book_open(&m->book, plan, m->pool->region->windows[WINDOW_SHARED].base + offset);
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
    book_close(&m->book);
}

/* ---- runners -------------------------------------------------------------------------------------------------- */

static int start_runner(struct map *m, uint32_t cell, const struct map_left *left) {
    mortal_task_options options = m->options;
    options.group = m->group;
    options.tag = &m->runners[cell];
    options.attempts = 1; /* those of the items are counted here */
    if (m->names == MAP_RUNNERS_MOST)
        return why(-ENOBUFS, CALL ": %u runners were cut: there is no end to it", MAP_RUNNERS_MOST);
    if (m->plan.file.place != 0) {
        options.buffers = &m->plan.file;
        options.buffer_count = 1;
    }
    struct map_runner input = {
        .plan = m->plan_buffer, .name = m->names + 1, .cell = cell, .block = left->block, .item = left->item};
    int error = mortal_pool_submit(m->handle, m->run, &input, sizeof input, &options, &m->runners[cell].future);
    if (error != 0)
        return why_as(CALL, error);
    m->names++;
    m->runners[cell].input = input;
    m->running++;
    return 0;
}

static void give_up(struct map *m, int error) {
    if (m->is_over)
        return;
    m->is_over = true;
    m->error = error;
    atomic_store(&m->book.board->stop, 1); /* ORD(*) runners see it between two items */
}

/* Runners would end again and again with nothing done. ORD(*) a cancel says both in this order. */
static void take_back_forged_stop(struct map *m) {
    if (m->is_over || atomic_load(&m->book.board->stop) == 0 || atomic_load(&m->is_cancelled))
        return;
    if (++m->forged_stops == FORGED_STOPS_MOST)
        give_up(m, why(-EIO, CALL ": its memory is being overwritten"));
    else
        atomic_store(&m->book.board->stop, 0);
    if (atomic_load(&m->is_cancelled))
        atomic_store(&m->book.board->stop, 1);
}

/* Runners in all free cells, as far as there is something for them to do. */
static void start_runners(struct map *m) {
    struct map_left left;
    for (uint32_t cell = 0; cell < m->plan.cells && !m->is_over; cell++) {
        if (m->runners[cell].input.name != 0)
            continue;
        if (!book_next(&m->book, &left))
            return;
        int error = start_runner(m, cell, &left);
        if (error == 0)
            continue;
        book_put_back(&m->book, &left);
        if (error == -ENOBUFS && m->running != 0)
            return; /* with those that there are */
        give_up(m, error);
    }
}

static void settle(struct map *m, const mortal_verdict *verdict) {
    struct runner *runner = verdict->tag;
    struct map_runner input = runner->input;
    *runner = (struct runner){0};
    m->running--;
    (void)mortal_future_release(verdict->future);
    book_settle(&m->book, (uint32_t)(runner - m->runners), &input, verdict->outcome, clock_ns());
    if (verdict->outcome == MORTAL_FAILED && verdict->status == MAP_BROKEN)
        give_up(m, why(-EIO, CALL ": a runner could not get at what it was to do: no descriptor was left there for the file of the "
                               "items, or the map's memory was overwritten"));
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

/* By a kill of what is pending; with the lock of the pool. */
static void cancel(struct mapping *mapping) {
    struct map *m = (struct map *)mapping;
    atomic_store(&m->is_cancelled, true); /* ORD(*) looked at again before each start */
    struct map_board *board = atomic_load(&m->stop);
    if (board != NULL)
        atomic_store(&board->stop, 1);
}

static void heed_kills(struct map *m) {
    /* ORD(*) a signal handler can do no more than count. */
    if (atomic_load(&m->is_cancelled) || atomic_load(&control_head(m->pool->region)->now_kills) != m->kills)
        give_up(m, why(-ECANCELED, CALL ": a kill of what is pending met it: what had not begun is cancelled"));
}

/* False: the pool is being closed, and nothing more is to be heard of runners. */
static bool await_runner(struct map *m) {
    mortal_verdict verdict;
    int error = mortal_group_next(m->group, LOOK_AROUND_NS, &verdict);
    if (error == 0) {
        settle(m, &verdict);
    } else if (error == -ESHUTDOWN || error == -ENOENT) {
        give_up(m, error);
        return false;
    } else if (error != -ETIMEDOUT) {
        bool is_second = m->is_over;
        give_up(m, error);
        if (error != -EINTR || is_second) /* else until the items in hand have ended */
            (void)mortal_group_kill(m->group, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL);
    }
    return true;
}

static void run_all(struct map *m) {
    bool goes_on = true;
    do {
        heed_kills(m);
        take_back_forged_stop(m);
        start_runners(m);
        goes_on = m->running != 0 ? await_runner(m) : !m->is_over && book_look_at_all(&m->book);
    } while (goes_on);
    book_finish(&m->book, m->error == -ECANCELED ? MORTAL_CANCELLED : m->error == 0 ? MORTAL_LOST : 0);
}

/* What hosts could write is looked at once here, and whatever it is, an outcome is one. */
static void tell(struct map *m, void *results, uint8_t *outcomes, size_t *done) {
    const uint8_t *made = m->pool->region->windows[WINDOW_SHARED].base + m->plan.results_offset;
    const uint8_t *board = (const uint8_t *)m->book.outcomes;
    uint64_t each = m->plan.result_bytes;
    bool is_copied = m->results_buffer.place != 0;
    for (uint64_t i = 0; (is_copied || outcomes != NULL) && i < m->plan.count; i++) {
        uint8_t outcome = board[i];
        if (outcomes != NULL && outcomes[i] != 0)
            continue;
        outcome = outcome <= MORTAL_LOST ? outcome : outcome >= 0x80 ? 0 : MORTAL_LOST;
        if (outcomes != NULL)
            outcomes[i] = outcome;
        if (is_copied && (outcome == MORTAL_DONE || outcome == MORTAL_FAILED))
            memcpy((uint8_t *)results + i * each, made + i * each, each);
    }
    if (done != NULL)
        *done = book_count_done(outcomes != NULL ? outcomes : board, m->plan.count);
}

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
    return mapping_check(CALL, options);
}

static int begin(struct map *m, const mortal_task_options *options, mortal_map_function *function) {
    struct pool *pool;
    struct group *parent = NULL;
    int error = seat_enter(m->handle, CALL, &pool);
    if (error != 0)
        return error;
    error = options_task(pool, options, &m->options);
    if (error == 0 && function != NULL)
        error = submit_locate(pool, CALL, (uintptr_t)function, &m->plan.function);
    if (error == 0 && m->options.group != NULL)
        error = group_of_pool(pool, m->options.group, &parent);
    if (error != 0)
        error = why_as(CALL, error);
    m->options.size = sizeof m->options;
    m->run = pool->heritage.map_run;
    m->kills = atomic_load(&control_head(pool->region)->now_kills); /* ORD(*) */
    if (error == 0) {
        m->pool = pool;
        m->mapping.cancel = cancel;
        mapping_add(pool, &m->mapping, parent); /* from here on kills find it */
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
    if (error != 0 || m->runners == NULL)
        return error != 0 ? why_as(CALL, error) : why(-ENOMEM, CALL ": no memory");
    struct group *group;
    seat_lock(m->pool);
    if (group_of_pool(m->pool, m->group, &group) == 0)
        mapping_use(&m->mapping, group);
    seat_unlock(m->pool);
    return 0;
}

static void note_earlier(struct map *m, const uint8_t *outcomes) {
    uint8_t *board = (uint8_t *)m->book.outcomes;
    for (uint64_t i = 0; outcomes != NULL && i < m->plan.count; i++)
        board[i] = outcomes[i] <= MORTAL_LOST ? outcomes[i] : MORTAL_LOST;
}

int mortal_pool_map(mortal_pool *handle, mortal_map_function *function, const void *items, size_t item_bytes, void *results,
                    size_t result_bytes, size_t count, const mortal_task_options *options, uint8_t *outcomes, size_t *done) {
    struct map m = {.handle = handle};
    int error = begin(&m, options, function);
    if (error != 0)
        return error;
    m.plan = (struct map_plan){.function = m.plan.function, .count = count, .item_bytes = item_bytes,
                               .result_bytes = result_bytes,
                               .has_deadline = mapping_is_limit(m.options.deadline_ns)};
    error = check(&m.options, function, items, item_bytes, results, result_bytes, count);
    if (error == 0 && count != 0)
        error = place_all(&m, items, results);
    if (error == 0 && count != 0) {
        note_earlier(&m, outcomes);
        atomic_store(&m.stop, m.book.board); /* ORD(*) before the look whether it is cancelled */
        run_all(&m);
        error = m.error;
        tell(&m, results, outcomes, done);
    } else if (error == 0 && done != NULL) {
        *done = 0;
    }
    seat_lock(m.pool);
    mapping_remove(m.pool, &m.mapping);
    seat_unlock(m.pool);
    close_all(&m);
    watch_leave(m.pool);
    seat_unlock(m.pool);
    return error;
}
