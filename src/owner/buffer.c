/*
 * buffer.c - ranges of the windows, given out and taken back
 *
 * All that decides is private to the owner. Hosts learn where a buffer is from a record in the orders, which they cannot
 * write; the memory itself they have had since before it was given out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owner/buffer.h"
#include "owner/seat.h"
#include "system/huge.h"
#include "system/memory.h"
#include "system/why.h"

static bool make_tables(struct pool *pool) {
    if (pool->buffers != NULL)
        return true;
    struct buffer *buffers = calloc(BUFFERS_MAX, sizeof *buffers);
    uint16_t *placed = calloc((size_t)WINDOW_KINDS * BUFFERS_MAX, sizeof *placed);
    const struct geometry *g = &pool->region->g;
    bool made = buffers != NULL && placed != NULL &&
                memory_commit(buffer_of(pool->region, 0), BUFFERS_MAX * sizeof(struct buffer_record),
                              pool->region->orders_fd, g->order_buffers) == 0;
    if (!made) {
        free(buffers);
        free(placed);
        return false;
    }
    pool->buffers = buffers;
    for (uint32_t kind = 0; kind < WINDOW_KINDS; kind++)
        pool->placed[kind] = placed + (size_t)kind * BUFFERS_MAX;
    return true;
}

static uint32_t free_number(const struct pool *pool) {
    for (uint32_t i = 0; i < pool->buffers_used; i++)
        if (pool->buffers[i].holders == 0)
            return i;
    return pool->buffers_used;
}

/* The first gap that is large enough. at: how many buffers lie before it. */
static bool find_gap(const struct pool *pool, enum window_kind kind, uint64_t room, uint64_t *offset, uint32_t *at) {
    uint64_t unit = room >= HUGE_BYTES ? HUGE_BYTES : PAGE_BYTES, from = 0;
    for (uint32_t i = 0; i <= pool->placed_count[kind]; i++) {
        const struct buffer *next =
            i < pool->placed_count[kind] ? &pool->buffers[pool->placed[kind][i]] : NULL;
        uint64_t until = next != NULL ? next->offset : pool->region->windows[kind].bytes;
        if (from < until && until - from >= room) {
            *offset = from;
            *at = i;
            return true;
        }
        if (next != NULL)
            from = round_up(next->offset + next->room, unit);
    }
    return false;
}

static void place(struct pool *pool, enum window_kind kind, uint32_t number, uint32_t at) {
    uint16_t *placed = pool->placed[kind];
    memmove(&placed[at + 1], &placed[at], (pool->placed_count[kind]++ - at) * sizeof *placed);
    placed[at] = (uint16_t)number;
}

static void unplace(struct pool *pool, enum window_kind kind, uint32_t number) {
    uint16_t *placed = pool->placed[kind];
    uint32_t at = 0;
    while (placed[at] != number)
        at++;
    memmove(&placed[at], &placed[at + 1], (--pool->placed_count[kind] - at) * sizeof *placed);
}

/* Where huge pages come only to mappings that asked for them, the pages of a segment that is reserved by its descriptor
 * would be small ones, and stay so. */
static int make_exist(const struct window *window, const struct range *range) {
    if (range->room >= HUGE_BYTES && huge_rule() == HUGE_ON_TOUCH)
        return memory_commit(window->base + range->offset, range->room, window->fd, range->offset);
    return memory_reserve(window->fd, range->offset, range->room);
}

/* Better an error here than the system's out-of-memory killer on the way. */
static int reserve(const struct pool *pool, const char *call, const struct range *range) {
    uint64_t available = memory_available();
    const struct window *window = &pool->region->windows[range->kind];
    int error = range->room > available ? -ENOMEM : make_exist(window, range);
    if (error == 0)
        return 0;
    memory_punch(window->fd, range->offset, range->room);
    return why(-ENOMEM, "%s: the system has no memory for %llu bytes (%llu are available): ask for less, or for "
                        "MORTAL_BUFFER_LAZY", call, (unsigned long long)range->bytes, (unsigned long long)available);
}

int buffer_range(struct pool *pool, const char *call, struct range *range) {
    uint64_t window_bytes = pool->region->windows[range->kind].bytes;
    if (!make_tables(pool))
        return why(-ENOMEM, "%s: no memory", call);
    range->number = free_number(pool);
    if (range->number == BUFFERS_MAX)
        return why(-ENOBUFS, "%s: %u buffers are open, or held by tasks: close some", call, BUFFERS_MAX);
    range->room = range->bytes > window_bytes ? UINT64_MAX : round_up(range->lead + range->bytes, PAGE_BYTES);
    if (range->room > window_bytes || !find_gap(pool, range->kind, range->room, &range->offset, &range->at))
        return why(-ENOBUFS, "%s: no %llu bytes in a row are left of the %llu for such buffers: close some, or raise "
                             "buffers_bytes", call, (unsigned long long)range->bytes, (unsigned long long)window_bytes);
    return 0;
}

void buffer_settle(struct pool *pool, const struct range *range, mortal_buffer *out) {
    struct buffer *buffer = &pool->buffers[range->number];
    *buffer = (struct buffer){.life = buffer->life + 1, .offset = range->offset, .bytes = range->bytes, .room = range->room,
                              .holders = 1, .window = (uint8_t)range->kind, .lead = range->lead,
                              .is_lazy = range->is_lazy};
    if (range->number == pool->buffers_used)
        pool->buffers_used++;
    pool->buffers_held++;
    place(pool, range->kind, range->number, range->at);
    *out = seat_buffer(pool, range->number);
    struct buffer_record *record = buffer_of(pool->region, range->number);
    record->offset = range->offset + range->lead;
    record->bytes = range->bytes;
    record->window = (uint32_t)range->kind;
    record->is_writable = range->is_writable;
    record->file_offset = range->file_offset;
    /* ORD(buffer:told) pairs ORD(buffer:found): who sees its life sees where it is. */
    atomic_store_explicit(&record->life, out->life, memory_order_release);
}

int buffer_open_locked(struct pool *pool, const char *call, size_t bytes, int flags, mortal_buffer *out) {
    struct range range = {.kind = (flags & MORTAL_BUFFER_GIVEN) != 0 ? WINDOW_GIVEN : WINDOW_SHARED, .bytes = bytes,
                          .is_lazy = (flags & MORTAL_BUFFER_LAZY) != 0};
    int error = buffer_range(pool, call, &range);
    if (error == 0 && !range.is_lazy)
        error = reserve(pool, call, &range);
    if (error == 0)
        buffer_settle(pool, &range, out);
    return error;
}

int mortal_buffer_open(mortal_buffer *out, mortal_pool *handle, size_t bytes, int flags) {
    struct pool *pool;
    if (out == NULL || bytes == 0)
        return why(-EINVAL, "mortal_buffer_open: %s", out == NULL ? "out is null" : "bytes is 0");
    if ((flags & ~(MORTAL_BUFFER_GIVEN | MORTAL_BUFFER_LAZY)) != 0)
        return why(-EINVAL, "mortal_buffer_open: flags is 0x%x: this version knows MORTAL_BUFFER_GIVEN and _LAZY only",
                   (unsigned)flags);
    int error = seat_enter(handle, "mortal_buffer_open", &pool);
    if (error != 0)
        return error;
    error = buffer_open_locked(pool, "mortal_buffer_open", bytes, flags, out);
    seat_unlock(pool);
    return error;
}

int mortal_buffer_view(mortal_buffer handle, void **address, size_t *bytes) {
    struct pool *pool;
    uint32_t number;
    int error = seat_enter_buffer(handle, "mortal_buffer_view", &pool, &number);
    if (error != 0)
        return error;
    const struct buffer *buffer = &pool->buffers[number];
    if (address != NULL)
        *address = pool->region->windows[buffer->window].base + buffer->offset + buffer->lead;
    if (bytes != NULL)
        *bytes = buffer->bytes;
    seat_unlock(pool);
    return 0;
}

void buffer_drop(struct pool *pool, uint32_t number) {
    struct buffer *buffer = &pool->buffers[number];
    if (--buffer->holders != 0)
        return;
    /* ORD(*) no task has it any more that may rely on it. */
    atomic_store(&buffer_of(pool->region, number)->life, 0);
    if (buffer->window == WINDOW_FILES)
        file_let_go(pool, buffer);
    else
        memory_punch(pool->region->windows[buffer->window].fd, buffer->offset, buffer->room);
    unplace(pool, (enum window_kind)buffer->window, number);
    pool->buffers_held--;
}

int mortal_buffer_close(mortal_buffer handle) {
    struct pool *pool;
    uint32_t number;
    int error = seat_enter_buffer(handle, "mortal_buffer_close", &pool, &number);
    if (error != 0)
        return error;
    pool->buffers[number].is_closed = true;
    buffer_drop(pool, number);
    seat_unlock(pool);
    return 0;
}

int buffer_hold(struct pool *pool, struct entry *entry, const mortal_task_options *options) {
    entry->buffer_count = 0;
    for (uint32_t i = 0; i < options->buffer_count; i++) {
        mortal_buffer named = options->buffers[i];
        uint32_t number = (uint32_t)named.place;
        bool is_ours = number < pool->buffers_used && pool->buffers[number].holders != 0 &&
                       !pool->buffers[number].is_closed && memcmp(&named, &(mortal_buffer){0}, sizeof named) != 0;
        mortal_buffer there = is_ours ? seat_buffer(pool, number) : (mortal_buffer){0};
        if (!is_ours || there.place != named.place || there.life != named.life) {
            buffer_let_go(pool, entry);
            return why(-EINVAL, "mortal_pool_submit: buffers[%u] is not an open buffer of this pool", i);
        }
        pool->buffers[number].holders++;
        entry->buffers[entry->buffer_count++] = (uint16_t)number;
    }
    return 0;
}

void buffer_let_go(struct pool *pool, struct entry *entry) {
    while (entry->buffer_count != 0)
        buffer_drop(pool, entry->buffers[--entry->buffer_count]);
}

void buffer_destroy_all(struct pool *pool) {
    free(pool->buffers);
    free(pool->placed[0]);
}

bool buffer_of_file(const struct pool *pool, const void *address, uint64_t bytes, mortal_buffer *out, uint64_t *offset) {
    uintptr_t base = (uintptr_t)pool->region->windows[WINDOW_FILES].base;
    for (uint32_t i = 0; i < pool->placed_count[WINDOW_FILES]; i++) {
        uint32_t number = pool->placed[WINDOW_FILES][i];
        const struct buffer *buffer = &pool->buffers[number];
        uint64_t at = (uintptr_t)address - base - buffer->offset - buffer->lead;
        if (buffer->is_closed || at > buffer->bytes || buffer->bytes - at < bytes)
            continue;
        *out = seat_buffer(pool, number);
        *offset = at;
        return true;
    }
    return false;
}
