/*
 * feed.c - the map over items that come one by one, by runners that are tasks of the pool
 *
 * The owner hands out stretches of items, see region/feed.h; what became of each the book knows. All of it is under the lock
 * of the pool, which is let go only to submit, to spin and to sleep: each of these pins the runners' group, and with it the
 * map. What a runner that was cut has left goes on when somebody calls: the owner has no thread of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owner/feed.h"
#include "owner/seat.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/process.h"
#include "system/why.h"

#define NO_ROOM_LOOK_NS 10000000ull /* the queue of the pool is full of others' tasks: nothing rings when it is not */
#define LOOK_EVERY 4u /* items put: for the time */
#define SETTLE_EVERY 256u /* entries taken: what runners that were cut have left is looked for although others come */
#define LOOKS_APART 16u
#define RESCUE_MOST_NS 16000000ull

/* ---- running -------------------------------------------------------------------------------------------------- */

/* Lets go of the lock. 0, or why it was not submitted; -ESHUTDOWN: the map may be gone. */
static int submit(struct feed *f, struct feed_runner *runner) {
    struct pool *pool = f->pool;
    struct group *group = f->group;
    mortal_task_options options = f->options;
    options.tag = (void *)(uintptr_t)runner->run;
    runner->plan = f->buffers[0];
    group->sleepers++;
    watch_stay(pool);
    seat_unlock(pool);
    int error = mortal_pool_try_submit(f->handle, f->run, runner, sizeof *runner, &options, NULL);
    watch_leave(pool);
    bool is_gone = group->closed || pool_is_closed_to_me(pool);
    if (error != 0 && !is_gone)
        feedbook_undo(&f->book, runner->run);
    group_unpin(group);
    return is_gone ? -ESHUTDOWN : error;
}

void feed_cancel(struct feed *f) {
    feedbook_cancel(&f->book);
    group_rouse(f->pool, f->group);
}

/* ORD(*) a signal handler can do no more than count. What waits for a runner has no ticket that could tell. */
static inline void heed_kill(struct feed *f) {
    uint64_t kills = atomic_load(&control_head(f->pool->region)->now_kills);
    if (kills == f->heeded)
        return;
    f->heeded = kills;
    feed_cancel(f);
}

/* What a signal handler's kill cut is not to start again: who sees such an end sees that kill. */
void feed_settle(struct feed *f) {
    mortal_verdict verdict;
    f->unsettled = 0;
    while (group_take(f->pool, f->group, &verdict)) {
        heed_kill(f);
        uint32_t slot = (uint32_t)verdict.future.place;
        feedbook_settle(&f->book, (uint32_t)(uintptr_t)verdict.tag, &verdict, ledger_ended_ns(f->pool, slot));
        ledger_release(f->pool, slot);
    }
}

int feed_start(struct feed *f) {
    struct feed_runner runner;
    feedbook_add(&f->book);
    if (f->book.waiting.count == 0)
        return 0;
    feed_settle(f);
    while (feedbook_begin(&f->book, &runner) != NO_RUN) {
        int error = submit(f, &runner);
        if (error == -EAGAIN || error == -ENOBUFS)
            return 0; /* with those that there are, or later */
        if (error == -EOWNERDEAD)
            feedbook_give_up(&f->book, MORTAL_LOST);
        else if (error != 0)
            return error;
    }
    return 0;
}

/* Whatever became of runners since, and what follows from it. As feed_start(). */
static int go_on(struct feed *f) {
    group_audit(f->pool, f->group, clock_coarse_ns());
    feed_settle(f);
    if (f->pool->broken)
        feedbook_give_up(&f->book, MORTAL_LOST);
    return feed_start(f);
}

/* Now and then, by every call: nobody else does it. True: some wait again. */
static bool rescue_in_time(struct feed *f, uint64_t now_ns) {
    if (f->patience_ns == NEVER || now_ns < f->looked_ns + f->patience_ns)
        return false;
    uint32_t waited = f->book.waiting.count;
    f->looked_ns = now_ns;
    if (!feedbook_rescue(&f->book))
        f->patience_ns = NEVER; /* until something comes */
    else if (f->patience_ns < RESCUE_MOST_NS)
        f->patience_ns *= 2;
    return f->book.waiting.count != waited;
}

static int sleep_until(struct feed *f, uint64_t deadline_ns, bool (*is_enough)(struct pool *, const struct group *)) {
    if (rescue_in_time(f, clock_ns()))
        return 0;
    bool has_no_runner = f->book.out == 0 && f->book.waiting.count != 0;
    uint64_t look = f->patience_ns == NEVER ? NEVER : f->looked_ns + f->patience_ns;
    uint64_t soon = has_no_runner ? clock_after(NO_ROOM_LOOK_NS) : look;
    int error = group_sleep(f->pool, f->group, soon < deadline_ns ? soon : deadline_ns, is_enough);
    return error == -ETIMEDOUT && clock_ns() < deadline_ns ? 0 : error;
}

static int leave(struct pool *pool, int error) {
    seat_unlock(pool);
    return error;
}

int feed_explain(int error, const char *call) {
    if (error == -ESHUTDOWN)
        return why(error, "%s: the map or its pool is being closed", call);
    return error == -EINTR ? why(error, "%s: a signal handler ran; call again to wait on", call) : error;
}

/* ---- putting -------------------------------------------------------------------------------------------------- */

#define PUT "mortal_map_put"

static bool has_room(struct pool *pool, const struct group *group) {
    const struct feed *f = group->feed;
    (void)pool;
    return group->ready_first != NO_SLOT || !feedbook_is_full(&f->book) || f->is_ended || f->is_closing;
}

static int check_open(const struct feed *f) {
    if (f->is_closing)
        return feed_explain(-ESHUTDOWN, PUT);
    if (f->is_ended)
        return why(-ESHUTDOWN, PUT ": mortal_map_end() was called");
    if (f->pool->broken)
        return why(-EOWNERDEAD, PUT ": the supervisor of this pool died: close the pool and open another");
    if (atomic_load_explicit(&f->pool->sealed, memory_order_relaxed) != 0)
        return why(-ESHUTDOWN, PUT ": the pool is sealed");
    if (breaker_is_open(f->pool->region))
        return breaker_refuse(f->pool, PUT);
    return 0;
}

static int wait_for_room(struct feed *f, uint64_t deadline_ns) {
    if (deadline_ns == 0)
        return why(-EAGAIN, PUT ": the window is full of items that are put and not taken: take one, and put again");
    if (process_threads() == 1)
        return why(-EDEADLK, PUT ": %u items are put and not taken, and this process has no other thread that could take one: "
                             "take first", f->book.window);
    f->putters++;
    int error = sleep_until(f, deadline_ns, has_room);
    if (error == -ESHUTDOWN)
        return feed_explain(error, PUT);
    f->putters--;
    if (error == 0)
        error = feed_explain(go_on(f), PUT);
    if (error == -ETIMEDOUT)
        return feedbook_is_full(&f->book) ? why(error, PUT ": nobody made room within the time-out") : 0;
    return feed_explain(error, PUT);
}

static bool copy_in(struct feed *f, uint32_t cell, const void *item) {
    uint64_t bytes = f->book.plan.item_bytes, at = cell * bytes;
    const struct window *windows = f->pool->region->windows;
    if (item == NULL) /* and bytes is 0 */
        return true;
    if ((uintptr_t)item - (uintptr_t)windows[WINDOW_FILES].base < windows[WINDOW_FILES].bytes)
        return memory_copy_in(windows[WINDOW_GIVEN].fd, f->book.plan.items_offset + at, item, bytes);
    memcpy(f->items + at, item, bytes);
    return true;
}

static int put(struct feed *f, const void *item, void *tag, uint64_t deadline_ns) {
    for (;;) {
        int error = check_open(f);
        if (error != 0)
            return error;
        heed_kill(f);
        if (f->book.put % LOOK_EVERY == 0)
            (void)rescue_in_time(f, clock_coarse_ns());
        if (!feedbook_is_full(&f->book))
            break;
        error = wait_for_room(f, deadline_ns);
        if (error != 0)
            return error;
    }
    uint32_t cell = feedbook_cell(&f->book);
    if (!copy_in(f, cell, item))
        return why(-EFAULT, PUT ": the item lies in a wrapped file, and is not there (any more)");
    feedbook_put(&f->book, cell, tag);
    if (f->patience_ns == NEVER)
        f->patience_ns = RESCUE_NS;
    (void)feed_start(f); /* it is put, and goes on when somebody calls */
    return 0;
}

int mortal_map_put(mortal_map *handle, const void *item, void *tag, uint64_t timeout_ns) {
    struct pool *pool;
    struct group *group;
    int error = seat_enter_map(handle, PUT, &pool, &group);
    if (error != 0)
        return error;
    if ((item == NULL) != (group->feed->book.plan.item_bytes == 0))
        return leave(pool, why(-EINVAL, PUT ": the item is %s, and item_bytes %s 0", item == NULL ? "null" : "not null",
                               item == NULL ? "not" : "is"));
    return leave(pool, put(group->feed, item, tag, timeout_ns == 0 ? 0 : clock_after(timeout_ns)));
}

int mortal_map_end(mortal_map *handle) {
    struct pool *pool;
    struct group *group;
    int error = seat_enter_map(handle, "mortal_map_end", &pool, &group);
    if (error != 0)
        return error;
    group->feed->is_ended = true;
    group_rouse(pool, group);
    return leave(pool, 0);
}

/* ---- taking --------------------------------------------------------------------------------------------------- */

#define NEXT "mortal_map_next"

static bool is_over(const struct feed *f) { return f->is_ended && f->book.put == f->book.taken; }

static bool has_entry(struct pool *pool, const struct group *group) {
    struct feed *f = group->feed;
    (void)pool;
    /* ORD(feed:look) pairs ORD(feed:watched): it was said before that somebody sleeps, ORD(group:watch). */
    atomic_thread_fence(memory_order_seq_cst);
    return group->ready_first != NO_SLOT || is_over(f) || f->is_closing || feedbook_next(&f->book) != NO_CELL;
}

/* Without the lock, so that others get in. */
static int spin(struct feed *f) {
    struct pool *pool = f->pool;
    struct group *group = f->group;
    struct spin spin = {.limit_us = pool->spin_us};
    uint32_t cell = feedbook_awaited(&f->book);
    group->sleepers++;
    watch_stay(pool);
    seat_unlock(pool);
    while (spin_turn(&spin))
        if (spin.turn % LOOKS_APART == 0 && feedbook_peek(&f->book, cell))
            break;
    watch_leave(pool);
    bool is_gone = group->closed || pool_is_closed_to_me(pool);
    group_unpin(group);
    return is_gone ? -ESHUTDOWN : 0;
}

/* This thread's, or a free one, or else the oldest. */
static struct view *my_view(struct feed *f) {
    struct view *mine = f->views;
    for (struct view *view = f->views; view < f->views + VIEWS; view++) {
        if (view->cell != NO_CELL && pthread_equal(view->thread, pthread_self()))
            return view;
        if (mine->cell != NO_CELL && (view->cell == NO_CELL || view->taken < mine->taken))
            mine = view;
    }
    return mine;
}

static void let_go(struct feed *f, struct view *view) {
    if (view->cell != NO_CELL)
        feedbook_let_go(&f->book, view->cell);
    view->cell = NO_CELL;
}

static void tell(struct feed *f, uint32_t cell, mortal_map_entry *entry) {
    const struct feed_plan *plan = &f->book.plan;
    f->patience_ns = RESCUE_NS;
    *entry = (mortal_map_entry){.number = f->book.items[cell].number,
                                .item = plan->item_bytes != 0 ? f->items + cell * plan->item_bytes : NULL};
    struct view *view = my_view(f);
    let_go(f, view);
    *view = (struct view){.thread = pthread_self(), .cell = cell, .taken = f->book.taken};
    feedbook_take(&f->book, cell, &entry->verdict);
    bool has_result = entry->verdict.outcome == MORTAL_DONE || entry->verdict.outcome == MORTAL_FAILED;
    if (has_result && plan->result_bytes != 0) {
        entry->verdict.result = f->results + cell * plan->result_bytes;
        entry->verdict.result_bytes = plan->result_bytes;
    }
    if (f->putters != 0)
        group_rouse(f->pool, f->group);
}

/* Nothing is there. 0: look again. */
static int wait_for_entry(struct feed *f, uint64_t deadline_ns, bool *has_spun) {
    struct pool *pool = f->pool;
    bool is_empty = f->book.put == f->book.taken;
    bool is_sealed = atomic_load_explicit(&pool->sealed, memory_order_relaxed) != 0;
    if (is_over(f) || (is_empty && is_sealed))
        return why(-ENOENT, NEXT ": %s, and everything is taken", f->is_ended ? "the map was ended" : "the pool is sealed");
    if (is_empty && pool->broken)
        return why(-EOWNERDEAD, NEXT ": the supervisor of this pool died, and everything is taken");
    if (breaker_is_open(pool->region) && !is_empty && !group_runs(pool, f->group))
        return breaker_refuse(pool, NEXT);
    if (deadline_ns == 0)
        return why(-ETIMEDOUT, NEXT ": nothing has come");
    if (!pool->broken && !watch_supervisor(pool))
        return 0;
    int error = 0;
    if (!*has_spun && !is_empty)
        error = spin(f);
    else
        error = sleep_until(f, deadline_ns, has_entry);
    *has_spun = true;
    return error == -ETIMEDOUT && !has_entry(pool, f->group) ? why(error, NEXT ": nothing came within the time-out") : feed_explain(error, NEXT);
}

static int next(struct feed *f, uint64_t deadline_ns, mortal_map_entry *entry) {
    bool has_spun = false;
    if (++f->unsettled >= SETTLE_EVERY && go_on(f) == -ESHUTDOWN)
        return feed_explain(-ESHUTDOWN, NEXT);
    for (;;) {
        if (f->is_closing)
            return feed_explain(-ESHUTDOWN, NEXT);
        heed_kill(f);
        uint32_t cell = feedbook_next(&f->book);
        if (cell != NO_CELL) {
            tell(f, cell, entry);
            return 0;
        }
        if (deadline_ns == 0)
            (void)rescue_in_time(f, clock_ns());
        int error = go_on(f);
        if (error == -ESHUTDOWN)
            return feed_explain(error, NEXT);
        if (feedbook_next(&f->book) != NO_CELL)
            continue;
        if (error != 0 && error != -EHOSTDOWN && f->book.out == 0)
            return error;
        error = wait_for_entry(f, deadline_ns, &has_spun);
        if (error != 0 && error != -ETIMEDOUT)
            return error;
        if (error == -ETIMEDOUT && feedbook_next(&f->book) == NO_CELL)
            return error;
    }
}

int mortal_map_next(mortal_map *handle, uint64_t timeout_ns, mortal_map_entry *entry) {
    struct pool *pool;
    struct group *group;
    if (entry == NULL)
        return why(-EINVAL, NEXT ": entry is null");
    int error = seat_enter_map(handle, NEXT, &pool, &group);
    if (error != 0)
        return error;
    return leave(pool, next(group->feed, timeout_ns == 0 ? 0 : clock_after(timeout_ns), entry));
}
