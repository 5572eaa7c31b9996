/*
 * A host that was asked where its thread is and died before it said so, of something else, is waited for no more, and
 * neither counts among those that are nor wakes the supervisor.
 * Broken by: a count that only an answer takes back: with each such death a look at all hosts is added to every turn.
 */
#include "unit.h"

#include "supervisor/state.h"

enum { BERTH = 1, LIFE = 1 };

void test(void)
{
    static struct region r;
    static struct heritage heritage;
    static struct watch watches[1];
    static uint32_t positions[2] = {BERTH, NO_POSITION}, dead_lives[64], leaving[2];
    static uint16_t life_berth[WORD_LIVES];
    region_make(&r, limits_of(8, 2, 1), LIFE + 1);
    struct host_record *hosts = calloc(r.g.berths, sizeof *hosts);
    CHECK(hosts != NULL && r.g.hosts == 2);
    struct supervisor s = {.region = &r, .heritage = &heritage, .hosts = hosts, .positions = positions,
                           .life_berth = life_berth, .dead_lives = dead_lives, .leaving = leaving, .quitting = true};
    for (uint32_t i = 0; i < r.g.berths; i++)
        hosts[i] = (struct host_record){.life = NO_LIFE, .position = NO_POSITION, .lost_worker = NO_WORKER,
                                        .watches = watches};
    hosts[BERTH] = (struct host_record){.state = HOST_DYING, .life = LIFE, .position = 0, .lost_worker = NO_WORKER,
                                        .blamed_worker = 0, .was_asked_where = true, .trace_until_ns = 1, .watches = watches};
    s.traces = 1;
    life_berth[LIFE] = BERTH + 1;
    atomic_store(&berth_of(&r, BERTH)->life, LIFE);
    CHECK_EQ(trace_next_ns(&s), 1);
    const struct death death = {.cause = MORTAL_CAUSE_SIGNAL, .signal = SIGSEGV, .culprit = 0};
    death_bury(&s, BERTH, &death);
    hosts[BERTH] = (struct host_record){.state = HOST_STARTING, .life = LIFE, .watches = watches}; /* the next one there */
    CHECK_EQ(s.traces, 0);
    CHECK_EQ(trace_next_ns(&s), UINT64_MAX);
    free(hosts);
    region_destroy(&r);
}
