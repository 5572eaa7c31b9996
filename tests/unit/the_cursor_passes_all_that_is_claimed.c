/*
 * Two workers claim one task after the other at the same time: whatever has been claimed, the cursor has passed.
 * Broken by: a worker that gives up moving the cursor because another one moved it, less far. The queue looks longer than
 * it is, and who waits for room is not rung.
 */
#include "unit.h"

#include <pthread.h>

enum { SLOTS = 1024, WORKERS = 2 };

static struct region r;
static _Atomic uint32_t there;

static void *claim_all(void *argument)
{
    uint32_t number = *(const uint32_t *)argument;
    uintptr_t lags = 0;
    struct claimant who = claimant_of(&r, 0, number);
    atomic_fetch_add(&there, 1);
    while (atomic_load(&there) != WORKERS)
        ;
    for (uint32_t slot; (slot = claim(&r, &who)) != NO_CLAIM;)
        lags += atomic_load(&claims_head(&r)->head) <= atomic_load(&care_of(&r, slot)->position);
    return (void *)lags;
}

/* How often a claimed task was not passed yet. */
static uint64_t claim_together(void)
{
    pthread_t threads[WORKERS];
    uint32_t numbers[WORKERS];
    uint64_t lags = 0;
    atomic_store(&there, 0);
    for (uint32_t i = 0; i < WORKERS; i++) {
        numbers[i] = i;
        CHECK_EQ(pthread_create(&threads[i], NULL, claim_all, &numbers[i]), 0);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        void *lag;
        CHECK_EQ(pthread_join(threads[i], &lag), 0);
        lags += (uintptr_t)lag;
    }
    CHECK_EQ(queue_length(&r), 0);
    return lags;
}

void test(void)
{
    uint32_t rounds = more_if_long(300);
    uint64_t lags = 0;
    region_make(&r, limits_of(SLOTS, WORKERS, WORKERS), 1);
    for (uint32_t round = 1; round <= rounds; round++) {
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            make_pending(&r, slot, round);
        lags += claim_together();
    }
    CHECK_EQ(lags, 0);
    region_destroy(&r);
}
