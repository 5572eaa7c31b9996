/*
 * A soft deadline asks one start of a task, and so does a deadline that waits for a critical section. When the task waits
 * again after the death of its host, that is over: the next start may be by a host of the same life.
 * Broken by: a recovery that leaves it standing.
 */
#include "deaths.h"

#include "region/asked.h"

void test(void)
{
    struct region r;
    region_make(&r, limits_of(8, 2, 2), LIFE + 1);
    struct scene s = {.phase = SLOT_RUNNING, .begun = true, .attempts = 2, .death = {.culprit = NO_WORKER}};
    uint64_t running = word_make(GENERATION, SLOT_RUNNING, LIFE, WORKER);
    set_scene(&r, &s);
    order_of(&r, SLOT)->flags = ORDER_SOFT;
    struct care *care = care_of(&r, SLOT);
    CHECK_EQ(asked_by(&r, SLOT, running), 0);
    atomic_store(&care->told, running);
    atomic_store(&care->overdue, running);
    CHECK_EQ(asked_by(&r, SLOT, running), ASKED_BY_DEADLINE);
    CHECK(asked_to_end_there(&r, SLOT, running));
    CHECK_EQ(recover_slot(&r, SLOT, LIFE, WORKER, &s.death, SENTENCE_NONE), RECOVERED_RETURNED);
    word_put(&r, SLOT, running);
    CHECK_EQ(asked_by(&r, SLOT, running), 0);
    CHECK(!asked_to_end_there(&r, SLOT, running));

    atomic_store(&care->asked, GENERATION + 1); /* a kill asked the task, whichever start of it */
    CHECK_EQ(asked_by(&r, SLOT, running), ASKED_BY_KILL);
    CHECK(!asked_to_end_there(&r, SLOT, running)); /* it was given up */
    atomic_store(&care->killers, 1);
    CHECK(asked_to_end_there(&r, SLOT, running));
    uint64_t later = word_make(GENERATION + 1, SLOT_RUNNING, LIFE, WORKER);
    CHECK_EQ(asked_by(&r, SLOT, later), 0);
    CHECK(!asked_to_end_there(&r, SLOT, later));
    region_destroy(&r);
}
