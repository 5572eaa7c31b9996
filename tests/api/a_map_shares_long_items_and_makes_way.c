/*
 * Whoever finds no block of items any more takes the last one from a block of another, so a few long items that lie side
 * by side are run by all workers; and a map whose items are short lets other tasks in between.
 * Broken by: a block that only its owner can run, a runner that keeps its worker while tasks wait, an item run twice.
 */
#include "tasks.h"

#include <pthread.h>

enum { WORKERS = 3, ITEMS = 60000, LONG = WORKERS };

static _Atomic unsigned char *calls; /* by item */
static word *at_once, *turn;

/* Long ones lie side by side in the middle of one block, and none ends before all have begun. */
static int meet(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task, (void)result;
    atomic_fetch_add(&calls[number], 1);
    if (number < 4 || number >= 4 + LONG)
        return 0;
    word_add(at_once, 1);
    word_await(at_once, LONG);
    return 0;
}

/* Fails once the plain task has run. */
static int go_on_until_let_go(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    if (atomic_load(&turn[0]) == 0)
        word_set(&turn[0], 1);
    for (volatile unsigned i = 0; i < 10000 && atomic_load(&turn[1]) == 0; i++)
        ;
    return atomic_load(&turn[1]) != 0;
}

static int let_go(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    word_set(&turn[1], 1);
    return 0;
}

/* A plain task that waits behind the runners of a long map comes to run. */
static void *submit_beside(void *pool)
{
    word_await(&turn[0], 1);
    CHECK_EQ(outcome_of(submit(pool, let_go, NULL, 0)), MORTAL_DONE);
    return NULL;
}

static void makes_way(mortal_pool *pool)
{
    pthread_t thread;
    size_t    count = (size_t)1 << 20, done;
    CHECK_EQ(pthread_create(&thread, NULL, submit_beside, pool), 0);
    CHECK_OK(mortal_pool_map(pool, go_on_until_let_go, NULL, 0, NULL, 0, count, NULL, NULL, &done));
    CHECK(done < count); /* it ran before the map was over */
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* Two maps at once, from two threads, both whole. */
static void *map_all(void *pool)
{
    size_t done;
    CHECK_OK(mortal_pool_map(pool, meet, NULL, 0, NULL, 0, ITEMS, NULL, NULL, &done));
    CHECK_EQ(done, ITEMS);
    return NULL;
}

static void shares(mortal_pool *pool, unsigned maps)
{
    pthread_t threads[2];
    memset((void *)calls, 0, ITEMS);
    word_set(at_once, maps == 1 ? 0 : LONG);
    for (unsigned i = 0; i < maps; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, map_all, pool), 0);
    for (unsigned i = 0; i < maps; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_EQ(atomic_load(&calls[i]), maps);
}

void test(void)
{
    calls = harness_shared(ITEMS);
    at_once = harness_shared(sizeof *at_once);
    turn = harness_shared(2 * sizeof *turn);
    mortal_pool *pool = pool_with(WORKERS);
    shares(pool, 1);
    shares(pool, 2);
    makes_way(pool);
    CHECK_EQ(stats_of(pool).buffers, 0);
    end(pool);
}
