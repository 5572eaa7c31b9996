/*
 * A host that is cut between any two instructions of starting, claiming, running and publishing a task, and falling asleep
 * leaves a region from which a recovery, itself cut anywhere, and the next one too, keeps every promise; also if meanwhile
 * the claim is taken, the host doomed, the slot used again, or another worker faster or held at some point.
 * Broken by: a claim that nobody would find, a word that says done too early, a charge that is not due, a kill that hits
 * the next task, a sleeper that nobody wakes, a place in the queue that another task takes.
 */
#include "stage/sweep.h"
#include "stage/trap.h"

/* Instructions per play and kind of event: in the long run events come after each, but in the longer plays. Of the
 * recoveries that differ in what they look at, so many are stepped themselves. */
enum { STEPS = 500, STEPS_LONG = 30000, ONE_RECOVERY_IN = 1000, ONE_RECOVERY_IN_LONG = 8 };

void test(void)
{
    static struct sweep sweep;
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    sweep_open(&sweep);
    sweep.one_recovery_in = TEST_LONG ? ONE_RECOVERY_IN_LONG : ONE_RECOVERY_IN;
    sweep.one_event_in = TEST_LONG ? 1 : IS_SANITIZED ? 8 : 2;
    for (size_t i = 0; i < play_count && sweep.fault.promise == NULL; i++) {
        uint64_t before = sweep.states;
        sweep_play(&sweep, &plays[i], TEST_LONG ? STEPS_LONG : STEPS);
        CHECK(sweep.states > before || sweep.fault.promise != NULL);
    }
    if (sweep.fault.promise != NULL)
        harness_fail(__FILE__, __LINE__, "broken: %s: %s: %s", sweep.fault.promise, sweep.where, sweep.fault.detail);
    CHECK(sweep.waiting != 0 && sweep.claimed != 0 && sweep.begun != 0 && sweep.published != 0);
    harness_note("of workers: %llu (distinct %llu): waiting %llu, claimed %llu, begun %llu, published %llu",
                 (unsigned long long)sweep.states, (unsigned long long)sweep.distinct, (unsigned long long)sweep.waiting,
                 (unsigned long long)sweep.claimed, (unsigned long long)sweep.begun, (unsigned long long)sweep.published);
    harness_note("of recoveries: %llu (distinct %llu); hosts buried: %llu", (unsigned long long)sweep.cut_states,
                 (unsigned long long)sweep.cut_distinct, (unsigned long long)sweep.buried);
    harness_note("of recoveries of those: %llu (distinct %llu)", (unsigned long long)sweep.twice_states,
                 (unsigned long long)sweep.twice_distinct);
    harness_sum("crash states: %llu", (unsigned long long)sweep.states + sweep.cut_states + sweep.twice_states);
    sweep_close(&sweep);
}
