/*
 * Random takes, growths and gives against a model: every block is aligned, lies inside, overlaps no other, keeps its bytes, and
 * has room for what was asked. In heaps of all kinds of sizes.
 * Broken by: a wrong buddy, a block that is split but not marked, a page that was not made to exist.
 */
#include "unit.h"

#include <unistd.h>

#include "region/heap.h"

enum { LIVE_MOST = 400 };

struct block {
    uint64_t offset, bytes;
    uint8_t mark;
};

struct model {
    struct heap heap;
    uint8_t *memory;
    struct block live[LIVE_MOST];
    uint32_t count;
    uint64_t used, top;
};

static void check_apart(const struct model *m, uint64_t offset, uint64_t bytes)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct block *other = &m->live[i];
        CHECK(offset + bytes <= other->offset || other->offset + other->bytes <= offset);
    }
}

static void take(struct model *m, uint64_t bytes)
{
    uint64_t offset = heap_take(&m->heap, bytes);
    if (offset == HEAP_NONE) {
        CHECK(bytes > 0); /* full, or too many pieces: a buddy allocator may say so early, but never to an empty heap */
        CHECK(m->count != 0 || bytes > heap_largest(&m->heap));
        return;
    }
    CHECK_EQ(offset % HEAP_UNIT, 0);
    uint64_t room = heap_room(&m->heap, offset);
    CHECK(room >= bytes && room < 2 * bytes + HEAP_UNIT);
    CHECK(offset + room <= m->heap.bytes);
    check_apart(m, offset, room);
    struct block *block = &m->live[m->count++];
    *block = (struct block){.offset = offset, .bytes = bytes, .mark = (uint8_t)dice()};
    memset(m->memory + offset, block->mark, bytes);
    m->used += room;
    if (offset + bytes > m->top)
        m->top = offset + bytes;
}

static void give(struct model *m, uint32_t index)
{
    struct block *block = &m->live[index];
    for (uint64_t i = 0; i < block->bytes; i++)
        if (m->memory[block->offset + i] != block->mark)
            CHECK_EQ(m->memory[block->offset + i], block->mark);
    m->used -= heap_room(&m->heap, block->offset);
    heap_give(&m->heap, block->offset);
    *block = m->live[--m->count];
}

/* Where it is, or not at all. */
static void grow(struct model *m, uint32_t index)
{
    struct block *block = &m->live[index], grown = *block;
    uint64_t before = heap_room(&m->heap, block->offset);
    grown.bytes += chance(50) ? below(300) : below((uint32_t)m->heap.bytes);
    if (!heap_grow(&m->heap, block->offset, grown.bytes)) {
        CHECK(grown.bytes > before);
        CHECK_EQ(heap_room(&m->heap, block->offset), before);
        return;
    }
    uint64_t room = heap_room(&m->heap, block->offset);
    CHECK(room >= grown.bytes && room >= before && room < 2 * grown.bytes + before);
    CHECK(block->offset + room <= m->heap.bytes);
    *block = m->live[--m->count];
    check_apart(m, grown.offset, room);
    m->live[m->count++] = grown;
    memset(m->memory + grown.offset, grown.mark, grown.bytes);
    m->used += room - before;
    if (grown.offset + grown.bytes > m->top)
        m->top = grown.offset + grown.bytes;
}

/* Mostly small, sometimes up to all there is. */
static uint64_t some_bytes(uint64_t heap_bytes)
{
    uint64_t most = chance(70) ? 300 : chance(70) ? heap_bytes / 8 : heap_bytes;
    return 1 + below((uint32_t)(most < 1 ? 1 : most));
}

static void run(uint64_t bytes, uint32_t turns)
{
    static struct model model;
    struct model *m = &model;
    memset(m, 0, sizeof *m);
    int fd = memory_segment("heap", round_up(bytes, PAGE_BYTES));
    CHECK(fd >= 0);
    m->memory = memory_map(fd, 0, round_up(bytes, PAGE_BYTES), true, NULL);
    CHECK(m->memory != NULL);
    CHECK_EQ(heap_open(&m->heap, m->memory, bytes, fd, 0), 0);
    CHECK_EQ(m->heap.bytes, bytes / HEAP_UNIT * HEAP_UNIT);
    for (uint32_t turn = 0; turn < turns; turn++) {
        /* Waves: mostly taking, then mostly giving. */
        bool taking = chance(turn / 500 % 2 == 0 ? 65 : 35);
        if (taking && m->count < LIVE_MOST)
            take(m, some_bytes(m->heap.bytes));
        else if (m->count != 0)
            give(m, below(m->count));
        if (m->count != 0 && chance(20))
            grow(m, below(m->count));
        CHECK_EQ(m->heap.used_bytes, m->used);
        CHECK_EQ(m->heap.top, m->top);
    }
    while (m->count != 0)
        give(m, below(m->count));
    CHECK_EQ(m->heap.used_bytes, 0);
    heap_close(&m->heap);
    memory_unmap(m->memory, round_up(bytes, PAGE_BYTES));
    close(fd);
}

void test(void)
{
    const uint64_t sizes[] = {64, 65, 128, 3 * 64, 4096, 4096 + 64, 5 * 4096 + 17 * 64 + 3, 65536, 1 << 20,
                              (1 << 20) - 64, 3 << 18, 999999};
    for (size_t i = 0; i < COUNT(sizes); i++)
        run(sizes[i], more_if_long(3000));
}
