/*
 * Each bug that is planted on purpose is caught, by the check that is there for it, and nothing is found in the code as
 * it is.
 * Broken by: a sweep that would pass whatever the code does.
 */
#include "region/plant.h"
#include "stage/office.h"
#include "stage/sweep.h"
#include "stage/trap.h"

/* Where events are too far from one another to meet the bug, they come closer. */
enum { STEPS = 5000, STEPS_MOST = 128 * STEPS, STEPS_OF_DEED = 50000 };
#define ANYWHERE EVENT_NONE

static const struct planted {
    enum plant  bug;
    const char *name, *promise; /* that it breaks */
    enum event  event;          /* that has to come for it to show, or ANYWHERE: undisturbed */
    uint32_t    one_recovery_in;
    const char *play; /* in which it shows, or null: in any */
} bugs[] = {
    {PLANT_PUBLISH_BEFORE_RESULT, "published before the result is there", promise_whole, ANYWHERE, 0, NULL},
    {PLANT_CLAIM_THEN_RECORD, "claimed before it is recorded by whom", promise_found, ANYWHERE, 0, NULL},
    {PLANT_BEGUN_TOO_EARLY, "begun before the host's doom is looked at again", promise_waits, ANYWHERE, 0,
     "a task with a deadline"},
    {PLANT_IGNORE_LOST_PUBLISH, "a lost publishing swap ignored", promise_decided, EVENT_TAKEN, 0, NULL},
    {PLANT_IGNORE_DOOM, "a doomed host that goes on", promise_doomed, EVENT_DOOMED, 0, NULL},
    {PLANT_RECLAIM_HELD_RESULT, "memory reclaimed while its result is held", promise_whole, ANYWHERE, 0,
     "a heap full of released results"},
    {PLANT_GENERATION_UNCHECKED, "an entry taken for a later task of its slot", promise_order, ANYWHERE, 0,
     "a queue with dead entries"},
    {PLANT_LOST_WAKE_UP, "no last look before sleeping", promise_rung, EVENT_MORE, 0, "an idle worker"},
    {PLANT_DEPUTY_STAYS, "a dead deputy that stays in office", promise_rung, ANYWHERE, 0, "a worker beside a deputy"},
    {PLANT_HINTS_STAY, "a dead worker that still says that it looks", promise_rung, ANYWHERE, 0, "an idle worker"},
    {PLANT_SILENT_RECOVERY, "a burial after which nobody is rung", promise_rung, ANYWHERE, 0, NULL},
    {PLANT_DOUBLE_REQUEUE, "returned once more, though another host has it", promise_others, EVENT_OUTSIDER, 0, NULL},
    {PLANT_DOUBLE_CHARGE, "charged again when the recovery runs again", promise_cut, ANYWHERE, 1, NULL},
    {PLANT_FATE_AFTER_WORD, "a fate that is stored after its word", promise_cut, ANYWHERE, 1, NULL},
    {PLANT_RETURN_TO_THE_END, "returned to the queue out of order", promise_order, EVENT_RIVAL_CLAIMED, 0, NULL},
    {PLANT_SKIP_DYING, "a kill that leaves the worker its claim", promise_next, EVENT_TAKEN, 0, "three tasks in a row"},
    {PLANT_COUNT_BEFORE_CLEANUP, "a clean-up that counts before it is complete", promise_cleaned, ANYWHERE, 0, NULL},
    {PLANT_SETTLE_BEFORE_CLEANUP, "a verdict before the clean-ups", promise_cleaned, ANYWHERE, 0, NULL},
    {PLANT_CLEANUPS_OF_EARLIER, "clean-ups that an earlier task left", promise_cleaned, ANYWHERE, 0, NULL},
    {PLANT_PROGRESS_BEFORE_COPY, "progress that is told before it is whole", promise_noted, ANYWHERE, 0, NULL},
    {PLANT_SECTION_LOOKS_FIRST, "the end of a section that looks too early who waits for it", promise_section,
     EVENT_OVERDUE, 0, NULL},
    {PLANT_STALE_KILL, "a kill that does not look at the generation", promise_next, EVENT_LATE_KILL, 0, NULL},
    {PLANT_LANE_FORGOTTEN, "a priority that is forgotten on the way back", promise_order, ANYWHERE, 0,
     "two of high priority, one of low"},
    {PLANT_LANES_UNSEEN, "no last look for tasks of other priorities", promise_rung, EVENT_MORE, 0,
     "an idle worker, one of high priority comes"},
};
enum { BUGS = sizeof bugs / sizeof *bugs };

/* Those of the supervisor, which show in one deed of it. */
static const struct planted_in_office {
    enum plant  bug;
    const char *name, *promise, *deed;
} office_bugs[] = {
    {PLANT_OVERWRITE_VERDICT, "a kill that overwrites what was published", promise_stays, "a kill of what runs"},
    {PLANT_STANDBY_COUNTED_TWICE, "a standby that still counts when it took over", promise_heir,
     "a new host for one that is gone"},
    {PLANT_REAP_BEFORE_RECOVERY, "reaped before the recovery", promise_pid, "the reaping of a child"},
    {PLANT_PIN_FORGOTTEN, "an arena given out while a result lies in it", promise_held, "an arena for a new host"},
};
enum { OFFICE_BUGS = sizeof office_bugs / sizeof *office_bugs };

static bool is_told(const char *name, const struct fault *fault, const char *where, const char *promise)
{
    if (fault->promise != NULL)
        harness_note("%s: caught by \"%s\" (%s: %s)", name, fault->promise, where, fault->detail);
    else
        harness_note("%s: not caught", name);
    return fault->promise == promise;
}

static void look_for(struct sweep *sweep, const struct planted *planted, uint64_t steps)
{
    for (size_t i = 0; i < play_count && sweep->fault.promise == NULL; i++) {
        if (planted->play != NULL && strcmp(planted->play, plays[i].name) != 0)
            continue;
        if (planted->event == ANYWHERE) {
            sweep_undisturbed(sweep, &plays[i]);
        } else {
            sweep_measure(sweep, &plays[i]);
            sweep_event(sweep, &plays[i], planted->event, steps);
        }
    }
}

static bool is_caught(const struct planted *planted)
{
    static struct sweep sweep;
    sweep_open(&sweep);
    sweep.one_recovery_in = planted->one_recovery_in;
    planted_bug = planted->bug;
    for (uint64_t steps = STEPS; steps <= STEPS_MOST && sweep.fault.promise == NULL; steps *= 4)
        look_for(&sweep, planted, steps);
    planted_bug = PLANT_NONE;
    sweep_close(&sweep);
    return is_told(planted->name, &sweep.fault, sweep.where, planted->promise);
}

static bool is_caught_in_office(const struct planted_in_office *planted)
{
    static struct office office;
    office_open(&office);
    planted_bug = planted->bug;
    for (size_t i = 0; i < deed_count && office.fault.promise == NULL; i++)
        if (strcmp(planted->deed, deeds[i].name) == 0)
            office_sweep(&office, &deeds[i], STEPS_OF_DEED);
    planted_bug = PLANT_NONE;
    office_close(&office);
    return is_told(planted->name, &office.fault, office.where, planted->promise);
}

static void nothing_is_found_without_one(void)
{
    static struct sweep sweep;
    sweep_open(&sweep);
    for (size_t i = 0; i < play_count && sweep.fault.promise == NULL; i++)
        sweep_undisturbed(&sweep, &plays[i]);
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
        caught += is_caught(&bugs[i]);
    for (size_t i = 0; i < OFFICE_BUGS; i++)
        caught += is_caught_in_office(&office_bugs[i]);
    harness_sum("planted bugs caught: %u of %u", caught, (unsigned)(BUGS + OFFICE_BUGS));
    CHECK_EQ(caught, BUGS + OFFICE_BUGS);
}
