/*
 * While one waker takes the bit of one sleeper and rings it, another waker at the same time sees that others sleep.
 * Broken by: a word that says whether anybody sleeps, cleared by who rings one and set again if there are more. The second
 * waker rings nobody then; and if the first one rang a worker that was awake already, the task waits beside a sleeper.
 */
#include "bells.h"

#include <pthread.h>

static struct region r;
static uint32_t rounds;
static _Atomic uint32_t begun, over;

/* Worker 0 falls asleep and is rung, again and again. */
static void *ring_the_first(void *unused)
{
    (void)unused;
    atomic_store(&begun, 1);
    for (uint32_t i = 0; i < rounds; i++) {
        bell_say_idle(&r, 0, 0);
        bell_ring_one(&r);
    }
    atomic_store(&over, 1);
    return NULL;
}

static void check(uint32_t workers, uint32_t per_host)
{
    pthread_t thread;
    uint64_t looks = 0, blind = 0;
    region_make(&r, limits_of(8, workers, per_host), 0);
    uint32_t last = r.g.berths - 1;
    bell_say_idle(&r, last, per_host - 1); /* the highest bit: it is not the one that is taken */
    atomic_store(&begun, 0);
    atomic_store(&over, 0);
    CHECK_EQ(pthread_create(&thread, NULL, ring_the_first, NULL), 0);
    while (atomic_load(&begun) == 0)
        ;
    do {
        blind += !bell_anybody_idle(&r);
        looks++;
    } while (atomic_load(&over) == 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(blind, 0);
    CHECK(looks != 0);
    CHECK_RINGS(&r, bell_call(&r), last, per_host - 1);
    region_destroy(&r);
}

void test(void)
{
    rounds = more_if_long(100000);
    check(2, 1);
    check(128, 64);
}
