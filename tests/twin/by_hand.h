/*
 * by_hand.h - a twin whose one worker takes a step when the test says so, on the test's own thread
 *
 * Nothing happens between two calls, so what each of them costs can be counted: the same in every run.
 */
#ifndef BY_HAND_H
#define BY_HAND_H

#include "twin.h"

static struct {
    struct host host;
    struct worker worker;
} by_hand;

HELPER int by_hand_launch(struct pool *pool)
{
    struct region *r = &pool->heritage.region;
    struct host_place place = {.berth = 0, .life = r->g.lives - 1, .birth = 1};
    CHECK(twin.pool == NULL);
    twin.pool = pool;
    twin.host_count = 0; /* none that would have to be retired */
    twin_clear_arena(r, place);
    CHECK_EQ(host_prepare(&by_hand.host, &pool->heritage, place), 0);
    struct berth *berth = berth_of(r, place.berth);
    atomic_store(&berth->birth, place.birth);
    atomic_store(&berth->life, place.life);
    atomic_store(&berth->active, 1);
    worker_prepare(&by_hand.worker, &by_hand.host, 0);
    worker_settle(&by_hand.worker);
    atomic_store(&host_head(r, place.life)->ready, 1);
    atomic_store(&control_head(r)->state, POOL_READY);
    return 0;
}

HELPER mortal_pool *by_hand_open(mortal_pool_options options)
{
    mortal_pool *pool = NULL;
    options.size = sizeof options;
    options.workers = options.workers_per_host = 1;
    CHECK_OK(pool_open_with(&pool, &options, by_hand_launch));
    return pool;
}

HELPER void by_hand_close(mortal_pool *pool)
{
    const struct region *r = twin_region();
    pthread_mutex_t *line = (void *)life_line_of(r, by_hand.host.place.life, 1);
    stack_t none = {.ss_flags = SS_DISABLE}, alternate;
    pthread_mutex_unlock(line);
    pthread_mutex_destroy(line);
    if (sigaltstack(&none, &alternate) == 0 && alternate.ss_sp != NULL)
        memory_unmap(alternate.ss_sp, alternate.ss_size);
    twin_forget_host(&by_hand.host);
    twin_close(pool);
}

#endif
