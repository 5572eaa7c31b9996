/*
 * A worker claims a task and dies before it moves the queue's cursor. Once its task, which is returned, has been claimed
 * again from the table, the cursor has passed the place in the queue where it stood first; but no place of a task that waits.
 * Broken by: a claim of a returned task that leaves the cursor alone. The queue looks longer than it is for as long as that
 * task runs, and who waits for room is not rung.
 */
#include "unit.h"

enum { SLOTS = 8 };

static struct region r;

static void return_first(uint32_t count)
{
    struct control_head *control = control_head(&r);
    for (uint32_t slot = 0; slot < count; slot++) {
        word_put(&r, slot, word_make(1, SLOT_PENDING, 0, 0));
        atomic_store(&control->returned[slot], queue_entry(slot, 1));
    }
    atomic_store(&control->returned_count, count);
    atomic_fetch_add(&control->returned_version, 1);
}

/* So many are claimed by workers that die before they move the cursor, and more wait behind them. */
static void check(uint32_t claimed, uint32_t behind)
{
    region_make(&r, limits_of(SLOTS, 1, 1), 1);
    struct claimant who = claimant_of(&r, 0, 0);
    for (uint32_t slot = 0; slot < claimed + behind; slot++)
        make_pending(&r, slot, 1);
    for (uint32_t slot = 0; slot < claimed; slot++)
        word_put(&r, slot, word_make(1, SLOT_RUNNING, 5, 0));
    CHECK_EQ(queue_length(&r), claimed + behind);
    return_first(claimed);
    for (uint32_t slot = 0; slot < claimed; slot++) {
        CHECK_EQ(claim(&r, &who), slot);
        CHECK_EQ(queue_length(&r), claimed - slot - 1 + behind);
    }
    for (uint32_t slot = claimed; slot < claimed + behind; slot++)
        CHECK_EQ(claim(&r, &who), slot);
    CHECK_EQ(claim(&r, &who), NO_CLAIM);
    region_destroy(&r);
}

void test(void)
{
    check(1, 0);
    check(3, 0);
    check(3, 2);
}
