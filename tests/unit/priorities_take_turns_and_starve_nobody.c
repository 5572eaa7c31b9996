/*
 * Whoever claims gets the oldest task of its priority, and of 16 claims one goes to a task of low priority and three to tasks
 * of normal priority at least while such tasks wait, the others to the highest that waits. So it is for several claimants,
 * for claimants that are new each time, and for tasks that a recovery returned. Who finds nothing may sleep, who would find
 * something may not; and a cursor that was overwritten is mended in each lane.
 * Broken by: turns that each claimant counts for itself, a lane that is not looked at again, a table that is read for one
 * priority only, a tail that is remembered.
 */
#include "unit.h"

enum { SLOTS = 200, CLAIMANTS = 3, WINDOW = 16 };

static struct region r;
static struct claimant claimants[CLAIMANTS];
static struct {
    uint32_t slots[SLOTS], count;
} lanes[LANES]; /* what waits, in the order in which it is to start */
static uint32_t generations[SLOTS];
static bool is_used[SLOTS], is_returned[SLOTS];
static uint32_t since[LANES]; /* claims, all while something waited in that lane, since one went there */

static void start(void)
{
    region_make(&r, limits_of(SLOTS, CLAIMANTS, CLAIMANTS), 1);
    for (uint32_t i = 0; i < CLAIMANTS; i++)
        claimants[i] = claimant_of(&r, 0, i);
    memset(lanes, 0, sizeof lanes);
    memset(is_used, 0, sizeof is_used);
    memset(is_returned, 0, sizeof is_returned);
    memset(since, 0, sizeof since);
}

static void submit_one(enum lane lane)
{
    uint32_t slot = below(SLOTS);
    if (is_used[slot])
        return;
    is_used[slot] = true;
    generations[slot] = (generations[slot] + 1) & GENERATION_MASK;
    make_pending_in(&r, lane, slot, generations[slot]);
    lanes[lane].slots[lanes[lane].count++] = slot;
}

static enum lane lane_of_claimed(uint32_t slot)
{
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        if (lanes[lane].count != 0 && lanes[lane].slots[0] == slot)
            return lane;
    harness_fail(__FILE__, __LINE__, "slot %u is not the oldest of its priority", slot);
    return LANES;
}

static bool anything_waits(void)
{
    return lanes[LANE_NORMAL].count + lanes[LANE_HIGH].count + lanes[LANE_LOW].count != 0;
}

static void count_turns(enum lane got)
{
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        since[lane] = lane == got || lanes[lane].count == 0 ? 0 : since[lane] + 1;
    CHECK(since[LANE_LOW] < WINDOW);
    CHECK(since[LANE_NORMAL] < WINDOW / 2); /* at most the turns between two of its own, the low one's among them */
    CHECK(since[LANE_HIGH] < 2);
}

/* Returns the slot, or NO_CLAIM. */
static uint32_t claim_one(struct claimant *who)
{
    uint32_t slot = claim(&r, who);
    CHECK_EQ(slot == NO_CLAIM, !anything_waits());
    if (slot == NO_CLAIM) {
        CHECK(!queue_has_work(&r, who));
        return slot;
    }
    enum lane lane = lane_of_claimed(slot);
    count_turns(lane);
    memmove(lanes[lane].slots, lanes[lane].slots + 1, --lanes[lane].count * sizeof *lanes[lane].slots);
    is_used[slot] = false; /* its owner may submit it anew at once, with another priority */
    is_returned[slot] = false;
    return slot;
}

/* Its host died. It was the oldest of its lane, so it is first there again, before what was returned earlier. */
static void return_one(uint32_t slot, enum lane lane)
{
    struct control_head *control = control_head(&r);
    uint32_t count = 0;
    word_put(&r, slot, word_make(generations[slot], SLOT_PENDING, 0, 0));
    memmove(lanes[lane].slots + 1, lanes[lane].slots, lanes[lane].count++ * sizeof *lanes[lane].slots);
    lanes[lane].slots[0] = slot;
    is_used[slot] = is_returned[slot] = true;
    for (enum lane of = LANES; of-- > 0;) /* by lane, as by ticket: all that counts is the order within a lane */
        for (uint32_t i = 0; i < lanes[of].count && is_returned[lanes[of].slots[i]]; i++) {
            uint32_t waits = lanes[of].slots[i];
            atomic_store(&control->returned[count++], (uint64_t)of << LANE_SHIFT | queue_entry(waits, generations[waits]));
        }
    atomic_store(&control->returned_count, count);
    atomic_fetch_add(&control->returned_version, 1);
}

static void check_looks(void)
{
    for (uint32_t i = 0; i < CLAIMANTS && anything_waits(); i++)
        CHECK(queue_has_work(&r, &claimants[i]));
}

static void check_random(bool forgetful, uint32_t returns_percent)
{
    start();
    for (uint32_t turn = 0; turn < more_if_long(40000); turn++) {
        uint32_t which = below(CLAIMANTS);
        if (chance(turn / 500 % 2 == 0 ? 60 : 40)) {
            submit_one(turn / 1000 % 4 == 3 ? LANE_NORMAL : (enum lane)below(LANES));
        } else {
            if (forgetful)
                claimants[which] = claimant_of(&r, 0, which);
            enum lane before[SLOTS];
            for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
                for (uint32_t i = 0; i < lanes[lane].count; i++)
                    before[lanes[lane].slots[i]] = lane;
            uint32_t slot = claim_one(&claimants[which]);
            if (slot != NO_CLAIM && chance(returns_percent))
                return_one(slot, before[slot]);
        }
        check_looks();
    }
    while (claim_one(&claimants[0]) != NO_CLAIM)
        ;
    region_destroy(&r);
}

/* Sixteen of each: exactly as the table in priority.h says. */
static void check_exactly(void)
{
    static const char expected[] = "HHHNHHHNHHHNHHHLHHHNHNNNNNNNNNNLNNLLLLLLLLLLLLLL";
    char got[sizeof expected] = "";
    start();
    for (uint32_t i = 0; i < 48; i++)
        make_pending_in(&r, (enum lane)(i % LANES), i, 1);
    for (uint32_t i = 0; i < 48; i++)
        got[i] = "NHL"[claim(&r, &claimants[i % CLAIMANTS]) % LANES];
    CHECK_STR(got, expected);
    region_destroy(&r);
}

/* Who uses one priority only is not slowed down by turns: nobody counts them. */
static void check_plain(void)
{
    start();
    for (uint32_t slot = 0; slot < 40; slot++)
        make_pending(&r, slot, 1);
    for (uint32_t slot = 0; slot < 40; slot++)
        CHECK_EQ(claim(&r, &claimants[slot % CLAIMANTS]), slot);
    CHECK_EQ(atomic_load(&claims_head(&r)->turn), 0);
    region_destroy(&r);
}

static void check_forged(enum lane lane, uint64_t head)
{
    uint32_t claimed = 0;
    start();
    for (uint32_t slot = 0; slot < 20; slot++)
        make_pending_in(&r, lane, slot, 1);
    for (uint32_t slot = 0; slot < 10; slot++)
        CHECK_EQ(claim(&r, &claimants[0]), slot);
    atomic_store(lane_head(&r, lane), head);
    CHECK(queue_length(&r) <= LANES * (uint64_t)r.g.ring_entries);
    for (uint32_t i = 0; i < 100; i++)
        claimed += claim(&r, &claimants[i % CLAIMANTS]) != NO_CLAIM;
    CHECK_EQ(claimed, 10);
    CHECK_EQ(queue_length(&r), 0);
    region_destroy(&r);
}

void test(void)
{
    check_exactly();
    check_plain();
    check_random(false, 0);
    check_random(true, 0);
    check_random(false, 20);
    check_random(true, 20);
    for (enum lane lane = LANE_HIGH; lane < LANES; lane++) {
        check_forged(lane, 0);
        check_forged(lane, 21);
        check_forged(lane, 1000000);
        check_forged(lane, UINT64_MAX);
    }
}
