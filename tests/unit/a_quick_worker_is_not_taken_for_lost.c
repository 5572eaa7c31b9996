/*
 * A claim word does not name its slot: the words of tasks that are each the first in their slots are equal. An audit that
 * falls just between two tasks of a worker, and the next one too, must not take that for one task without its claim; the
 * same slot seen so twice is one, and its host is ended.
 * Broken by: two looks that are compared by the claim word alone. Whatever the worker runs by then is cut.
 */
#include "deaths.h"

#include "supervisor/state.h"

#include <limits.h>

static struct region r;
static struct supervisor s;
static struct host_record host;
static struct watch watches[1];
static uint16_t life_berth[WORD_LIVES];

/* The worker has published the task in that slot, and has not put it off its desk yet. */
static void leave_between_two_tasks(uint32_t slot)
{
    uint64_t running = word_make(1, SLOT_RUNNING, LIFE, 0);
    word_put(&r, slot, word_bare(running, slot));
    atomic_store(&desk_of(&r, LIFE, 0)->intent, slot + 1);
    atomic_store(&desk_of(&r, LIFE, 0)->begun, running);
}

/* The host is no process that could be: nobody is killed. */
static enum host_state state_after_audit(void)
{
    audit(&s);
    return host.state;
}

void test(void)
{
    region_make(&r, limits_of(8, 1, 1), LIFE + 1);
    host = (struct host_record){.state = HOST_ACTIVE, .pid = INT_MAX, .life = LIFE, .lost_worker = NO_WORKER,
                                .watches = watches};
    s = (struct supervisor){.region = &r, .hosts = &host, .life_berth = life_berth};
    r.g.berths = 1;
    life_berth[LIFE] = 1;
    for (uint32_t round = 0; round < 10; round++) {
        leave_between_two_tasks(round % 2);
        CHECK_EQ(state_after_audit(), HOST_ACTIVE);
    }
    leave_between_two_tasks(1);
    CHECK_EQ(state_after_audit(), HOST_DYING);
    region_destroy(&r);
}
