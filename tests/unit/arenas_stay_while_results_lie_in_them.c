/*
 * The arena of a dead host is given to no other while the word of an unreleased result points into it; afterwards it is,
 * with its pages given back. However many hosts die, none gets an arena that is in use, and none is lost.
 * Broken by: a phase that is not looked at, a collection that forgets, a stack that gives one arena out twice.
 */
#include "unit.h"

#include "supervisor/state.h"

enum { SLOTS = 40, ALIVE_MOST = 20 };

static struct region r;
static struct supervisor s;
static uint32_t alive[ALIVE_MOST], alive_count;

static void start(void)
{
    region_make(&r, limits_of(SLOTS, 2, 1), 0);
    memset(&s, 0, sizeof s);
    s.region = &r;
    CHECK_EQ(lives_open(&s), 0);
    atomic_store(&control_head(&r)->slots_known, SLOTS);
}

static void finish(void)
{
    free(s.free_lives); /* and the other tables with it */
    region_destroy(&r);
}

static bool is_alive(uint32_t life)
{
    for (uint32_t i = 0; i < alive_count; i++)
        if (alive[i] == life)
            return true;
    return false;
}

static bool is_pinned(uint32_t life)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint64_t word = word_now(&r, slot);
        if ((word_phase(word) == SLOT_DONE || word_phase(word) == SLOT_FAILED) && word_life(word) == life)
            return true;
    }
    return false;
}

static uint32_t pinned_or_alive(void)
{
    uint32_t count = 0;
    for (uint32_t life = 0; life < r.g.lives; life++)
        count += is_alive(life) || is_pinned(life);
    return count;
}

static void be_born(void)
{
    uint32_t life = lives_take(&s);
    if (life == NO_LIFE) { /* and only then */
        CHECK_EQ(pinned_or_alive(), r.g.lives);
        return;
    }
    CHECK(life < r.g.lives);
    CHECK(!is_alive(life) && !is_pinned(life));
    alive[alive_count++] = life;
}

static void publish_in(uint32_t life)
{
    static const enum slot_phase phases[] = {SLOT_DONE, SLOT_FAILED, SLOT_BARE, SLOT_CRASHED, SLOT_KILLED};
    word_put(&r, below(SLOTS), word_make(1 + below(9), phases[below(COUNT(phases))], life, 0));
}

static void check_random_lives(uint32_t turns)
{
    start();
    for (uint32_t turn = 0; turn < turns; turn++) {
        uint32_t what = below(100);
        if (what < 30 && alive_count < ALIVE_MOST) {
            be_born();
        } else if (what < 55 && alive_count != 0) {
            uint32_t index = below(alive_count);
            lives_bury(&s, alive[index]);
            alive[index] = alive[--alive_count];
        } else if (what < 80 && alive_count != 0) {
            publish_in(alive[below(alive_count)]);
        } else if (what < 95) {
            word_put(&r, below(SLOTS), word_make(2, SLOT_FREE, 0, 0)); /* released */
        } else if (what < 97) {
            word_put(&r, below(SLOTS), word_make(2, SLOT_DONE, r.g.lives + below(1000), 0)); /* overwritten */
        } else {
            lives_collect(&s);
        }
        CHECK(s.free_life_count + s.dead_life_count + alive_count <= r.g.lives);
    }
    finish();
    alive_count = 0;
}

/* All arenas pinned but for none: there is none to be had. One release, and there is one. */
static void check_last_arena(void)
{
    start();
    uint32_t all = r.g.lives;
    r.g.lives = SLOTS; /* fewer than are there: as many as can be pinned */
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint32_t life = lives_take(&s);
        CHECK(life < SLOTS);
        word_put(&r, life, word_make(1, life % 2 == 0 ? SLOT_DONE : SLOT_FAILED, life, 0));
        lives_bury(&s, life);
    }
    CHECK_EQ(lives_take(&s), NO_LIFE);
    CHECK_EQ(lives_take(&s), NO_LIFE);
    word_put(&r, 17, word_make(2, SLOT_FREE, 0, 0));
    CHECK_EQ(lives_take(&s), 17);
    CHECK_EQ(lives_take(&s), NO_LIFE);
    atomic_store(&control_head(&r)->slots_known, UINT32_MAX); /* overwritten: no slot beyond the last is looked at */
    lives_bury(&s, 17);
    CHECK_EQ(lives_take(&s), 17);
    r.g.lives = all;
    finish();
}

void test(void)
{
    check_random_lives(more_if_long(20000));
    check_last_arena();
}
