/*
 * What the supervisor does for one death (its task's recovery, who is told, a look for whom to ring, a look at all deadlines) is
 * counted in instructions with 16, 64 and 256 hosts: four times as many hosts cost four times as much at most, and the
 * recovery itself costs the same. Kills of all at once share the rest between them.
 * Broken by: a search of all hosts for each host, a recovery that looks at every slot or every desk.
 */
#include "unit.h"

#include "region/bell.h"
#include "supervisor/state.h"
#include "trap.h"

enum { SIZES = 3, LEAST = 16 };

static struct region r;
static struct supervisor s;
static struct heritage heritage;
static struct watch *watches;

static void note_nothing(const struct trap *at, void *context) { (void)at, (void)context; }

/* Each host runs a task with a deadline. */
static void begin(uint32_t hosts)
{
    region_make(&r, limits_of(2 * hosts, hosts, 1), hosts);
    memset(&s, 0, sizeof s);
    s.region = &r;
    s.heritage = &heritage;
    s.hosts = calloc(r.g.berths, sizeof *s.hosts);
    s.returned = calloc(RETURNED_ENTRIES, sizeof *s.returned);
    watches = calloc(r.g.berths, sizeof *watches);
    CHECK(s.hosts != NULL && s.returned != NULL && watches != NULL);
    for (uint32_t i = 0; i < hosts; i++) {
        s.hosts[i] = (struct host_record){.state = HOST_ACTIVE, .pid = INT32_MAX, .life = i, .birth = i + 1, .position = i,
                                          .watches = watches + i};
        atomic_store(&berth_of(&r, i)->life, i);
        atomic_store(&berth_of(&r, i)->active, 1);
        struct claimant who = claimant_of(&r, i, 0);
        make_pending(&r, i, 1);
        CHECK_EQ(claim(&r, &who), i);
        order_of(&r, i)->attempts = 2;
        atomic_store(&order_of(&r, i)->flags, ORDER_STAMPED);
        atomic_store(&order_of(&r, i)->deadline_ns, 1ull << 60);
        atomic_store(&who.desk->begun, word_now(&r, i));
    }
    atomic_store(&control_head(&r)->limits_unended, hosts);
}

static void end(void)
{
    free(s.hosts);
    free(s.returned);
    free(watches);
    region_destroy(&r);
}

static void recover(void *nothing)
{
    const struct death death = {.cause = MORTAL_CAUSE_SIGNAL, .signal = SIGKILL, .asked = true, .culprit = NO_WORKER};
    (void)nothing;
    death_settle(&s, &s.hosts[0], &death);
    death_tell(&s, 0, 0, 1);
}

/* Its berth is given up, and all others are busy or asleep: one of two. */
static void vacate(void)
{
    s.hosts[0].state = HOST_EMPTY;
    for (uint32_t i = 1; i < r.g.hosts; i += 2) {
        atomic_store(&desk_of(&r, i, 0)->begun, 0);
        bell_say_idle(&r, i, 0);
    }
}

static void ring_and_look(void *nothing)
{
    (void)nothing;
    death_ring(&s);
    CHECK(deadline_check(&s, 1) != 0);
}

void test(void)
{
    uint64_t recovery[SIZES], rest[SIZES];
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    for (uint32_t i = 0; i < SIZES; i++) {
        uint32_t hosts = LEAST << (2 * i);
        begin(hosts);
        recovery[i] = trap_run(recover, NULL, note_nothing, NULL);
        CHECK_EQ(word_phase(word_now(&r, 0)), SLOT_PENDING);
        vacate();
        rest[i] = trap_run(ring_and_look, NULL, note_nothing, NULL);
        harness_note("%u hosts: recovery %llu instructions, the rest %llu", hosts, (unsigned long long)recovery[i],
                     (unsigned long long)rest[i]);
        end();
    }
    for (uint32_t i = 1; i < SIZES; i++) {
        CHECK(recovery[i] <= recovery[i - 1] + recovery[i - 1] / 10);
        CHECK(rest[i] <= 4 * rest[i - 1] + rest[i - 1] / 4);
    }
}
