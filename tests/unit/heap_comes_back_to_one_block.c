/*
 * However blocks are taken and given back, an empty heap is as it was when it was opened: blocks of falling size, the
 * binary digits of the number of units. And it gives all it has, to the last unit, then says that nothing is left.
 * Broken by: buddies that are not joined, or joined beyond the end of a heap whose size is no power of two.
 */
#include "unit.h"

#include "region/heap.h"

enum { UNITS_MOST = 1 << 12 };

static struct heap heap;
static uint64_t offsets[UNITS_MOST];

/* The largest block that is free; each is taken, so that the next one shows. */
static uint64_t take_largest(uint64_t at_most)
{
    for (uint64_t bytes = at_most; bytes >= HEAP_UNIT; bytes /= 2) {
        uint64_t offset = heap_take(&heap, bytes);
        if (offset != HEAP_NONE) {
            offsets[0] = offset;
            return bytes;
        }
    }
    return 0;
}

static void check_as_new(void)
{
    uint64_t units = heap.units, at = 0, taken[64];
    uint32_t count = 0;
    CHECK_EQ(heap.used_bytes, 0);
    for (uint64_t digit = 1ull << 31; digit != 0; digit /= 2) {
        if ((units & digit) == 0)
            continue;
        CHECK_EQ(take_largest(1ull << 20), digit * HEAP_UNIT);
        CHECK_EQ(offsets[0], at);
        taken[count++] = offsets[0];
        at += digit * HEAP_UNIT;
    }
    CHECK_EQ(take_largest(1ull << 20), 0);
    CHECK_EQ(heap.used_bytes, heap.bytes);
    while (count != 0)
        heap_give(&heap, taken[--count]);
}

static void take_all_units(void)
{
    for (uint32_t i = 0; i < heap.units; i++) {
        offsets[i] = heap_take(&heap, 1 + below(HEAP_UNIT));
        CHECK(offsets[i] != HEAP_NONE);
    }
    CHECK_EQ(heap_take(&heap, 1), HEAP_NONE);
    CHECK_EQ(heap.used_bytes, heap.bytes);
}

static void give_all_units(int order)
{
    uint32_t units = heap.units;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t pick = order == 0 ? i : order == 1 ? units - 1 - i : i + below(units - i);
        uint64_t offset = offsets[pick];
        if (order == 2)
            offsets[pick] = offsets[i];
        heap_give(&heap, offset);
    }
}

static void check_heap(uint64_t bytes)
{
    uint8_t *memory = memory_private(round_up(bytes, PAGE_BYTES));
    CHECK(memory != NULL);
    CHECK_EQ(heap_open(&heap, memory, bytes, -1, 0), 0);
    check_as_new();
    for (int order = 0; order < 3; order++) {
        take_all_units();
        give_all_units(order);
        check_as_new();
    }
    uint64_t largest = heap_largest(&heap);
    CHECK_EQ(heap_take(&heap, 0), HEAP_NONE);
    CHECK_EQ(heap_take(&heap, largest + 1), HEAP_NONE);
    CHECK_EQ(heap_take(&heap, heap.bytes + 1), HEAP_NONE);
    CHECK_EQ(heap_take(&heap, UINT64_MAX), HEAP_NONE);
    CHECK_EQ(heap_take(&heap, largest), 0);
    heap_give(&heap, 0);
    check_as_new();
    heap_close(&heap);
    heap_close(&heap); /* and again: nothing is there any more */
    memory_unmap(memory, round_up(bytes, PAGE_BYTES));
}

static void check_largest_of(void)
{
    CHECK_EQ(heap_largest_of(0), 0);
    CHECK_EQ(heap_largest_of(HEAP_UNIT - 1), 0);
    for (uint64_t units = 1; units < 5000; units++) {
        uint64_t power = 1;
        while (power * 2 <= units)
            power *= 2;
        CHECK_EQ(heap_largest_of(units * HEAP_UNIT), power * HEAP_UNIT);
        CHECK_EQ(heap_largest_of(units * HEAP_UNIT + HEAP_UNIT - 1), power * HEAP_UNIT);
    }
    CHECK_EQ(heap_largest_of(64ull << 30), 64ull << 30);
}

void test(void)
{
    check_largest_of();
    for (uint64_t units = 1; units <= 130; units++)
        check_heap(units * HEAP_UNIT);
    const uint64_t sizes[] = {1000 * HEAP_UNIT, 1023 * HEAP_UNIT, 1024 * HEAP_UNIT, 1025 * HEAP_UNIT + 5,
                              UNITS_MOST * HEAP_UNIT};
    for (size_t i = 0; i < COUNT(sizes); i++)
        check_heap(sizes[i]);
}
