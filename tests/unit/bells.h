/* What the tests of bells share: who was rung. */
#ifndef BELLS_H
#define BELLS_H

#include "unit.h"

#include "region/bell.h"

/* How often all bells together were rung, and which one was last. */
HELPER uint32_t rings_so_far(const struct region *r)
{
    uint32_t rings = 0;
    for (uint32_t berth = 0; berth < r->g.berths; berth++)
        for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++)
            rings += atomic_load(bell_of(r, berth, worker));
    return rings;
}

/* The call rang nobody, or just this worker and just once. */
#define CHECK_RINGS_NOBODY(r, call)                \
    do {                                           \
        uint32_t rings_before = rings_so_far(r);   \
        call;                                      \
        CHECK_EQ(rings_so_far(r), rings_before);   \
    } while (0)
#define CHECK_RINGS(r, call, berth, worker)                              \
    do {                                                                 \
        uint32_t rings_before = rings_so_far(r);                         \
        uint32_t bell_before = atomic_load(bell_of(r, berth, worker));   \
        call;                                                            \
        CHECK_EQ(rings_so_far(r), rings_before + 1);                     \
        CHECK_EQ(atomic_load(bell_of(r, berth, worker)), bell_before + 1); \
    } while (0)

HELPER uint32_t bits_of(const struct region *r, _Atomic uint64_t *(*word)(const struct region *, uint32_t))
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < r->g.idle_words; i++)
        bits += (uint32_t)__builtin_popcountll(atomic_load(word(r, i)));
    return bits;
}

#endif
