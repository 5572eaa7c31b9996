/* openmap.c - opening and ending a map over items that come one by one; feed.c feeds it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owner/buffer.h"
#include "owner/feed.h"
#include "owner/seat.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/why.h"

#define WINDOW_DEFAULT 1024u
#define WINDOW_MOST (1u << 20)
#define TAKE_MOST 16u
#define CLOSE_NS 10000000000ull
#define DISMISS_NS 100000000ull

void feed_destroy(struct feed *f) {
    feedbook_close(&f->book);
    free(f->name);
    free(f);
}

static int leave(struct pool *pool, int error) {
    seat_unlock(pool);
    return error;
}

/* ---- ending --------------------------------------------------------------------------------------------------- */

int mortal_map_kill(mortal_map *handle, int scope, uint64_t grace_ns, uint64_t timeout_ns, mortal_kill_report *report) {
    struct pool *pool;
    struct group *group;
    mortal_kill_report done = {0};
    int error = kill_check_scope(scope, "mortal_map_kill");
    if (error == 0)
        error = seat_enter_map(handle, "mortal_map_kill", &pool, &group);
    if (error != 0)
        return error;
    struct feed *f = group->feed;
    feed_settle(f);
    uint64_t cancelled = f->book.counts[MORTAL_CANCELLED], killed = f->book.counts[MORTAL_KILLED];
    group->sleepers++;
    error = kill_all(pool, group, scope, grace_ns, timeout_ns, &done);
    bool is_gone = group->closed || error == -ESHUTDOWN;
    if (!is_gone) {
        feed_settle(f);
        done.never_started = (uint32_t)(f->book.counts[MORTAL_CANCELLED] - cancelled);
        done.killed = (uint32_t)(f->book.counts[MORTAL_KILLED] - killed);
        if (feed_start(f) != -ESHUTDOWN)
            group_rouse(pool, group);
    }
    group_unpin(group);
    seat_unlock(pool);
    if (report != NULL)
        *report = done;
    return is_gone ? feed_explain(-ESHUTDOWN, "mortal_map_kill") : kill_explain(error, "mortal_map_kill", &done);
}

/* With the lock. What is left of runners holds the memory until it has ended. */
static void close_all(struct feed *f) {
    struct pool *pool = f->pool;
    struct group *group = f->group;
    for (uint32_t slot = group->first, next_slot; slot != NO_SLOT; slot = next_slot) {
        next_slot = pool->entries[slot].next;
        ledger_release(pool, slot);
    }
    mapping_remove(pool, &f->mapping);
    for (size_t i = 0; i < sizeof f->buffers / sizeof *f->buffers; i++) {
        uint32_t number = (uint32_t)f->buffers[i].place;
        pool->buffers[number].is_closed = true;
        buffer_drop(pool, number);
    }
    group_close(pool, group);
}

/* Where all has ended nobody need be killed: who waits for more ends by itself. */
static int end_runners(struct pool *pool, struct group *group) {
    struct feed *f = group->feed;
    uint64_t soon = clock_after(DISMISS_NS), until = clock_after(CLOSE_NS);
    int error = 0;
    feed_settle(f);
    if (feedbook_all_ended(&f->book)) {
        feedbook_dismiss(&f->book);
        (void)kill_all(pool, group, MORTAL_PENDING, 0, 0, NULL);
        for (; error != -ESHUTDOWN && error != -ETIMEDOUT && group->outstanding != 0; feed_settle(f))
            error = group_sleep(pool, group, soon, group_is_answered);
    }
    while (error != -ESHUTDOWN && group->outstanding != 0) {
        uint64_t now = clock_ns();
        error = kill_all(pool, group, MORTAL_UNENDED, 0, until > now ? until - now : 0, NULL);
        if (error != -EINTR)
            break;
    }
    if (error != -ESHUTDOWN)
        feed_settle(f);
    return error;
}

int mortal_map_close(mortal_map *handle) {
    struct pool *pool;
    struct group *group;
    int error = handle == NULL ? 0 : seat_enter_map(handle, "mortal_map_close", &pool, &group);
    if (handle == NULL || error != 0)
        return error;
    if (group->feed->is_closing)
        return leave(pool, feed_explain(-ESHUTDOWN, "mortal_map_close"));
    group->feed->is_closing = true;
    group_rouse(pool, group);
    group->sleepers++;
    error = end_runners(pool, group);
    bool is_mine = error != -ESHUTDOWN;
    if (is_mine)
        close_all(group->feed);
    group_unpin(group);
    seat_unlock(pool);
    return is_mine ? 0 : feed_explain(-ESHUTDOWN, "mortal_map_close");
}

/* By a kill of what is pending; with the lock. */
static void cancel_mapping(struct mapping *mapping) { feed_cancel((struct feed *)mapping); }

/* ---- opening -------------------------------------------------------------------------------------------------- */

#define OPEN "mortal_map_open"

/* Some for what the program looks at. As finished, cells come free here and there: with as many again, those ahead are free
 * but for the slowest, and runners have long stretches. */
static uint32_t cells_for(const mortal_map_options *o) {
    uint32_t window = o->window != 0 ? o->window : WINDOW_DEFAULT;
    return (o->order == MORTAL_MAP_IN_ORDER ? window : 2 * window) + VIEWS;
}

/* Runners are submitted with it long after the call that told it. */
static int keep_name(struct feed *f) {
    if (f->options.name == NULL)
        return 0;
    f->options.name = f->name = strndup(f->options.name, NAME_BYTES - 1);
    return f->name != NULL ? 0 : why(-ENOMEM, OPEN ": no memory");
}

static int check(const mortal_map_options *o, mortal_map **out, mortal_map_function *function) {
    if (out == NULL || function == NULL)
        return why(-EINVAL, OPEN ": %s is null", out == NULL ? "out" : "the function");
    if (o->window > WINDOW_MOST)
        return why(-EINVAL, OPEN ": window is %u: it must be at most %u", o->window, WINDOW_MOST);
    if (o->order != MORTAL_MAP_IN_ORDER && o->order != MORTAL_MAP_AS_FINISHED)
        return why(-EINVAL, OPEN ": order is %d: it must be MORTAL_MAP_IN_ORDER or MORTAL_MAP_AS_FINISHED", (int)o->order);
    uint64_t most = (1ull << 49) / cells_for(o);
    if (o->item_bytes > most || o->result_bytes > most)
        return why(-EINVAL, OPEN ": item_bytes is %zu, and result_bytes %zu: at most %llu with this window", o->item_bytes,
                   o->result_bytes, (unsigned long long)most);
    return 0;
}

/* What the pool has to say to it, with its lock. */
static int plan(struct feed *f, const mortal_map_options *o, mortal_map_function *function, struct feed_plan *plan,
                struct group **parent) {
    struct pool *pool;
    int error = seat_enter(f->handle, OPEN, &pool);
    if (error != 0)
        return error;
    error = options_task(pool, o->task, &f->options);
    if (error == 0)
        error = mapping_check(OPEN, &f->options);
    if (error == 0)
        error = keep_name(f);
    if (error == 0 && mapping_is_limit(f->options.within_ns))
        error = why(-EINVAL, OPEN ": the options, or the pool's defaults, have within_ns: items have deadline_ns only");
    if (error == 0)
        error = submit_locate(pool, OPEN, (uintptr_t)function, &plan->function);
    if (error == 0 && f->options.group != NULL)
        error = group_of_pool(pool, f->options.group, parent);
    f->pool = pool;
    f->run = pool->heritage.map_run;
    f->book.attempts = f->options.attempts > 1 ? f->options.attempts : 1;
    f->book.deadline_ns = mapping_is_limit(f->options.deadline_ns) ? f->options.deadline_ns : 0;
    f->book.window = o->window != 0 ? o->window : WINDOW_DEFAULT;
    f->book.in_order = o->order == MORTAL_MAP_IN_ORDER;
    plan->cells = cells_for(o);
    plan->has_deadline = f->book.deadline_ns != 0;
    plan->take_most = f->book.in_order ? TAKE_MOST : 1; /* those behind one that takes long are not taken anyway */
    plan->item_bytes = o->item_bytes;
    plan->result_bytes = o->result_bytes;
    return leave(pool, error);
}

static int make_buffer(struct feed *f, size_t which, enum window_kind kind, uint64_t bytes, uint64_t *offset) {
    void *address;
    int error = mortal_buffer_open(&f->buffers[which], f->handle, bytes, kind == WINDOW_GIVEN ? MORTAL_BUFFER_GIVEN : 0);
    if (error == -ENOMEM)
        return why(error, OPEN ": the system has no memory for %llu bytes: take a smaller window", (unsigned long long)bytes);
    if (error == 0)
        error = mortal_buffer_view(f->buffers[which], &address, NULL);
    if (error == 0)
        *offset = (uint64_t)((uint8_t *)address - f->pool->region->windows[kind].base);
    return error;
}

static int make_memory(struct feed *f, struct feed_plan *p) {
    const struct window *windows = f->pool->region->windows;
    uint64_t board = round_up(feedbook_plan(p), PAGE_BYTES), ahead = round_up(sizeof *p, PAGE_BYTES);
    uint64_t given_at = 0, shared_at = 0;
    int error = make_buffer(f, 0, WINDOW_GIVEN, ahead + p->cells * p->item_bytes, &given_at);
    if (error == 0)
        error = make_buffer(f, 1, WINDOW_SHARED, board + p->cells * p->result_bytes, &shared_at);
    if (error != 0)
        return error;
    p->board = f->buffers[1];
    p->items_offset = given_at + ahead;
    p->results_offset = shared_at + board;
    f->items = windows[WINDOW_GIVEN].base + p->items_offset;
    f->results = windows[WINDOW_SHARED].base + p->results_offset;
    f->book.told = (struct feed_plan *)(void *)(windows[WINDOW_GIVEN].base + given_at);
    return feedbook_open(&f->book, p, windows[WINDOW_SHARED].base + shared_at) ? 0 : why(-ENOMEM, OPEN ": no memory");
}

/* From here on kills find it, and it has a handle. */
static int settle_in(struct feed *f, mortal_group *handle, struct feed_plan *p, struct group *parent, mortal_map **out) {
    struct pool *pool;
    int error = seat_enter_group(handle, OPEN, &pool, &f->group);
    if (error == 0 && f->options.group != NULL)
        error = group_of_pool(pool, f->options.group, &parent); /* it may have been closed meanwhile */
    if (f->group == NULL || error != 0)
        return f->group == NULL ? error : leave(pool, error);
    p->group = f->group->number;
    f->book.plan = *p;
    *f->book.told = *p;
    f->options.size = sizeof f->options;
    f->options.group = handle;
    f->options.attempts = 1; /* those of the items are counted here */
    f->options.buffers = f->buffers;
    f->options.buffer_count = sizeof f->buffers / sizeof *f->buffers;
    f->mapping.cancel = cancel_mapping;
    f->group->feed = f;
    mapping_add(pool, &f->mapping, parent);
    mapping_use(&f->mapping, f->group);
    /* ORD(*) see heed_kill() */
    f->heeded = atomic_load(&control_head(pool->region)->now_kills);
    *out = seat_map_handle(pool, f->group->number);
    return leave(pool, 0);
}

static int open_map(struct feed *f, const mortal_map_options *o, mortal_map_function *function, mortal_map **out) {
    struct feed_plan p = {0};
    struct group *parent = NULL;
    mortal_group *group = NULL;
    int error = plan(f, o, function, &p, &parent);
    if (error == 0)
        error = make_memory(f, &p);
    if (error == 0)
        error = mortal_group_open(&group, f->handle);
    if (error == 0)
        error = settle_in(f, group, &p, parent, out);
    if (error == 0)
        return 0;
    error = why_as(OPEN, error);
    (void)mortal_group_close(group);
    for (size_t i = 0; i < sizeof f->buffers / sizeof *f->buffers; i++)
        if (f->buffers[i].place != 0)
            (void)mortal_buffer_close(f->buffers[i]);
    feed_destroy(f);
    return error;
}

int mortal_map_open(mortal_map **out, mortal_pool *pool, mortal_map_function *function, const mortal_map_options *options) {
    static const mortal_map_options none = {.size = sizeof none};
    mortal_map_options o;
    int error = options_read(&o, sizeof o, options != NULL ? options : &none, OPEN, "mortal_map_options");
    if (error == 0)
        error = check(&o, out, function);
    if (error != 0)
        return error;
    struct feed *f = calloc(1, sizeof *f);
    if (f == NULL)
        return why(-ENOMEM, OPEN ": no memory");
    f->handle = pool;
    f->patience_ns = RESCUE_NS;
    for (size_t i = 0; i < VIEWS; i++)
        f->views[i].cell = NO_CELL;
    return open_map(f, &o, function, out);
}
