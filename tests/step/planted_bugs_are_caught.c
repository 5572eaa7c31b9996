/*
 * Each bug that is planted on purpose is caught by the sweep, which finds nothing in the code as it is.
 * Broken by: a sweep that would pass whatever the code does.
 */
#include "region/plant.h"
#include "stage/sweep.h"
#include "stage/trap.h"

enum { STRIDE = 3 };

static const struct {
    enum plant  bug;
    const char *name;
} bugs[] = {
    {PLANT_PUBLISH_BEFORE_RESULT, "published before the result is there"},
    {PLANT_CLAIM_THEN_RECORD, "claimed before it is recorded by whom"},
    {PLANT_BEGUN_TOO_EARLY, "begun before the host's doom is looked at again"},
    {PLANT_IGNORE_LOST_PUBLISH, "a lost publishing swap ignored"},
};
enum { BUGS = sizeof bugs / sizeof *bugs };

static bool is_caught(enum plant bug, const char *name)
{
    static struct sweep sweep;
    sweep_open(&sweep);
    planted_bug = bug;
    for (size_t i = 0; i < play_count && sweep.fault.promise == NULL; i++)
        sweep_play(&sweep, &plays[i], STRIDE);
    planted_bug = PLANT_NONE;
    bool caught = sweep.fault.promise != NULL;
    if (caught)
        harness_note("%s: caught by \"%s\" (%s)", name, sweep.fault.promise, sweep.where);
    sweep_close(&sweep);
    return caught;
}

static void nothing_is_found_without_one(void)
{
    static struct sweep sweep;
    sweep_open(&sweep);
    planted_bug = PLANT_NONE;
    sweep_play(&sweep, &plays[0], 101);
    CHECK(sweep.states != 0);
    CHECK(sweep.fault.promise == NULL);
    sweep_close(&sweep);
}

void test(void)
{
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    unsigned caught = 0;
    nothing_is_found_without_one();
    for (size_t i = 0; i < BUGS; i++)
        caught += is_caught(bugs[i].bug, bugs[i].name);
    harness_note("planted bugs caught: %u of %u", caught, (unsigned)BUGS);
    CHECK_EQ(caught, BUGS);
}
