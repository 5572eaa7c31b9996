/*
 * A host that is cut between any two instructions of claiming, running and publishing a task leaves a region from which
 * a recovery, itself cut anywhere, keeps every promise; also if meanwhile the claim is taken, the host doomed, or another
 * worker faster.
 * Broken by: a claim that nobody would find, a word that says done too early, a charge that is not due, a kill that hits
 * the next task, a sleeper that nobody wakes.
 */
#include "stage/sweep.h"
#include "stage/trap.h"

/* In the long run events come after each instruction, but in the longest plays, and every recovery is stepped. */
enum { STEPS = 6000, STEPS_LONG = 200000, ONE_RECOVERY_IN = 20 };

void test(void)
{
    static struct sweep sweep;
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    sweep_open(&sweep);
    sweep.one_recovery_in = TEST_LONG ? 1 : ONE_RECOVERY_IN;
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
    unsigned long long states = sweep.states + sweep.cut_states, distinct = sweep.distinct + sweep.cut_distinct;
    harness_note("crash states: %llu (distinct %llu)", states, distinct);
    sweep_close(&sweep);
}
