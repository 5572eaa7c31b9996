/* submit.c - from a call to a pending slot */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "owner/modules.h"
#include "owner/seat.h"
#include "owner/usual.h"
#include "region/bell.h"
#include "region/queue.h"
#include "region/recover.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"
#include "system/why.h"

struct submission {
    mortal_function *function;
    uint64_t code; /* the function, as hosts know it */
    const void *input;
    size_t input_bytes;
    const mortal_task_options *options; /* the pool's own, or merged with what the call says */
    bool is_plain; /* neither a name nor a limit */
    struct group *group; /* looked up anew after every wait: it may have been closed meanwhile */
    bool may_wait;
    void *tag;
    bool is_unheard; /* released at once: nobody takes its parts */
    bool is_of_open_map; /* it runs items that were put before */
};

/* Code that was loaded after the pool was opened does not exist in its hosts: better said now than crashed there. */
static inline bool existed_at_open(struct pool *pool, uintptr_t address) {
    if (pool->code_count == 0)
        return true; /* /proc is not mounted: nothing to compare with */
    if (address >= pool->code_seen.start && address < pool->code_seen.end)
        return true;
    for (uint32_t i = 0; i < pool->code_count; i++) {
        if (address < pool->code[i].start || address >= pool->code[i].end)
            continue;
        pool->code_seen = pool->code[i];
        return true;
    }
    return false;
}

static int check(struct pool *pool, const struct submission *s) {
    if (s->function == NULL)
        return why(-EINVAL, "mortal_pool_submit: the function is null");
    if (s->input == NULL && s->input_bytes != 0)
        return why(-EINVAL, "mortal_pool_submit: the input is null and its size %zu", s->input_bytes);
    if (s->input_bytes > INLINE_INPUT_BYTES && s->input_bytes > heap_largest(&pool->inputs))
        return why(-EMSGSIZE, "mortal_pool_submit: the input is %zu bytes and this pool takes %llu: raise inputs_bytes",
                   s->input_bytes, (unsigned long long)heap_largest(&pool->inputs));
    return 0;
}

/* Where hosts are another image of the program: in which module the function is, and where there. */
static int find_module(struct pool *pool, const char *call, uintptr_t address, uint64_t *code) {
    struct module_found found;
    watch_stay(pool);
    seat_unlock(pool);
    int error = modules_find(call, address, &found);
    watch_leave(pool);
    if (error != 0)
        return error;
    error = modules_add(pool, call, &found);
    if (error == 0 && pool_is_closed_to_me(pool))
        return why(-ESHUTDOWN, "%s: the pool is being closed", call);
    if (error == 0 && !modules_know(pool, address, code))
        error = why(-ENOEXEC, "%s: the function at %p is in no loaded file", call, (void *)address);
    return error;
}

int submit_locate(struct pool *pool, const char *call, uintptr_t address, uint64_t *code) {
    if (pool->modules == NULL && !existed_at_open(pool, address))
        return why(-ENOEXEC, "%s: the function at %p did not exist when the pool was opened, so hosts do not have it: load "
                             "modules before mortal_pool_open", call, (void *)address);
    *code = address;
    return pool->modules == NULL || modules_know(pool, address, code) ? 0 : find_module(pool, call, address, code);
}

/* As a rule, in line. */
static inline int locate(struct pool *pool, struct submission *s) {
    s->code = (uintptr_t)s->function;
    if (pool->modules == NULL && existed_at_open(pool, s->code))
        return 0;
    return submit_locate(pool, "mortal_pool_submit", (uintptr_t)s->function, &s->code);
}

static int check_open(struct pool *pool, const struct submission *s) {
    bool died = (atomic_load_explicit(&control_head(pool->region)->supervisor_lives, memory_order_relaxed) &
                 FUTEX_OWNER_DIED) != 0;
    if (pool->broken || (died && !watch_supervisor(pool)))
        return why(-EOWNERDEAD, "mortal_pool_submit: the supervisor of this pool died: close the pool and open another");
    if (atomic_load_explicit(&pool->sealed, memory_order_relaxed) != 0 && !s->is_of_open_map)
        return why(-ESHUTDOWN, "mortal_pool_submit: the pool is sealed");
    if (breaker_is_open(pool->region))
        return breaker_refuse(pool, "mortal_pool_submit");
    return 0;
}

/* Who waits for room stands in line, or whoever comes by at the right moment takes the room that was made for another, for
 * ever. Who comes later leaves a place to each that was there before. */
struct in_line {
    struct in_line *next;
    bool has_joined, for_input;
};

static uint32_t ahead_of(const struct pool *pool, const struct in_line *me, bool for_input) {
    uint32_t ahead = 0;
    for (const struct in_line *other = pool->line; other != NULL && other != me; other = other->next)
        ahead += other->for_input == for_input;
    return ahead;
}

static void join_line(struct pool *pool, struct in_line *me) {
    struct in_line **end = &pool->line;
    while (*end != NULL)
        end = &(*end)->next;
    *end = me;
    me->has_joined = true;
}

/* Whoever is next may find what somebody else left. */
static void ring_line(struct pool *pool) {
    if (pool->line == NULL)
        return;
    atomic_fetch_add(&claims_head(pool->region)->room_bell, 1);
    futex_wake(&claims_head(pool->region)->room_bell, INT_MAX);
}

/* Who took its place made nobody's turn. Who goes without it, or waited for memory, of which there may be more, did. */
static void leave_line(struct pool *pool, struct in_line *me, int error) {
    struct in_line **at = &pool->line;
    while (*at != me)
        at = &(*at)->next;
    *at = me->next;
    if (error != 0 || me->for_input)
        ring_line(pool);
}

/* The cursors are on lines that every worker writes, so they are read anew only where those seen last leave no room. */
static inline bool has_places(struct pool *pool, uint32_t wanted) {
    uint64_t tail = atomic_load_explicit(&orders_head(pool->region)->tail, memory_order_relaxed);
    uint32_t most = pool->region->g.queue_tasks;
    if (tail - pool->head_seen + pool->aside + wanted <= most)
        return true;
    pool->head_seen = tail - queue_length_of(pool->region, LANE_NORMAL);
    pool->aside = queue_length_of(pool->region, LANE_HIGH) + queue_length_of(pool->region, LANE_LOW);
    return tail - pool->head_seen + pool->aside + wanted <= most;
}

/* Entries of cancelled tasks take up room until a worker passes them. Look for them only where that can have changed
 * much since it last was in vain, or after a sleep. */
static bool make_room(struct pool *pool, const struct in_line *me, bool again) {
    uint32_t wanted = pool->line == NULL ? 1 : 1 + ahead_of(pool, me, false);
    if (has_places(pool, wanted))
        return true;
    uint64_t ticket = atomic_load_explicit(&orders_head(pool->region)->tickets, memory_order_relaxed);
    if (!again && ticket < pool->futile_compact_ticket)
        return false;
    queue_compact(pool->region);
    if (has_places(pool, wanted))
        return true;
    pool->futile_compact_ticket = ticket + pool->region->g.queue_tasks / 4 + 1;
    return false;
}

static uint64_t take_input(struct pool *pool, const struct in_line *me, size_t bytes) {
    if (pool->line != NULL && ahead_of(pool, me, true) != 0)
        return HEAP_NONE;
    uint64_t offset = heap_take(&pool->inputs, bytes);
    if (offset != HEAP_NONE)
        return offset;
    ledger_sweep(pool); /* inputs of tasks that ended are not needed any more */
    return heap_take(&pool->inputs, bytes);
}

/* The last look before the sleep: it comes after the wish is visible, since a task that left the queue or ended just before
 * rang nobody. So it is a whole look, also where the one before was in vain. */
static bool there_is_room(struct pool *pool, const struct in_line *me, size_t input_bytes) {
    if (input_bytes == 0)
        return make_room(pool, me, true);
    uint64_t offset = take_input(pool, me, input_bytes);
    if (offset == HEAP_NONE)
        return false;
    heap_give(&pool->inputs, offset);
    return true;
}

/* input_bytes: what there is no room for; 0: it is the queue that is full. */
static int wait_for_room(struct pool *pool, struct in_line *me, size_t input_bytes, bool *slept) {
    bool for_input = input_bytes != 0;
    me->for_input = for_input;
    if (!me->has_joined)
        join_line(pool, me);
    struct orders_head *orders = orders_head(pool->region);
    struct claims_head *claims = claims_head(pool->region);
    uint32_t *sleepers = for_input ? &pool->input_sleepers : &pool->room_sleepers;
    uint32_t bit = for_input ? ROOM_FOR_INPUT : ROOM_IN_QUEUE;
    uint32_t bell = atomic_load(&claims->room_bell);
    ++*sleepers;
    /* ORD(room:wish) pairs ORD(room:wanted): a full barrier before the last look for room, ORD(queue:room),
     * ORD(harvest). */
    atomic_fetch_or(&orders->room_wanted, bit);
    int outcome = 0;
    if (!there_is_room(pool, me, input_bytes) && !breaker_is_open(pool->region)) {
        struct waiting on = {.word = &claims->room_bell, .value = bell, .deadline_ns = NEVER};
        outcome = watch_sleep(pool, &on);
        *slept = true;
    }
    if (--*sleepers == 0)
        atomic_fetch_and(&orders->room_wanted, ~bit);
    if (outcome == -EINTR)
        return why(-EINTR, "mortal_pool_submit: a signal handler ran while it waited for room; the task was not "
                           "submitted");
    if (outcome == -ESHUTDOWN)
        return why(-ESHUTDOWN, "mortal_pool_submit: the pool is being closed");
    return 0;
}

static int no_room(const char *of_what) {
    return why(-EAGAIN, "mortal_pool_try_submit: %s: submit again later, or wait with mortal_pool_submit", of_what);
}

static int find_room(struct pool *pool, struct in_line *me, const struct submission *s, uint64_t *input_offset) {
    bool slept = false;
    *input_offset = INPUT_NONE;
    for (;;) {
        int error = check_open(pool, s);
        if (error != 0)
            return error;
        bool for_input = false;
        if (make_room(pool, me, slept)) {
            if (s->input_bytes <= INLINE_INPUT_BYTES)
                return 0;
            *input_offset = take_input(pool, me, s->input_bytes);
            if (*input_offset != HEAP_NONE)
                return 0;
            *input_offset = INPUT_NONE;
            if (pool->inputs.used_bytes == 0 && ahead_of(pool, me, true) == 0)
                return why(-ENOMEM, "mortal_pool_submit: the system has no memory for an input of %zu bytes", s->input_bytes);
            for_input = true;
        }
        if (!s->may_wait)
            return no_room(for_input ? "inputs_bytes are in use" : "the queue is full");
        error = wait_for_room(pool, me, for_input ? s->input_bytes : 0, &slept);
        if (error != 0)
            return error;
    }
}

static __attribute__((noinline)) int reserve_in_line(struct pool *pool, const struct submission *s,
                                                     uint64_t *input_offset) {
    struct in_line me = {NULL, false, false};
    int error = find_room(pool, &me, s, input_offset);
    if (me.has_joined)
        leave_line(pool, &me, error);
    return error;
}

/* Room in the queue and for the input, or the reason why not. */
static int reserve(struct pool *pool, const struct submission *s, uint64_t *input_offset) {
    *input_offset = INPUT_NONE;
    if (pool->line != NULL || s->input_bytes > INLINE_INPUT_BYTES || !has_places(pool, 1))
        return reserve_in_line(pool, s, input_offset);
    return check_open(pool, s);
}

/* ORD(*) the words about limits are hints between owner and supervisor; the barrier that counts is
 * ORD(submit:asleep). */
static void note_limits(struct pool *pool, struct entry *entry, const struct submission *s, uint64_t expiry) {
    const mortal_task_options *o = s->options;
    struct control_head *control = control_head(pool->region);
    entry->has_limits = false;
    if (s->is_plain)
        return;
    uint64_t deadline = caps_earliest(pool, o);
    bool has_any = deadline != NEVER || o->deadline_ns != 0 || o->soft_deadline_ns != 0 || o->memory_bytes != 0;
    entry->has_limits = has_any || expiry != NEVER;
    if (!entry->has_limits)
        return;
    bool first = atomic_fetch_add(&control->limits_unended, 1) == 0;
    if (o->soft_deadline_ns != 0 && o->soft_deadline_ns < deadline)
        deadline = o->soft_deadline_ns;
    bool lower = deadline < atomic_load(&control->deadline_floor_ns);
    if (first || lower) /* raising it is right only while no other limit is alive */
        atomic_store(&control->deadline_floor_ns, deadline);
    uint64_t floor = atomic_load(&control->expiry_floor_ns);
    bool sooner = caps_note(pool, o);
    while (expiry < floor) {
        if (!atomic_compare_exchange_weak(&control->expiry_floor_ns, &floor, expiry))
            continue;
        sooner = true;
        break;
    }
    if (lower || sooner)
        atomic_store(&control->blind, 1); /* it may be asleep beyond that: ring it once the task is visible */
}

/* What its host and the supervisor need only where it is asked for. */
static bool fill_soft(struct care *care, const mortal_task_options *o) {
    if (o->soft_deadline_ns == 0 && o->soft_signal == 0 && o->shield_ns == 0)
        return false;
    atomic_store_explicit(&care->told, 0, memory_order_relaxed);
    atomic_store_explicit(&care->overdue, 0, memory_order_relaxed);
    atomic_store_explicit(&care->soft_deadline_ns, o->soft_deadline_ns, memory_order_relaxed);
    atomic_store_explicit(&care->shield_ns, o->shield_ns, memory_order_relaxed);
    care->soft_signal = o->soft_signal;
    return true;
}

static void fill_order(struct pool *pool, uint32_t slot, const struct submission *s, uint64_t input_offset,
                       uint64_t expiry) {
    struct order *order = order_of(pool->region, slot);
    struct care *care = care_of(pool->region, slot);
    const mortal_task_options *o = s->options;
    bool is_tiny = s->input_bytes <= sizeof order->input_offset;
    uint32_t flags = (pool->region->g.measure != 0 ? ORDER_STAMPED : 0) |
                     (input_offset != INPUT_NONE ? 0 : is_tiny ? ORDER_TINY : ORDER_INLINE);
    if (!s->is_plain)
        flags |= (o->deadline_ns != 0 || o->soft_deadline_ns != 0 ? ORDER_STAMPED : 0) |
                 (fill_soft(care, o) ? ORDER_SOFT : 0) | (expiry != NEVER ? ORDER_EXPIRES : 0) |
                 caps_fill(pool, slot, o) | (pool->entries[slot].name != NULL ? ORDER_NAMED : 0) |
                 (o->deadline_ns != 0 && s->function == pool->heritage.map_run ? ORDER_RESTAMPED : 0) |
                 (o->priority > 0 ? ORDER_HIGH : o->priority < 0 ? ORDER_LOW : 0);
    atomic_store_explicit(&order->ticket, pool->entries[slot].ticket, memory_order_relaxed);
    order->function = s->code;
    order->input_offset = input_offset == INPUT_NONE ? 0 : input_offset;
    atomic_store_explicit(&order->deadline_ns, o->deadline_ns, memory_order_relaxed);
    atomic_store_explicit(&order->expires_at_ns, expiry, memory_order_relaxed);
    order->input_bytes = (uint32_t)s->input_bytes;
    if (s->is_unheard || s->function == pool->heritage.map_run)
        flags |= ORDER_UNHEARD;
    atomic_store_explicit(&order->flags, flags, memory_order_relaxed);
    atomic_store_explicit(&order->watched, 0, memory_order_relaxed);
    atomic_store_explicit(&order->group, s->group != NULL ? s->group->number + 1 : 0, memory_order_relaxed);
    order->attempts = o->attempts > 1 ? o->attempts : 1;
    if (pool->entries[slot].name != NULL)
        strncpy(name_of(pool->region, slot), pool->entries[slot].name, NAME_BYTES);
    if (s->input_bytes == sizeof order->input_offset) /* a pointer or a number, the usual case */
        memcpy(&order->input_offset, s->input, sizeof order->input_offset);
    else if (s->input != NULL && s->input_bytes != 0)
        memcpy(is_tiny                        ? (uint8_t *)&order->input_offset
               : input_offset == INPUT_NONE ? order->input
                                            : inputs_of(pool->region) + input_offset,
               s->input, s->input_bytes);
    atomic_store_explicit(&care->charged, CARE_UNCHARGED, memory_order_relaxed);
    atomic_store_explicit(&care->returned, CARE_UNCHARGED, memory_order_relaxed);
    atomic_store_explicit(&care->asked, 0, memory_order_relaxed);
    atomic_store_explicit(&care->killers, 0, memory_order_relaxed);
}

static void enter_ledger(struct pool *pool, uint32_t slot, const struct submission *s, uint64_t input_offset,
                         uint64_t now, char *name) {
    struct entry *entry = &pool->entries[slot];
    _Atomic uint64_t *tickets = &orders_head(pool->region)->tickets; /* changed under the lock only */
    entry->ticket = atomic_load_explicit(tickets, memory_order_relaxed);
    atomic_store_explicit(tickets, entry->ticket + 1, memory_order_relaxed);
    entry->tag = s->tag;
    entry->name = name;
    entry->has_extras = name != NULL;
    entry->input_offset = input_offset;
    entry->submitted_ns = now;
    entry->group = NULL;
    entry->state = ENTRY_LIVE;
    entry->released = entry->is_ready = false;
    entry->copy = NULL;
    if (s->group != NULL)
        group_add(pool, s->group, slot);
    pool->held++;
    pool->submitted++;
}

static void wake_whoever(struct pool *pool, const struct entry *entry) {
    struct control_head *control = control_head(pool->region);
    usual_wake(pool);
    if (!entry->has_limits)
        return;
    /* ORD(submit:blind) pairs ORD(deadline:blind): the supervisor makes no barrier here for these, it says this often. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&control->blind) != 0 && atomic_exchange(&control->blind, 0) != 0)
        watch_ring_supervisor(pool);
}

static int find_group(struct pool *pool, struct submission *s) {
    int error = s->options->group == NULL ? 0 : group_of_pool(pool, s->options->group, &s->group);
    s->is_of_open_map = error == 0 && s->group != NULL && s->group->feed != NULL;
    return error;
}

/* What was taken for a task that cannot be submitted after all. */
static int give_back(struct pool *pool, uint64_t input_offset, char *name, int error) {
    if (input_offset != INPUT_NONE)
        heap_give(&pool->inputs, input_offset);
    free(name);
    ring_line(pool);
    return error;
}

/* The slot, and what the task's options ask to be kept for it. name: taken over, or freed on failure. */
static inline int take_slot(struct pool *pool, const struct submission *s, char **name, uint32_t *slot) {
    int error = 0;
    enum lane lane = lane_for(s->options->priority);
    /* ORD(*) moved by the owner alone. */
    uint64_t place = atomic_load_explicit(lane_tail(pool->region, lane), memory_order_relaxed);
    if (place >= pool->places_made[lane] && (error = ledger_make_places(pool, lane)) != 0)
        return error;
    if (s->options->name != NULL && (*name = strndup(s->options->name, NAME_BYTES - 1)) == NULL)
        return why(-ENOMEM, "mortal_pool_submit: no memory for the task's name");
    *slot = ledger_take(pool, &error);
    if (*slot == NO_SLOT)
        return error;
    ledger_renew(pool, *slot);
    if (*name != NULL && ledger_make_names(pool, *slot) != 0)
        error = why(-ENOMEM, "mortal_pool_submit: the system has no memory for the names of more tasks");
    if (error == 0 && s->options->buffer_count != 0)
        error = buffer_hold(pool, &pool->entries[*slot], s->options);
    if (error != 0)
        ledger_untake(pool, *slot);
    return error;
}

/* An input that lies in a file: that may have been cut off, and is copied where a missing page is an error and no signal. */
static int copy_from_file(struct pool *pool, uint32_t slot, struct submission *s, uint64_t input_offset) {
    const struct region *r = pool->region;
    uint64_t to = input_offset == INPUT_NONE
                      ? r->g.order_slots + slot * sizeof(struct order) + offsetof(struct order, input)
                      : r->g.order_inputs + input_offset;
    if ((uintptr_t)s->input - (uintptr_t)r->windows[WINDOW_FILES].base >= r->windows[WINDOW_FILES].bytes)
        return 0;
    if (memory_copy_in(r->orders_fd, to, s->input, s->input_bytes)) {
        bool is_tiny = s->input_bytes <= sizeof(uint64_t); /* which goes on from there to its own place: fill_order() */
        s->input = is_tiny ? order_of(r, slot)->input : NULL; /* done */
        return 0;
    }
    buffer_let_go(pool, &pool->entries[slot]);
    ledger_untake(pool, slot);
    return why(-EFAULT, "mortal_pool_submit: the input lies in a wrapped file, and is not there (any more)");
}

static int submit_locked(struct pool *pool, struct submission *s, mortal_future *future) {
    uint64_t input_offset = INPUT_NONE;
    char *name = NULL;
    uint32_t slot = NO_SLOT;
    int error = check(pool, s);
    if (error == 0)
        error = locate(pool, s);
    if (error == 0)
        error = find_group(pool, s);
    if (error == 0)
        error = reserve(pool, s, &input_offset);
    if (error == 0)
        error = find_group(pool, s);
    if (error == 0)
        error = take_slot(pool, s, &name, &slot);
    if (error == 0 && pool->placed_count[WINDOW_FILES] != 0 && s->input_bytes != 0)
        error = copy_from_file(pool, slot, s, input_offset);
    if (error != 0)
        return give_back(pool, input_offset, name, error);
    bool needs_now = s->options->within_ns != 0 || pool->region->g.measure != 0;
    uint64_t now = needs_now ? clock_ns() : 0;
    uint64_t within = s->options->within_ns;
    uint64_t expiry = within == 0 || within >= NEVER - now ? NEVER : now + within;
    struct entry *entry = &pool->entries[slot];
    enter_ledger(pool, slot, s, input_offset, now, name);
    note_limits(pool, entry, s, expiry);
    s->is_unheard = future == NULL && s->group == NULL;
    fill_order(pool, slot, s, input_offset, expiry);
    enum lane lane = queue_place(pool->region, slot);
    /* ORD(submit) pairs ORD(claim:look): the order is complete before. The tail of the queue does not do it: a slot
     * that is used again may be named by an entry of an earlier task. */
    atomic_store_explicit(claim_of(pool->region, slot), word_make((uint32_t)entry->life, SLOT_PENDING, 0, 0),
                          memory_order_release);
    queue_enter(pool->region, lane, slot, (uint32_t)entry->life);
    pool->aside += lane != LANE_NORMAL;
    if (future != NULL)
        *future = seat_future(pool, slot);
    wake_whoever(pool, entry);
    if (s->is_unheard)
        ledger_release(pool, slot);
    return 0;
}

/* The pool's options, or those merged with what the call says. */
static int choose_options(struct pool *pool, struct submission *s, const mortal_task_options *options,
                          mortal_task_options *merged) {
    int error = 0;
    s->options = &pool->defaults;
    s->is_plain = options == NULL && pool->defaults_are_plain;
    if (!s->is_plain) {
        error = options_task(pool, options, merged);
        if (error == 0)
            error = caps_check(pool, merged);
        s->options = merged;
        s->is_plain = error == 0 && options_are_plain(merged);
    }
    return error;
}

static int submit(mortal_pool *handle, struct submission *s, const mortal_task_options *options, mortal_future *future) {
    struct pool *pool;
    int error = seat_enter(handle, "mortal_pool_submit", &pool);
    if (error != 0)
        return error;
    mortal_task_options merged;
    error = choose_options(pool, s, options, &merged);
    s->tag = s->options->tag;
    if (error == 0)
        error = submit_locked(pool, s, future);
    s->options = NULL; /* they were this call's own */
    seat_unlock(pool);
    return error;
}

int mortal_pool_submit(mortal_pool *pool, mortal_function *function, const void *input, size_t input_bytes,
                       const mortal_task_options *options, mortal_future *future) {
    if (options == NULL && usual_submit(pool, function, input, input_bytes, future))
        return 0;
    struct submission s = {.function = function, .input = input, .input_bytes = input_bytes, .may_wait = true};
    return submit(pool, &s, options, future);
}

int mortal_pool_try_submit(mortal_pool *pool, mortal_function *function, const void *input, size_t input_bytes,
                           const mortal_task_options *options, mortal_future *future) {
    if (options == NULL && usual_submit(pool, function, input, input_bytes, future))
        return 0;
    struct submission s = {.function = function, .input = input, .input_bytes = input_bytes, .may_wait = false};
    return submit(pool, &s, options, future);
}

int submit_stretch(mortal_pool *handle, const mortal_job *jobs, size_t count, const mortal_task_options *options,
                   mortal_future *futures, size_t *submitted) {
    struct pool *pool;
    struct submission s = {.may_wait = true};
    mortal_task_options merged;
    *submitted = 0;
    int error = seat_enter(handle, "mortal_pool_submit", &pool);
    if (error != 0)
        return error;
    error = choose_options(pool, &s, options, &merged);
    while (error == 0 && *submitted < count) {
        const mortal_job *job = &jobs[*submitted];
        s.function = job->function;
        s.input = job->input;
        s.input_bytes = job->input_bytes;
        s.tag = job->tag != NULL ? job->tag : s.options->tag;
        error = submit_locked(pool, &s, futures != NULL ? &futures[*submitted] : NULL);
        *submitted += error == 0;
    }
    seat_unlock(pool);
    return error;
}
