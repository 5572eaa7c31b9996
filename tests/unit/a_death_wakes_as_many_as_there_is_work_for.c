/*
 * After a burial as many idle workers are rung as tasks wait, and no more; but everybody who sleeps unseen is: who neither
 * runs a task, nor looks for one, nor has an idle bit, since the dead one may have taken it and not rung. Nobody else is.
 * And from its doom on, however long its death takes, no worker of a host is rung, looks or covers for those that live.
 * Broken by: a ring for everybody; a ring for what waits only; hints that stay until the burial.
 */
#include "bells.h"

#include "supervisor/state.h"

enum { HOSTS = 70, DEAD = 3, UNSEEN = 5, RUNS = 7, SEARCHES = 66, STANDBY = 69 };

static struct region r;
static struct supervisor s;

static void open_supervisor(void)
{
    memset(&s, 0, sizeof s);
    s.region = &r;
    s.hosts = calloc(r.g.berths, sizeof *s.hosts);
    s.returned = calloc(RETURNED_ENTRIES, sizeof *s.returned);
    CHECK(s.hosts != NULL && s.returned != NULL);
    for (uint32_t i = 0; i < HOSTS; i++) {
        s.hosts[i].state = i == DEAD ? HOST_EMPTY : i == STANDBY ? HOST_STANDBY : HOST_ACTIVE;
        s.hosts[i].life = i;
        atomic_store(&berth_of(&r, i)->life, i == DEAD ? NO_LIFE : i);
        atomic_store(&berth_of(&r, i)->active, i != DEAD && i != STANDBY);
    }
}

static uint32_t all_asleep(void)
{
    uint32_t asleep = 0;
    for (uint32_t i = 0; i < HOSTS; i++) {
        if (i == DEAD || i == UNSEEN || i == RUNS || i == SEARCHES || i == STANDBY)
            continue;
        bell_say_idle(&r, i, 0);
        asleep++;
    }
    CHECK(bell_start_search(&r, SEARCHES, 0));
    return asleep;
}

static bool was_rung(uint32_t berth, uint32_t *before)
{
    uint32_t bell = atomic_load(bell_of(&r, berth, 0));
    bool     rung = bell != *before;
    *before = bell;
    return rung;
}

/* How many idle ones were; they find nothing and sleep again. */
static uint32_t ring(void)
{
    uint32_t before[HOSTS], rung = 0;
    for (uint32_t i = 0; i < HOSTS; i++)
        before[i] = atomic_load(bell_of(&r, i, 0));
    death_ring(&s);
    CHECK(was_rung(UNSEEN, &before[UNSEEN]));
    CHECK(!was_rung(RUNS, &before[RUNS]));
    CHECK(!was_rung(SEARCHES, &before[SEARCHES]));
    CHECK(!was_rung(DEAD, &before[DEAD]));
    CHECK(!was_rung(STANDBY, &before[STANDBY]));
    for (uint32_t i = 0; i < HOSTS; i++)
        if (was_rung(i, &before[i])) {
            bell_say_idle(&r, i, 0);
            rung++;
        }
    return rung;
}

/* The first of two that sleep is in a host that is to die. */
static void check_doom(void)
{
    region_make(&r, limits_of(HOSTS, HOSTS, 1), 0);
    open_supervisor();
    s.hosts[0].pid = INT32_MAX; /* nobody's */
    s.hosts[0].blamed_worker = NO_WORKER;
    bell_note_pace(&r, true);
    CHECK(bell_become_deputy(&r, 0, 0));
    bell_say_idle(&r, 0, 0);
    bell_say_idle(&r, 1, 0);
    CHECK_RINGS_NOBODY(&r, bell_call(&r));
    death_doom(&s, 0);
    CHECK_RINGS(&r, bell_call(&r), 1, 0);
    free(s.hosts);
    free(s.returned);
    region_destroy(&r);
}

void test(void)
{
    check_doom();
    region_make(&r, limits_of(HOSTS, HOSTS, 1), HOSTS);
    open_supervisor();
    make_pending(&r, 0, 1);
    struct claimant who = claimant_of(&r, RUNS, 0);
    CHECK_EQ(claim(&r, &who), 0);
    atomic_store(&who.desk->begun, word_now(&r, 0));
    uint32_t asleep = all_asleep();
    CHECK_EQ(ring(), 0);
    make_pending(&r, 1, 2);
    CHECK_EQ(ring(), 1);
    for (uint32_t i = 2; i < 6; i++)
        make_pending(&r, i, i + 1);
    CHECK_EQ(ring(), 5);
    CHECK_EQ(claim(&r, &who), 1); /* by a host that dies */
    CHECK_EQ(ring(), 4);
    atomic_store(claim_of(&r, 1), word_make(word_generation(word_now(&r, 1)), SLOT_PENDING, 0, 0));
    death_return(&s, 1);
    CHECK_EQ(ring(), 5); /* one of them is not in the queue */
    for (uint32_t i = 6; i < HOSTS; i++)
        make_pending(&r, i, i + 1);
    CHECK_EQ(ring(), asleep);
    CHECK_EQ(bits_of(&r, idle_word), asleep);
    free(s.hosts);
    free(s.returned);
    region_destroy(&r);
}
