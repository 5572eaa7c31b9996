/*
 * Whoever claims gets the oldest task that waits, whatever it looked at before; each task is claimed once; the ring may
 * wrap as often as it likes; and who asks whether there is work is told.
 * Broken by: a position cut to 32 bits, a cursor that runs ahead, a tail that a claimant remembers for too long.
 */
#include "unit.h"

enum { SLOTS = 50, CLAIMANTS = 5 };

static struct region r;
static struct claimant claimants[CLAIMANTS];
static uint32_t waiting[SLOTS], first, count; /* slots in the order of submits */
static uint32_t generations[SLOTS];
static bool is_used[SLOTS];

static void start_at(uint64_t position)
{
    region_make(&r, limits_of(SLOTS, CLAIMANTS, CLAIMANTS), 1);
    atomic_store(&orders_head(&r)->tail, position);
    atomic_store(&claims_head(&r)->head, position);
    for (uint32_t i = 0; i < CLAIMANTS; i++)
        claimants[i] = claimant_of(&r, 0, i);
    memset(is_used, 0, sizeof is_used);
    first = count = 0;
}

static void submit_one(void)
{
    uint32_t slot = below(SLOTS);
    if (is_used[slot])
        return;
    is_used[slot] = true;
    generations[slot] = (generations[slot] + 1) & GENERATION_MASK;
    make_pending(&r, slot, generations[slot]);
    CHECK_EQ(atomic_load(&care_of(&r, slot)->position), atomic_load(&orders_head(&r)->tail) - 1);
    waiting[(first + count++) % SLOTS] = slot;
}

static void claim_one(void)
{
    struct claimant *who = &claimants[below(CLAIMANTS)];
    uint32_t slot = claim(&r, who);
    CHECK_EQ(slot, count == 0 ? NO_CLAIM : waiting[first]);
    if (slot == NO_CLAIM) {
        CHECK(!queue_has_work(&r, who)); /* who finds nothing may go to sleep */
        return;
    }
    CHECK_EQ(word_generation(word_now(&r, slot)), generations[slot]);
    is_used[slot] = false; /* its owner may submit it anew at once */
    first = (first + 1) % SLOTS;
    count--;
}

static void check_from(uint64_t position)
{
    start_at(position);
    for (uint32_t turn = 0; turn < more_if_long(20000); turn++) {
        if (chance(turn / 300 % 2 == 0 ? 60 : 40))
            submit_one();
        else
            claim_one();
        CHECK_EQ(queue_length(&r), count);
        CHECK_EQ(queue_has_room(&r), count < r.g.ring_entries);
        for (uint32_t i = 0; i < CLAIMANTS && count != 0; i++)
            CHECK(queue_has_work(&r, &claimants[i]));
    }
    while (count != 0)
        claim_one();
    claim_one();
    CHECK(atomic_load(&orders_head(&r)->tail) > position + 10ull * r.g.ring_entries);
    region_destroy(&r);
}

void test(void)
{
    check_from(0);
    check_from(UINT32_MAX - 100);
    check_from((1ull << 48) - 3);
}
