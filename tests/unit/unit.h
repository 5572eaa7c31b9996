/*
 * What unit tests share: a region of their own with tasks in it, repeatable randomness, and short forms.
 *
 * They link the static library and call what is inside, so they know one part at a time, and none of them opens a pool.
 */
#ifndef UNIT_H
#define UNIT_H

#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "region/layout.h"
#include "region/queue.h"
#include "system/memory.h"

#define HELPER   static __attribute__((unused))
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- randomness: the same in every run, more of it in long ones ---- */

HELPER uint64_t dice_state = 0x9e3779b97f4a7c15ull;

/* xorshift64*; Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" */
HELPER uint64_t dice(void)
{
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return dice_state * 2685821657736338717ull;
}

HELPER uint32_t below(uint32_t limit)
{
    return (uint32_t)((dice() >> 32) % limit);
}

HELPER bool chance(uint32_t percent)
{
    return below(100) < percent;
}

HELPER uint32_t more_if_long(uint32_t count)
{
    return TEST_LONG ? count * 20 : count;
}

/* ---- a region ---- */

HELPER struct limits limits_of(uint32_t slots, uint32_t workers, uint32_t workers_per_host)
{
    return (struct limits){.held_tasks = slots, .queue_tasks = slots, .workers = workers,
                           .workers_per_host = workers_per_host, .standby = 1, .inputs_bytes = 1 << 16,
                           .results_bytes = 1 << 16};
}

/* As the owner makes it, all slots there; and the first few arenas writable, as their hosts would have them. */
HELPER void region_make(struct region *r, struct limits limits, uint32_t writable_lives)
{
    CHECK_EQ(region_create(r, &limits), 0);
    CHECK_EQ(region_commit_slots(r, 0, r->g.slots), 0);
    for (uint32_t life = 0; life < writable_lives; life++) {
        uint64_t offset = (uint64_t)life * r->g.arena_bytes;
        CHECK(memory_map(r->answers_fd, offset, r->g.arena_bytes, true, arena_of(r, life)) != NULL);
    }
}

HELPER uint64_t word_now(const struct region *r, uint32_t slot)
{
    return atomic_load(claim_of(r, slot));
}

HELPER void word_put(struct region *r, uint32_t slot, uint64_t value)
{
    atomic_store(claim_of(r, slot), value);
}

/* The last steps of a submit: a pending word, an entry in the queue. */
HELPER void make_pending(struct region *r, uint32_t slot, uint32_t generation)
{
    word_put(r, slot, word_make(generation, SLOT_PENDING, 0, 0));
    queue_push(r, slot, generation);
}

HELPER void make_pending_in(struct region *r, enum lane lane, uint32_t slot, uint32_t generation)
{
    static const uint32_t flags[LANES] = {[LANE_HIGH] = ORDER_HIGH, [LANE_LOW] = ORDER_LOW};
    atomic_store(&order_of(r, slot)->flags, flags[lane]);
    make_pending(r, slot, generation);
}

HELPER struct claimant claimant_of(struct region *r, uint32_t life, uint32_t worker)
{
    return (struct claimant){.life = life, .worker = worker, .desk = desk_of(r, life, worker)};
}

/* The slot that a claimant got, after a look at what the claim left behind; or NO_CLAIM. */
#define NO_CLAIM UINT32_MAX
HELPER uint32_t claim(struct region *r, struct claimant *who)
{
    uint32_t slot = NO_CLAIM;
    uint64_t word = 0;
    if (!queue_claim(r, who, &slot, &word))
        return NO_CLAIM;
    CHECK(slot < r->g.slots);
    CHECK_EQ(word, word_now(r, slot));
    CHECK_EQ(word_phase(word), SLOT_RUNNING);
    CHECK_EQ(word_life(word), who->life);
    CHECK_EQ(word_worker(word), who->worker);
    CHECK_EQ(atomic_load(&who->desk->intent), slot + 1);
    return slot;
}

#endif
