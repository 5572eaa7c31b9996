/*
 * A task gone wild may set any bit of who sleeps. One that names no worker is dropped and rings nothing outside the table
 * of bells; workers that do sleep are rung all the same.
 * Broken by: an index taken from shared memory and not compared with the number of workers.
 */
#include "bells.h"

static struct region r;

static uint64_t real_bits(uint32_t word)
{
    uint32_t all = r.g.berths * r.g.workers_per_host, from = word * 64;
    return all >= from + 64 ? UINT64_MAX : all <= from ? 0 : (1ull << (all - from)) - 1;
}

static void garble(void)
{
    for (uint32_t i = 0; i < r.g.idle_words; i++)
        atomic_fetch_or(idle_word(&r, i), ~real_bits(i));
}

static void check_dropped(uint32_t berth, uint32_t worker)
{
    garble();
    CHECK_RINGS_NOBODY(&r, bell_call(&r));
    CHECK_EQ(bits_of(&r, idle_word), 0);
    garble();
    bell_say_idle(&r, berth, worker);
    CHECK_RINGS(&r, bell_call(&r), berth, worker);
}

static void check_shape(uint32_t workers, uint32_t per_host)
{
    region_make(&r, limits_of(8, workers, per_host), 0);
    CHECK(real_bits(r.g.idle_words - 1) != UINT64_MAX); /* or this tests nothing */
    uint8_t *behind = (uint8_t *)(bell_of(&r, r.g.berths - 1, per_host - 1) + 1), *end = (uint8_t *)idle_word(&r, 0);
    uint8_t *further = (uint8_t *)(searching_word(&r, r.g.idle_words - 1) + 1), *claims = (uint8_t *)claim_of(&r, 0);
    check_dropped(0, 0);
    check_dropped(r.g.berths - 1, per_host - 1);
    for (uint8_t *byte = behind; byte < end; byte++)
        CHECK_EQ(*byte, 0);
    for (uint8_t *byte = further; byte < claims; byte++)
        CHECK_EQ(*byte, 0);
    region_destroy(&r);
}

void test(void)
{
    check_shape(1, 1);
    check_shape(2, 2);
    check_shape(60, 1);
    check_shape(14, 7);
}
