/*
 * Whatever the supervisor is doing when it dies, between any two instructions of burials, kills, deadlines, returns, audits,
 * take-overs and new hosts, each verdict that the owner reads then is the right one or none yet, and none that was told
 * changes; also if a host or the owner does something at that very moment.
 * Broken by: a fate that is not there when its word is, a swap that overwrites what was published, a host counted twice, a
 * process reaped too early, an arena given out again too early.
 */
#include "stage/office.h"
#include "stage/trap.h"

/* Instructions per deed and kind of visit. In the long run visits come after each. */
enum { STEPS = 6000, STEPS_LONG = 300000 };

void test(void)
{
    static struct office office;
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    office_open(&office);
    for (size_t i = 0; i < deed_count && office.fault.promise == NULL; i++) {
        uint64_t before = office.states;
        office_sweep(&office, &deeds[i], TEST_LONG ? STEPS_LONG : STEPS);
        CHECK(office.states > before);
    }
    if (office.fault.promise != NULL)
        harness_fail(__FILE__, __LINE__, "broken: %s: %s: %s", office.fault.promise, office.where, office.fault.detail);
    CHECK(office.verdicts != 0 && office.killed_first != 0 && office.ended_first != 0);
    harness_note("kills that came first: %llu, ends that came first: %llu", (unsigned long long)office.killed_first,
                 (unsigned long long)office.ended_first);
    harness_note("of the supervisor: %llu, in which %llu verdicts were read", (unsigned long long)office.states,
                 (unsigned long long)office.verdicts);
    harness_sum("crash states: %llu", (unsigned long long)office.states);
    office_close(&office);
}
