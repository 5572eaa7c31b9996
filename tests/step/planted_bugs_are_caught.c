/*
 * Each bug that is planted on purpose is caught by the sweep, which finds nothing in the code as it is.
 * Broken by: a sweep that would pass whatever the code does.
 */
#include "region/plant.h"
#include "stage/sweep.h"
#include "stage/trap.h"

enum { STEPS = 20000, STEPS_WITHOUT = 1000 };

static const struct {
    enum plant  bug;
    const char *name, *promise; /* that it breaks */
} bugs[] = {
    {PLANT_PUBLISH_BEFORE_RESULT, "published before the result is there", promise_whole},
    {PLANT_CLAIM_THEN_RECORD, "claimed before it is recorded by whom", promise_found},
    {PLANT_BEGUN_TOO_EARLY, "begun before the host's doom is looked at again", promise_waits},
    {PLANT_IGNORE_LOST_PUBLISH, "a lost publishing swap ignored", promise_decided},
};
enum { BUGS = sizeof bugs / sizeof *bugs };

/* Undisturbed runs of all plays come first: what shows there need not be provoked. */
static void sweep_all(struct sweep *sweep, uint64_t steps)
{
    for (size_t i = 0; i < play_count && sweep->fault.promise == NULL; i++)
        sweep_play(sweep, &plays[i], 0);
    for (size_t i = 0; i < play_count && sweep->fault.promise == NULL; i++)
        sweep_play(sweep, &plays[i], steps);
}

static bool is_caught(size_t number)
{
    static struct sweep sweep;
    sweep_open(&sweep);
    planted_bug = bugs[number].bug;
    sweep_all(&sweep, STEPS);
    planted_bug = PLANT_NONE;
    if (sweep.fault.promise != NULL)
        harness_note("%s: caught by \"%s\" (%s: %s)", bugs[number].name, sweep.fault.promise, sweep.where,
                     sweep.fault.detail);
    sweep_close(&sweep);
    return sweep.fault.promise == bugs[number].promise;
}

static void nothing_is_found_without_one(void)
{
    static struct sweep sweep;
    sweep_open(&sweep);
    sweep_all(&sweep, STEPS_WITHOUT);
    CHECK(sweep.states != 0);
    if (sweep.fault.promise != NULL)
        harness_fail(__FILE__, __LINE__, "found without a bug: %s: %s: %s", sweep.fault.promise, sweep.where,
                     sweep.fault.detail);
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
        caught += is_caught(i);
    harness_note("planted bugs caught: %u of %u", caught, (unsigned)BUGS);
    CHECK_EQ(caught, BUGS);
}
