/*
 * When a task started, its supervisor learns from a stamp on the worker's desk, which is an earlier task's until this one
 * has begun, and from when it first saw the task running. Neither may be that of an earlier task in a slot of its own,
 * whose claim word was equal.
 * Broken by: a stamp that is believed before begun, a task that is known by its word and not by its slot.
 */
#include "deaths.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/state.h"

#define DEADLINE_NS 3600000000000ull

static struct region r;
static struct supervisor s;
static struct host_record host;
static struct watch watches[1];
static uint16_t life_berth[WORD_LIVES];

static uint64_t claimed(uint32_t slot)
{
    uint64_t word = word_make(GENERATION, SLOT_RUNNING, 0, 0);
    word_put(&r, slot, word);
    order_of(&r, slot)->deadline_ns = DEADLINE_NS;
    order_of(&r, slot)->flags = ORDER_STAMPED;
    atomic_store(&desk_of(&r, 0, 0)->intent, slot + 1);
    return word;
}

/* It is due an hour after this, and not before. */
static void check_it_has_just_started(uint32_t slot, uint64_t now)
{
    CHECK_EQ(deadline_check(&s, now), now + DEADLINE_NS);
    CHECK_EQ(word_phase(word_now(&r, slot)), SLOT_RUNNING);
}

void test(void)
{
    region_make(&r, limits_of(8, 1, 1), 1);
    s = (struct supervisor){.region = &r, .hosts = &host, .life_berth = life_berth};
    r.g.berths = 1;
    life_berth[0] = 1;
    pid_t child = fork(); /* who is condemned is killed, if only by a mistake */
    if (child == 0)
        for (;;)
            pause();
    host = (struct host_record){.state = HOST_ACTIVE, .pid = child, .lost_worker = NO_WORKER, .watches = watches};
    atomic_store(&control_head(&r)->limits_unended, 1);
    atomic_store(&control_head(&r)->deadline_floor_ns, NEVER);
    atomic_store(&control_head(&r)->expiry_floor_ns, NEVER);
    struct desk *desk = desk_of(&r, 0, 0);

    atomic_store(&desk->started_ns, 1);
    uint64_t word = claimed(SLOT);
    check_it_has_just_started(SLOT, 3 * DEADLINE_NS);
    atomic_store(&desk->started_ns, 3 * DEADLINE_NS);
    atomic_store(&desk->begun, word);
    CHECK_EQ(deadline_check(&s, 3 * DEADLINE_NS + 1), 4 * DEADLINE_NS);
    atomic_store(&desk->begun, 0);
    word_put(&r, SLOT, word_with_phase(word, SLOT_DONE));

    CHECK_EQ(claimed(SLOT + 1), word);
    check_it_has_just_started(SLOT + 1, 5 * DEADLINE_NS);

    kill(child, SIGKILL);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    region_destroy(&r);
}
