#include "region/heap.h"

#include <errno.h>
#include <string.h>

#include "system/memory.h"

#define FREE_BLOCK 0x80u
#define NO_UNIT UINT32_MAX

static uint32_t order_for(uint64_t bytes) {
    uint64_t units = (bytes + HEAP_UNIT - 1) / HEAP_UNIT;
    uint32_t order = 0;
    while ((1ull << order) < units)
        order++;
    return order;
}

static void link_free(struct heap *h, uint32_t unit, uint32_t order) {
    h->state[unit] = (uint8_t)(FREE_BLOCK | order);
    h->previous[unit] = NO_UNIT;
    h->next[unit] = h->first[order];
    if (h->first[order] != NO_UNIT)
        h->previous[h->first[order]] = unit;
    h->first[order] = unit;
}

static void unlink_free(struct heap *h, uint32_t unit, uint32_t order) {
    if (h->previous[unit] != NO_UNIT)
        h->next[h->previous[unit]] = h->next[unit];
    else
        h->first[order] = h->next[unit];
    if (h->next[unit] != NO_UNIT)
        h->previous[h->next[unit]] = h->previous[unit];
    h->state[unit] = 0;
}

int heap_open(struct heap *h, uint8_t *base, uint64_t bytes, int fd, uint64_t fd_offset) {
    memset(h, 0, sizeof *h);
    h->base = base;
    h->fd = fd;
    h->fd_offset = fd_offset;
    h->bytes = bytes / HEAP_UNIT * HEAP_UNIT;
    h->units = (uint32_t)(h->bytes / HEAP_UNIT);
    uint64_t pages = bytes / PAGE_BYTES + 1;
    uint64_t bitmap = (pages + 63) / 64 * 8;
    h->bookkeeping_bytes = round_up(bitmap + (uint64_t)h->units * 9 + 16, PAGE_BYTES);
    uint8_t *books = memory_private(h->bookkeeping_bytes);
    if (books == NULL)
        return -ENOMEM;
    h->committed = (uint64_t *)(void *)books;
    h->next = (uint32_t *)(void *)(books + bitmap);
    h->previous = h->next + h->units;
    h->state = (uint8_t *)(h->previous + h->units);
    for (int i = 0; i < HEAP_ORDERS; i++)
        h->first[i] = NO_UNIT;
    /* Blocks of falling size, each at a multiple of its size: the binary digits of the number of units. */
    for (uint32_t unit = 0; unit < h->units;) {
        uint32_t order = 31u - (uint32_t)__builtin_clz(h->units - unit);
        link_free(h, unit, order);
        unit += 1u << order;
    }
    return 0;
}

void heap_close(struct heap *h) {
    if (h->committed != NULL)
        memory_unmap(h->committed, h->bookkeeping_bytes);
    memset(h, 0, sizeof *h);
}

/* Pages that were made to exist once stay; a block's pages are committed before it is given out, unless that is lazy. */
bool heap_make_exist(struct heap *h, uint64_t offset, uint64_t bytes) {
    uint64_t page = offset / PAGE_BYTES, last = (offset + bytes - 1) / PAGE_BYTES;
    while (page <= last) {
        if ((h->committed[page / 64] >> page % 64 & 1) != 0) {
            page++;
            continue;
        }
        uint64_t run = 1;
        while (page + run <= last && (h->committed[(page + run) / 64] >> (page + run) % 64 & 1) == 0)
            run++;
        uint64_t at = page * PAGE_BYTES;
        uint64_t length = run * PAGE_BYTES;
        if (at + length > h->bytes)
            length = h->bytes - at;
        if (memory_commit(h->base + at, length, h->fd, h->fd_offset + at) != 0)
            return false;
        for (uint64_t i = 0; i < run; i++)
            h->committed[(page + i) / 64] |= 1ull << (page + i) % 64;
        page += run;
    }
    return true;
}

uint64_t heap_take(struct heap *h, uint64_t bytes) {
    if (bytes == 0 || bytes > h->bytes)
        return HEAP_NONE;
    uint32_t order = order_for(bytes), from = order;
    while (from < HEAP_ORDERS && h->first[from] == NO_UNIT)
        from++;
    if (from >= HEAP_ORDERS)
        return HEAP_NONE;
    uint32_t unit = h->first[from];
    unlink_free(h, unit, from);
    while (from > order) {
        from--;
        link_free(h, unit + (1u << from), from);
    }
    h->state[unit] = (uint8_t)order;
    uint64_t offset = (uint64_t)unit * HEAP_UNIT;
    h->used_bytes += (uint64_t)HEAP_UNIT << order;
    if (!h->is_lazy && !heap_make_exist(h, offset, bytes)) {
        heap_give(h, offset);
        return HEAP_NONE;
    }
    if (offset + bytes > h->top)
        h->top = offset + bytes;
    return offset;
}

void heap_give(struct heap *h, uint64_t offset) {
    uint32_t unit = (uint32_t)(offset / HEAP_UNIT);
    uint32_t order = h->state[unit];
    h->used_bytes -= (uint64_t)HEAP_UNIT << order;
    for (;;) {
        uint32_t buddy = unit ^ (1u << order);
        if (order + 1 >= HEAP_ORDERS || buddy >= h->units || h->state[buddy] != (FREE_BLOCK | order))
            break;
        if ((unit < buddy ? unit : buddy) + (2ull << order) > h->units)
            break;
        unlink_free(h, buddy, order);
        h->state[unit] = 0;
        unit = unit < buddy ? unit : buddy;
        order++;
    }
    link_free(h, unit, order);
}

/* By the free buddies behind it. Where one is taken it is as it was. */
bool heap_grow(struct heap *h, uint64_t offset, uint64_t bytes) {
    uint32_t unit = (uint32_t)(offset / HEAP_UNIT), before = h->state[unit], order = before;
    if (bytes > h->bytes - offset)
        return false;
    uint32_t wanted = order_for(bytes);
    for (; order < wanted; order++) {
        uint32_t buddy = unit + (1u << order);
        if ((unit >> order & 1) != 0 || buddy >= h->units || h->state[buddy] != (FREE_BLOCK | order))
            return false;
    }
    for (order = before; order < wanted; order++) {
        unlink_free(h, unit + (1u << order), order);
        h->used_bytes += (uint64_t)HEAP_UNIT << order;
    }
    if (wanted > before)
        h->state[unit] = (uint8_t)wanted;
    if (offset + bytes > h->top)
        h->top = offset + bytes;
    return true;
}

uint64_t heap_room(const struct heap *h, uint64_t offset) {
    return (uint64_t)HEAP_UNIT << h->state[offset / HEAP_UNIT];
}

uint64_t heap_largest_of(uint64_t bytes) {
    uint64_t units = bytes / HEAP_UNIT;
    return units == 0 ? 0 : (uint64_t)HEAP_UNIT << (63u - (uint32_t)__builtin_clzll(units));
}

uint64_t heap_largest(const struct heap *h) { return heap_largest_of(h->bytes); }
