/* parts.h - parts whose bytes follow from their number, and what tests of them have in common */
#ifndef PARTS_H
#define PARTS_H

#include "tasks.h"

HELPER size_t part_bytes(uint32_t seed, uint64_t number, size_t most)
{
    uint64_t mixed = (seed + 1) * 0x9e3779b97f4a7c15ull + number * 0xc2b2ae3d27d4eb4full;
    return (mixed >> 33) % (most + 1);
}

HELPER void part_fill(unsigned char *to, size_t bytes, uint32_t seed, uint64_t number)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(seed * 31 + number * 7 + i * 3 + (i >> 8));
}

HELPER void part_check(const mortal_part *part, uint32_t seed, uint64_t number, size_t most)
{
    CHECK_EQ(part->bytes, part_bytes(seed, number, most));
    CHECK((part->data == NULL) == (part->bytes == 0));
    CHECK_EQ((uintptr_t)part->data % 16, 0);
    const unsigned char *bytes = part->data;
    for (size_t i = 0; i < part->bytes; i++)
        if (bytes[i] != (unsigned char)(seed * 31 + number * 7 + i * 3 + (i >> 8)))
            harness_fail(__FILE__, __LINE__, "part %llu of task %u differs at byte %zu", (unsigned long long)number, seed, i);
}

/* 0, or what mortal_task_emit() says. */
HELPER int emit_part(mortal_task *task, uint32_t seed, uint64_t number, size_t most, uint64_t timeout_ns)
{
    static _Thread_local unsigned char bytes[1 << 16];
    size_t count = part_bytes(seed, number, most);
    part_fill(bytes, count, seed, number);
    return mortal_task_emit(task, bytes, count, timeout_ns);
}

HELPER mortal_part part_of(mortal_future future)
{
    mortal_part part;
    memset(&part, 0, sizeof part);
    CHECK_OK(mortal_future_next(future, LIMIT, &part));
    return part;
}

#endif
