/*
 * A recovery that runs twice, or is cut before its one swap and runs again, has the outcome of one that runs once: the
 * task is charged once for each host that it took along, and once more for the next.
 * Broken by: counting a start without noting for whom.
 */
#include "deaths.h"

static struct region r;

static void check_twice(const struct scene *s)
{
    struct outcome expected = expected_of(s);
    set_scene(&r, s);
    CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s->death, s->sentence), expected.recovered);
    CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s->death, s->sentence), RECOVERED_NOTHING);
    check_outcome(&r, s, &expected);
}

/* All that it stored is there, but the word: the swap had not come. */
static void check_cut(const struct scene *s)
{
    struct outcome expected = expected_of(s);
    set_scene(&r, s);
    uint64_t word = word_now(&r, SLOT);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s->death, s->sentence), expected.recovered);
        check_outcome(&r, s, &expected);
        word_put(&r, SLOT, word);
    }
}

/* Three hosts die of it, one after the other. It is charged for each, and then it is enough. */
static void check_next_life(void)
{
    struct scene s = {.phase = SLOT_RUNNING, .begun = true, .attempts = 3,
                      .death = {.cause = 1, .signal = 6, .culprit = NO_WORKER}};
    set_scene(&r, &s);
    for (uint32_t life = 0; life < 3; life++) {
        uint64_t running = word_make(GENERATION, SLOT_RUNNING, life, WORKER);
        enum recovered last = life == 2 ? RECOVERED_ENDED : RECOVERED_RETURNED;
        atomic_store(&desk_of(&r, life, WORKER)->begun, running);
        for (int again = 0; again < 2; again++) {
            word_put(&r, SLOT, running);
            CHECK_EQ(recover_slot(&r, SLOT, life, WORKER, &s.death, SENTENCE_NONE), last);
            CHECK_EQ(care_attempts(care_of(&r, SLOT)), life + 1);
        }
    }
    CHECK_EQ(word_phase(word_now(&r, SLOT)), SLOT_QUARANTINED);
}

/* Hosts end by themselves, each time between a claim and its begin: more likely the task erases that it began. */
static void check_erased(enum slot_phase phase, enum slot_phase last)
{
    struct scene s = {.phase = phase, .attempts = 1, .sentence = SENTENCE_DEADLINE,
                      .death = {.cause = 1, .signal = 6, .culprit = NO_WORKER, .asked = phase == SLOT_DYING}};
    set_scene(&r, &s);
    for (uint32_t death = 0; death < 4; death++) {
        uint64_t word = word_make(GENERATION, phase, death % 3, death / 3);
        atomic_store(&desk_of(&r, death % 3, death / 3)->begun, 0);
        for (int again = 0; again < 2; again++) {
            word_put(&r, SLOT, word);
            CHECK_EQ(recover_slot(&r, SLOT, death % 3, death / 3, &s.death, s.sentence),
                     death == 3 ? RECOVERED_ENDED : RECOVERED_RETURNED);
        }
    }
    CHECK_EQ(word_phase(word_now(&r, SLOT)), last);
}

void test(void)
{
    region_make(&r, limits_of(8, 2, 2), 3);
    CHECK_EQ(care_attempts(&(struct care){.charged = CARE_UNCHARGED}), 0);
    for_each_scene(check_twice);
    for_each_scene(check_cut);
    check_next_life();
    check_erased(SLOT_RUNNING, SLOT_CRASHED);
    check_erased(SLOT_DYING, SLOT_TIMED_OUT);
    region_destroy(&r);
}
