/*
 * A task gone wild may write anything into the queue's cursor. Then claims still end, touch nothing outside the ring and
 * claim nothing twice; and whether it points too far back or ahead, all that waits is found, by whoever looks first.
 * Broken by: a loop from such a head to the tail, an index that is not masked, a length that wraps, a cursor beyond the
 * tail that stays there because it only moves forward.
 */
#include "unit.h"

enum { SLOTS = 64 };

static struct region r;
static struct claimant fresh, stale;
static uint64_t tail;

static void start(uint64_t at)
{
    region_make(&r, limits_of(SLOTS, 2, 2), 1);
    CHECK_EQ(r.g.ring_entries, SLOTS);
    atomic_store(&orders_head(&r)->tail, at);
    atomic_store(&claims_head(&r)->head, at);
    fresh = claimant_of(&r, 0, 0);
    stale = claimant_of(&r, 0, 1);
    CHECK_EQ(claim(&r, &stale), NO_CLAIM); /* it remembers a tail from then on */
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        make_pending(&r, slot, 3);
    for (uint32_t slot = 0; slot < SLOTS / 2; slot++)
        CHECK_EQ(claim(&r, &fresh), slot);
    for (uint32_t slot = 0; slot < SLOTS / 4; slot++) /* a second time round */
        make_pending(&r, slot, 4);
    tail = at + SLOTS + SLOTS / 4;
    CHECK_EQ(atomic_load(&orders_head(&r)->tail), tail);
}

/* The order is gone with the cursor. Nothing else is. */
static void check_all_claimed(struct claimant *who)
{
    uint32_t claimed = 0;
    while (queue_has_work(&r, who))
        claimed += claim(&r, who) != NO_CLAIM;
    CHECK_EQ(claimed, SLOTS / 2 + SLOTS / 4);
    CHECK_EQ(claim(&r, who), NO_CLAIM);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        CHECK_EQ(word_phase(word_now(&r, slot)), SLOT_RUNNING);
    CHECK_EQ(queue_length(&r), 0);
}

/* However far behind: the ring says all there is to say, since nothing older can wait. */
static void check_behind(uint64_t at, uint64_t head, bool by_stale)
{
    start(at);
    atomic_store(&claims_head(&r)->head, head);
    CHECK(queue_length(&r) <= r.g.ring_entries);
    CHECK(queue_has_work(&r, &stale));
    check_all_claimed(by_stale ? &stale : &fresh);
    region_destroy(&r);
}

/* Beyond the tail, as if nothing waited. Who looks first mends it, and there are four ways to look. */
static void check_ahead(uint64_t at, uint64_t head, bool by_stale)
{
    struct claimant *who = by_stale ? &stale : &fresh;
    for (int look = 0; look < 4; look++) {
        start(at);
        atomic_store(&claims_head(&r)->head, head);
        if (look == 0)
            CHECK(queue_has_work(&r, who));
        else if (look == 1)
            CHECK(queue_length(&r) >= SLOTS / 2 + SLOTS / 4 && queue_length(&r) <= r.g.ring_entries);
        else if (look == 2)
            queue_compact(&r);
        check_all_claimed(who);
        CHECK_EQ(atomic_load(&claims_head(&r)->head), tail);
        region_destroy(&r);
    }
}

void test(void)
{
    for (int by_stale = 0; by_stale < 2; by_stale++) {
        check_behind(1000000, 0, by_stale != 0);
        check_behind(1000000, 999999, by_stale != 0);
        check_behind(1000000, 1000000 + SLOTS / 4 - 1, by_stale != 0);
        check_behind(1000000, 77, by_stale != 0);
        check_behind(1ull << 40, UINT32_MAX, by_stale != 0);
        const uint64_t ahead[] = {1, 2, SLOTS, 1000, UINT32_MAX, 1ull << 62};
        for (size_t i = 0; i < COUNT(ahead); i++) {
            check_ahead(0, SLOTS + SLOTS / 4 + ahead[i], by_stale != 0);
            check_ahead(1ull << 33, (1ull << 33) + SLOTS + SLOTS / 4 + ahead[i], by_stale != 0);
        }
        check_ahead(5, UINT64_MAX, by_stale != 0);
        check_ahead(5, UINT64_MAX - 3, by_stale != 0);
    }
}
