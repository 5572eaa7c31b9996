/*
 * What a recovery returned is claimed before anything in the queue, in the order in which it stands in the table; entries
 * that wait no more, duplicates and nonsense are passed over; and a table that changed is looked at again.
 * Broken by: a claimant that remembers a version before it read the entries, a count that is believed.
 */
#include "unit.h"

enum { SLOTS = 100 };

static struct region r;

static void publish(const uint64_t *entries, uint32_t count)
{
    struct control_head *control = control_head(&r);
    for (uint32_t i = 0; i < count; i++)
        atomic_store(&control->returned[i], entries[i]);
    atomic_store(&control->returned_count, count);
    atomic_fetch_add(&control->returned_version, 1);
}

static void wait_again(uint32_t slot)
{
    word_put(&r, slot, word_make(1, SLOT_PENDING, 0, 0));
}

static void check_order(struct claimant *first, struct claimant *second)
{
    for (uint32_t slot = 0; slot < 10; slot++)
        make_pending(&r, slot, 1);
    for (uint32_t slot = 0; slot < 5; slot++)
        CHECK_EQ(claim(&r, first), slot);
    for (uint32_t slot = 1; slot < 4; slot++)
        wait_again(slot);
    const uint64_t entries[] = {
        queue_entry(1, 1),
        queue_entry(0, 1),          /* still runs */
        queue_entry(3, 1),
        queue_entry(3, 1),          /* twice */
        queue_entry(2, 7),          /* another generation */
        queue_entry(SLOTS, 1),      /* no such slot, though there is memory behind the last one */
        queue_entry(UINT32_MAX, 1),
        queue_entry(2, 1),
    };
    word_put(&r, SLOTS, word_make(1, SLOT_PENDING, 0, 0));
    publish(entries, COUNT(entries));
    CHECK(queue_has_work(&r, first) && queue_has_work(&r, second));
    CHECK_EQ(claim(&r, first), 1);
    CHECK_EQ(claim(&r, second), 3);
    CHECK_EQ(claim(&r, first), 2);
    CHECK_EQ(claim(&r, second), 5); /* and on with the queue */
    CHECK_EQ(claim(&r, first), 6);
}

static void check_return_again(struct claimant *first, struct claimant *second)
{
    wait_again(2); /* it is in the table still, but nobody said so: found when the version changes */
    CHECK_EQ(claim(&r, first), 7);
    const uint64_t entries[] = {queue_entry(2, 1)};
    publish(entries, 1);
    CHECK_EQ(claim(&r, first), 2);
    CHECK_EQ(claim(&r, first), 8);
    CHECK(queue_has_work(&r, second)); /* it has not looked at this version */
    CHECK_EQ(claim(&r, second), 9);
    CHECK_EQ(claim(&r, second), NO_CLAIM);
    CHECK(!queue_has_work(&r, second));
    CHECK_EQ(claim(&r, first), NO_CLAIM);
    CHECK(!queue_has_work(&r, first));
}

static void check_overwritten_count(struct claimant *who)
{
    make_pending(&r, 20, 1);
    atomic_store(&control_head(&r)->returned_count, UINT32_MAX);
    atomic_fetch_add(&control_head(&r)->returned_version, 1);
    CHECK_EQ(claim(&r, who), 20);
    CHECK_EQ(claim(&r, who), NO_CLAIM);
}

/* As many as the table holds. */
static void check_full_table(void)
{
    static uint64_t entries[RETURNED_ENTRIES];
    region_destroy(&r);
    region_make(&r, limits_of(RETURNED_ENTRIES + 1, 1, 1), 1);
    struct claimant who = claimant_of(&r, 0, 0);
    make_pending(&r, RETURNED_ENTRIES, 1);
    for (uint32_t i = 0; i < RETURNED_ENTRIES; i++) {
        uint32_t slot = RETURNED_ENTRIES - 1 - i;
        entries[i] = queue_entry(slot, 1);
        wait_again(slot);
    }
    publish(entries, RETURNED_ENTRIES);
    for (uint32_t i = 0; i < 100; i++)
        CHECK_EQ(claim(&r, &who), RETURNED_ENTRIES - 1 - i);
    for (uint32_t i = 100; i < RETURNED_ENTRIES - 1; i++)
        word_put(&r, RETURNED_ENTRIES - 1 - i, word_make(1, SLOT_CANCELLED, 0, 0));
    CHECK_EQ(claim(&r, &who), 0);
    CHECK_EQ(claim(&r, &who), RETURNED_ENTRIES);
}

void test(void)
{
    region_make(&r, limits_of(SLOTS, 2, 2), 1);
    struct claimant first = claimant_of(&r, 0, 0), second = claimant_of(&r, 0, 1);
    check_order(&first, &second);
    check_return_again(&first, &second);
    check_overwritten_count(&first);
    check_full_table();
    region_destroy(&r);
}
