/*
 * Whatever a host was about when it died, its task becomes what the table in recover.h says: for every phase, begun or
 * not or overwritten, every sentence, number of attempts, and question of who is to blame.
 */
#include "deaths.h"

#include "region/cap.h"

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

/* Each attempt that ended for lack of memory makes the next one's cap larger, once, however often its end is told. */
static void check_growth(void)
{
    struct scene s = {.phase = SLOT_DYING, .begun = true, .attempts = 9, .sentence = SENTENCE_MEMORY,
                      .death = {.asked = true, .culprit = NO_WORKER}};
    struct cap *cap = cap_of(&r, SLOT);
    *cap = (struct cap){.memory_bytes = 1000, .more_percent = 50};
    CHECK_EQ(cap_memory(cap), 1000);
    for (uint32_t starts = 0; starts < 3; starts++) {
        for (unsigned again = 0; again < 2; again++) {
            s.charged = starts;
            set_scene(&r, &s);
            atomic_store(&order_of(&r, SLOT)->flags, ORDER_CAPS_MEMORY);
            CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s.death, s.sentence), RECOVERED_RETURNED);
            CHECK_EQ(atomic_load(&cap->grown) >> 32, starts + 1);
        }
    }
    CHECK(cap_memory(cap) >= 3375 && cap_memory(cap) < 3600); /* 1000 * 1.5^3, each a little more for the rounding */
    s.sentence = SENTENCE_CPU;
    set_scene(&r, &s);
    atomic_store(&order_of(&r, SLOT)->flags, ORDER_CAPS_MEMORY);
    CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s.death, s.sentence), RECOVERED_RETURNED);
    CHECK_EQ(atomic_load(&cap->grown) >> 32, 3);
    *cap = (struct cap){.memory_bytes = UINT64_MAX / 2, .more_percent = 1000, .grown = 1000ull << 32};
    CHECK_EQ(cap_memory(cap), UINT64_MAX);
}

void test(void)
{
    region_make(&r, limits_of(8, 2, 2), LIFE + 1);
    CHECK_EQ(for_each_scene(check_scene), (SLOT_OUT_OF_MEMORY + 1) * 32 * (1 + 2 + 3) * 8 * 3);
    check_false_stamp();
    check_growth();
    region_destroy(&r);
}
