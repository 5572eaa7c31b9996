/*
 * Each bug that is planted on purpose is caught by a storm, and by the check that is there for it.
 * Broken by: a storm that would pass whatever the library does.
 */
#include "region/plant.h"

#include "engine/storm.h"

enum { KILLS = 1500, TRIES = 3 };

static const struct {
    enum plant  bug;
    const char *name, *caught_by; /* part of what the storm says; null: several checks may be the first */
    struct storm_shape shape;
} bugs[] = {
#define ALONE   .workers = 1, .workers_per_host = 1, .standby = 1, .producers = 1, .queue_tasks = 8, .planted = true
#define SEVERAL .workers = 3, .workers_per_host = 1, .standby = 1, .producers = 2, .queue_tasks = 8, .planted = true
    {PLANT_SKIP_DYING, "a kill that skips DYING", "it had a host of its own", {SEVERAL, .attempts = 1}},
    {PLANT_CANCEL_BEGUN, "never started, though it had begun", NULL, {SEVERAL, .attempts = 1}},
    {PLANT_VERDICT_BEFORE_DEATH, "a verdict before the death", NULL, {SEVERAL, .attempts = 1}},
    {PLANT_LOSE_RETURNED, "a lost requeue", "has no verdict", {ALONE, .attempts = 3, .aimed = true}},
    {PLANT_LANE_FORGOTTEN, "a priority that is forgotten on the way back", "began after later ones",
     {ALONE, .attempts = 3, .priorities = true}},
    {PLANT_PUBLISH_BEFORE_RESULT, "published before the result is there", NULL, {SEVERAL, .attempts = 1}},
};
enum { BUGS = sizeof bugs / sizeof *bugs };

static bool is_caught(size_t number, uint64_t seed)
{
    struct storm_result result = {0};
    planted_bug = bugs[number].bug;
    for (unsigned i = 0; i < TRIES && result.wrong == 0; i++)
        result = storm_run(&bugs[number].shape, seed + i, KILLS);
    planted_bug = PLANT_NONE;
    harness_note("%s: %s%s", bugs[number].name, result.wrong ? "caught: " : "not caught", result.first_fault);
    return result.wrong != 0 && (bugs[number].caught_by == NULL || strstr(result.first_fault, bugs[number].caught_by) != NULL);
}

void test(void)
{
    uint64_t seed = storm_seed();
    unsigned caught = 0;
    for (size_t i = 0; i < BUGS; i++)
        caught += is_caught(i, seed + i * TRIES);
    harness_note("planted bugs caught: %u of %u", caught, (unsigned)BUGS);
    CHECK_EQ(caught, BUGS);
}
