/*
 * Cancelled tasks leave gaps in the queue. Closing them makes room for just as many, keeps the order of what waits, and
 * loses nothing, also for claimants that looked at the queue before.
 * Broken by: closing gaps from the front, where an entry is overwritten before it was moved; a position that is not kept.
 */
#include "unit.h"

enum { SLOTS = 60, CLAIMANTS = 4 };

static struct region r;
static struct claimant claimants[CLAIMANTS];
static uint32_t generations[SLOTS];
static uint32_t waiting[SLOTS], count; /* slots in the order of submits, without the cancelled ones */

static void submit_one(void)
{
    uint32_t slot = below(SLOTS);
    if (word_phase(word_now(&r, slot)) == SLOT_PENDING || queue_length(&r) >= r.g.queue_tasks)
        return;
    make_pending(&r, slot, ++generations[slot]);
    waiting[count++] = slot;
}

static void take_out(uint32_t index)
{
    memmove(&waiting[index], &waiting[index + 1], (--count - index) * sizeof *waiting);
}

static void cancel_some(void)
{
    for (uint32_t i = 0; i < count;) {
        if (chance(60)) {
            i++;
            continue;
        }
        word_put(&r, waiting[i], word_make(generations[waiting[i]], SLOT_CANCELLED, 0, 0));
        take_out(i);
    }
}

/* All that a claimant knew of may have moved on beyond the tail that it remembers. Then it finds nothing, but sees that
 * there is work, and finds it the next time. */
static void claim_one(void)
{
    struct claimant *who = &claimants[below(CLAIMANTS)];
    uint32_t slot = claim(&r, who);
    if (slot == NO_CLAIM && count != 0) {
        CHECK(queue_has_work(&r, who));
        slot = claim(&r, who);
    }
    CHECK_EQ(slot, count == 0 ? NO_CLAIM : waiting[0]);
    if (slot != NO_CLAIM)
        take_out(0);
}

static void compact(void)
{
    uint64_t tail = atomic_load(&orders_head(&r)->tail);
    queue_compact(&r);
    CHECK_EQ(queue_length(&r), count);
    CHECK_EQ(atomic_load(&orders_head(&r)->tail), tail);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t position = tail - count + i;
        CHECK_EQ(atomic_load(ring_entry(&r, position)), queue_entry(waiting[i], generations[waiting[i]]));
        CHECK_EQ(atomic_load(&care_of(&r, waiting[i])->position), position);
    }
}

void test(void)
{
    region_make(&r, limits_of(SLOTS, CLAIMANTS, CLAIMANTS), 1);
    CHECK(r.g.ring_entries > SLOTS); /* so the ring wraps at another place each time */
    for (uint32_t i = 0; i < CLAIMANTS; i++)
        claimants[i] = claimant_of(&r, 0, i);
    compact(); /* of nothing */
    for (uint32_t turn = 0; turn < more_if_long(30000); turn++) {
        uint32_t what = below(100);
        if (what < 60)
            submit_one();
        else if (what < 92)
            claim_one();
        else if (what < 95)
            cancel_some();
        else
            compact();
        if (turn % 4000 == 3999) { /* a queue full of nothing but gaps */
            while (count != 0) {
                word_put(&r, waiting[0], word_make(generations[waiting[0]], SLOT_CANCELLED, 0, 0));
                take_out(0);
            }
            compact();
        }
    }
    while (count != 0)
        claim_one();
    claim_one();
    region_destroy(&r);
}
