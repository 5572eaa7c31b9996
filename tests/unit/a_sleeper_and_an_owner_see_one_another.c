/*
 * The owner pushes a task just as a worker goes to sleep, stops its search or resigns as deputy, often: the worker sees the task,
 * or the owner sees that it must wake somebody. The owner's push makes no barrier; the processor's stores wait in its buffer
 * for as long as the line that they go to is elsewhere, which the worker's looks see to.
 * Broken by: no barrier in the owner before a sleep, which is planted here, or before it leaves a task to who searches: with
 * each of these both must have looked in vain now and then, or this test could not fail.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "bells.h"
#include "region/plant.h"
#include "system/barrier.h"

enum { ROUNDS = 20000, ROUNDS_PLANTED = 2000000, TRIES = 3, OWNER = 0, WORKER = 1 };

static struct region region;
static _Atomic uint32_t gates[2]; /* the round in which each may go on */
static bool worker_saw;

static void meet(uint32_t me, uint32_t round)
{
    atomic_store(&gates[me], round);
    for (uint32_t turn = 1; (int32_t)(atomic_load(&gates[1 - me]) - round) < 0; turn++)
        if (turn % 4096 == 0)
            sched_yield();
}

enum scene { SLEEPS, STOPS, RESIGNS };

static struct play {
    enum scene scene;
    uint32_t rounds, vain;
    bool ends_early; /* with the first round in vain */
} play;

static void set_up(void)
{
    struct region *r = &region;
    atomic_store(&claims_head(r)->head, atomic_load(&orders_head(r)->tail));
    bell_say_busy(r, 0, 0);
    bell_say_busy(r, 1, 0);
    bell_stop_search(r, 0, 0);
    bell_resign(r, 0, 0);
    bell_note_pace(r, play.scene == RESIGNS);
    if (play.scene == SLEEPS)
        return;
    bell_say_idle(r, 1, 0);
    if (play.scene == STOPS)
        CHECK(bell_start_search(r, 0, 0));
    else
        CHECK(bell_become_deputy(r, 0, 0));
}

/* The first worker; the second is who sleeps while that one stops. */
static void act(void)
{
    const struct claimant who = {.tail_seen = 0};
    const struct region *r = &region;
    if (play.scene == SLEEPS)
        bell_say_idle(r, 0, 0);
    else if (play.scene == STOPS)
        bell_stop_search(r, 0, 0);
    else
        bell_resign(r, 0, 0);
    if (play.scene != STOPS)
        CHECK(fence_before_sleep(r));
    worker_saw = queue_has_work(r, &who);
}

static void *work(void *unused)
{
    for (uint32_t round = 0;; round += 3) {
        meet(WORKER, round + 1);
        if (play.rounds == 0)
            return unused;
        for (volatile uint32_t wait = round % 64; wait != 0; wait--)
            ;
        act();
        meet(WORKER, round + 2);
        meet(WORKER, round + 3);
    }
}

static uint32_t rounds_in_vain(enum scene scene, enum plant bug, uint32_t rounds)
{
    pthread_t thread;
    struct region *r = &region;
    planted_bug = bug;
    play = (struct play){.scene = scene, .rounds = rounds, .ends_early = bug != PLANT_NONE};
    atomic_store(&gates[0], 0);
    atomic_store(&gates[1], 0);
    set_up();
    CHECK_EQ(pthread_create(&thread, NULL, work, NULL), 0);
    for (uint32_t round = 0;; round += 3) {
        uint32_t before = rings_so_far(r);
        if (play.ends_early && play.vain != 0)
            play.rounds = 0;
        bool ends = play.rounds == 0;
        meet(OWNER, round + 1);
        if (ends)
            break;
        for (volatile uint32_t wait = round / 64 % 64; wait != 0; wait--)
            ;
        queue_push(r, 0, 0);
        bell_call(r);
        meet(OWNER, round + 2);
        if (!worker_saw && rings_so_far(r) == before)
            play.vain++;
        play.rounds--;
        set_up();
        meet(OWNER, round + 3);
    }
    pthread_join(thread, NULL);
    planted_bug = PLANT_NONE;
    return play.vain;
}

void test(void)
{
    static const struct {
        enum scene scene;
        enum plant bug;
        const char *name;
    } scenes[] = {{SLEEPS, PLANT_NO_FENCE, "goes to sleep"},
                  {STOPS, PLANT_NO_FENCE_FOR_SEARCHERS, "stops its search"},
                  {RESIGNS, PLANT_NO_FENCE, "resigns as deputy"}};
    region_make(&region, limits_of(64, 2, 1), 2);
    bool can_fail = region.g.light_fences && sysconf(_SC_NPROCESSORS_ONLN) > 1;
    for (size_t i = 0; i < COUNT(scenes); i++) {
        CHECK_EQ(rounds_in_vain(scenes[i].scene, PLANT_NONE, more_if_long(ROUNDS)), 0);
        if (!can_fail)
            continue;
        uint32_t caught = 0; /* both must run at once for it, and others may use the processors */
        for (unsigned tries = 0; caught == 0 && tries < TRIES; tries++)
            caught = rounds_in_vain(scenes[i].scene, scenes[i].bug, ROUNDS_PLANTED);
        harness_note("a worker %s, without the barrier: %s", scenes[i].name, caught != 0 ? "caught" : "not caught");
        CHECK(caught != 0);
    }
    region_destroy(&region);
}
