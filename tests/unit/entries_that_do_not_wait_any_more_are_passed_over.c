/*
 * An entry of the queue is a hint. If its slot is cancelled, taken, ended, free, of another generation, named twice or
 * expired, it is passed over, and its word is left as it is. Nothing that waits behind it is forgotten.
 */
#include "unit.h"

#include "system/clock.h"

enum { KINDS = 3 + (SLOT_OUT_OF_MEMORY + 1), ROUNDS = 40, SLOTS = ROUNDS * (KINDS + 1) };

static struct region r;
static uint32_t next_slot;
static uint64_t expected_words[SLOTS];
static uint32_t good[SLOTS], good_count;

static void remember(uint32_t slot)
{
    expected_words[slot] = word_now(&r, slot);
}

static void limit(uint32_t slot, uint32_t flags, uint64_t expires_at)
{
    atomic_store(&order_of(&r, slot)->flags, flags);
    atomic_store(&order_of(&r, slot)->expires_at_ns, expires_at);
}

static void add_good(void)
{
    uint32_t slot = next_slot++;
    make_pending(&r, slot, 9);
    if (chance(50)) /* time is not over, or does not count */
        limit(slot, chance(50) ? ORDER_EXPIRES : 0, clock_ns() + (chance(50) ? NEVER / 2 : 3600000000000ull));
    if (chance(10))
        limit(slot, ORDER_STAMPED, 0);
    good[good_count++] = slot;
}

/* kind below 3: expired, older generation, another life of the same slot; else: that phase. */
static void add_dead(uint32_t kind)
{
    uint32_t slot = next_slot++;
    make_pending(&r, slot, 9);
    if (kind == 0) {
        limit(slot, ORDER_EXPIRES | (chance(50) ? ORDER_STAMPED : 0), chance(50) ? clock_ns() : 0);
    } else if (kind == 1) {
        word_put(&r, slot, word_make(8, SLOT_PENDING, 0, 0));
    } else if (kind == 2) {
        word_put(&r, slot, word_make(10, SLOT_PENDING, 0, 0));
    } else if (kind - 3 == SLOT_PENDING) {
        CHECK_EQ(slot + 1, next_slot); /* waits after all, and is named a second time */
        queue_push(&r, slot, 9);
        good[good_count++] = slot;
        return;
    } else {
        word_put(&r, slot, word_make(9, (enum slot_phase)(kind - 3), 0, 0));
    }
    remember(slot);
}

static void fill(void)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t first_kind = below(KINDS), good_at = below(KINDS);
        for (uint32_t i = 0; i < KINDS; i++) {
            if (i == good_at)
                add_good();
            add_dead((first_kind + i) % KINDS);
        }
    }
}

void test(void)
{
    region_make(&r, limits_of(SLOTS, 2, 2), 1);
    struct claimant who[] = {claimant_of(&r, 0, 0), claimant_of(&r, 0, 1)};
    fill();
    for (uint32_t i = 0; i < good_count; i++) {
        uint32_t slot = claim(&r, &who[below(2)]);
        CHECK_EQ(slot, good[i]);
        remember(slot);
    }
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQ(claim(&r, &who[i % 2]), NO_CLAIM);
    CHECK_EQ(queue_length(&r), 0);
    for (uint32_t slot = 0; slot < next_slot; slot++)
        CHECK_EQ(word_now(&r, slot), expected_words[slot]);
    region_destroy(&r);
}
