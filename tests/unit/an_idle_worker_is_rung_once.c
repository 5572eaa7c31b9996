/*
 * A push rings one worker that said it sleeps, that one and no other, the lowest first, once for each time it says so;
 * and nobody where nobody sleeps. In hosts of one worker and of many, over more than one word of bits.
 * Broken by: a bit taken and not rung, or rung and not taken; a word of bits that is not looked at.
 */
#include "bells.h"

static struct region r;

static void check_each(void)
{
    uint32_t workers = r.g.workers_per_host;
    for (uint32_t berth = 0; berth < r.g.berths; berth++)
        for (uint32_t worker = 0; worker < workers; worker++) {
            bell_say_idle(&r, berth, worker);
            bell_say_idle(&r, berth, worker);
            CHECK(bell_anybody_idle(&r));
            CHECK_EQ(bits_of(&r, idle_word), 1);
            CHECK_RINGS(&r, bell_call(&r), berth, worker);
            CHECK(!bell_anybody_idle(&r));
            CHECK_RINGS_NOBODY(&r, bell_call(&r));
            CHECK_RINGS_NOBODY(&r, bell_ring_one(&r));
            bell_say_busy(&r, berth, worker); /* it woke; its bit was taken already */
            bell_say_idle(&r, berth, worker);
            CHECK_RINGS(&r, bell_ring_one(&r), berth, worker);
            CHECK(!bell_call(&r) && !bell_ring_one(&r));
            bell_say_idle(&r, berth, worker);
            CHECK_RINGS(&r, CHECK(bell_call(&r)), berth, worker); /* and says so */
        }
    CHECK_EQ(bits_of(&r, idle_word), 0);
}

/* Many sleep; each call wakes the lowest, until none is left. */
static void check_lowest_first(void)
{
    uint32_t all = r.g.berths * r.g.workers_per_host, sleeping = 0;
    bool *sleeps = calloc(all, sizeof *sleeps);
    CHECK(sleeps != NULL);
    for (uint32_t i = 0; i < all; i++)
        if ((sleeps[i] = chance(30))) {
            bell_say_idle(&r, i / r.g.workers_per_host, i % r.g.workers_per_host);
            sleeping++;
        }
    CHECK_EQ(bits_of(&r, idle_word), sleeping);
    for (uint32_t i = 0; i < all; i++) {
        if (!sleeps[i])
            continue;
        if (chance(20)) { /* woken by something else: it is not to be counted on any more */
            bell_say_busy(&r, i / r.g.workers_per_host, i % r.g.workers_per_host);
        } else {
            CHECK_RINGS(&r, bell_call(&r), i / r.g.workers_per_host, i % r.g.workers_per_host);
        }
        CHECK_EQ(bits_of(&r, idle_word), --sleeping);
        CHECK(sleeping == 0 || bell_anybody_idle(&r));
    }
    CHECK_RINGS_NOBODY(&r, bell_call(&r));
    free(sleeps);
}

static void check_all_are_rung(void)
{
    atomic_store(&berth_of(&r, 1)->life, 3);
    atomic_store(&berth_of(&r, 4)->life, 0);
    uint32_t before = rings_so_far(&r), there = atomic_load(bell_of(&r, 4, 0)), not_there = atomic_load(bell_of(&r, 2, 0));
    bell_ring_all(&r); /* of living hosts, whether they said that they sleep or not */
    CHECK_EQ(rings_so_far(&r), before + 2 * r.g.workers_per_host);
    CHECK_EQ(atomic_load(bell_of(&r, 4, 0)), there + 1);
    CHECK_EQ(atomic_load(bell_of(&r, 2, 0)), not_there);
    bell_ring_berth(&r, 2);
    CHECK_EQ(rings_so_far(&r), before + 3 * r.g.workers_per_host);
}

void test(void)
{
    const uint32_t shapes[][2] = {{1, 1}, {2, 1}, {70, 1}, {4, 4}, {14, 7}, {128, 64}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        region_make(&r, limits_of(8, shapes[i][0], shapes[i][1]), 0);
        check_each();
        check_lowest_first();
        check_all_are_rung();
        region_destroy(&r);
    }
}
