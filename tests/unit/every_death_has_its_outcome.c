/*
 * Whatever a host was about when it died, its task becomes what the table in recover.h says: for every phase, begun or
 * not or overwritten, every sentence, number of attempts, and question of who is to blame.
 */
#include "deaths.h"

static struct region r;

static void check_scene(const struct scene *s)
{
    struct outcome expected = expected_of(s);
    set_scene(&r, s);
    CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s->death, s->sentence), expected.recovered);
    check_outcome(&r, s, &expected);
    uint32_t slot = 999;
    set_scene(&r, s);
    enum recovered by_desk = recover_desk(&r, LIFE, WORKER, &s->death, s->sentence, &slot);
    /* What waits already may be what the worker gave back by itself, just before: that is worth telling. */
    CHECK_EQ(by_desk, s->phase == SLOT_PENDING ? RECOVERED_WAITING : expected.recovered);
    CHECK_EQ(slot, SLOT);
    check_outcome(&r, s, &expected);
}

/* A task can write what it likes to the stamp of its start, but none later than now is believed. */
static void check_false_stamp(void)
{
    struct scene s = {.phase = SLOT_RUNNING, .begun = true, .stamped = true, .attempts = 1,
                      .death = {.cause = 1, .signal = 6, .culprit = WORKER}};
    set_scene(&r, &s);
    atomic_store(&desk_of(&r, LIFE, WORKER)->started_ns, UINT64_MAX - 1);
    CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s.death, s.sentence), RECOVERED_ENDED);
    CHECK(fate_of(&r, SLOT)->began_ns <= clock_ns());
    CHECK_EQ(fate_of(&r, SLOT)->ran_ns, 0);
}

void test(void)
{
    region_make(&r, limits_of(8, 2, 2), LIFE + 1);
    CHECK_EQ(for_each_scene(check_scene), (SLOT_LOST + 1) * 16 * (1 + 2 + 3) * 5 * 3);
    check_false_stamp();
    region_destroy(&r);
}
