/*
 * What was put into an open map before its pool was sealed runs on as if it were not: also what waits for room in the queue, what
 * was behind an item that died, and what is behind one that takes long. And whoever takes is never told that anything is closed.
 * Broken by: a runner that a sealed pool refuses as it does a new task.
 */
#include "openmap.h"

#include <pthread.h>

enum { WARM = 2000, SHORT = 200, ITEMS = 100, DEADLY = 50, TRIES = 30 };

static word *gate, *entered;

static int stay_first(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    if (*(const uint64_t *)item == WARM) {
        word_set(entered, 1);
        word_await(gate, 1);
    }
    return 0;
}

static void take_done(mortal_map *map, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
}

static void behind_a_long_one(int order)
{
    mortal_pool *pool = pool_with(2);
    mortal_map *map = map_like(pool, stay_first, (mortal_map_options){.window = WARM + SHORT + 1, .order = order});
    mortal_map_entry entry;
    unsigned taken = WARM;
    word_set(gate, 0), word_set(entered, 0);
    for (unsigned i = 0; i < WARM; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    take_done(map, WARM);
    for (unsigned i = 0; i < SHORT + 1; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    mortal_pool_seal(pool);
    word_await(entered, 1);
    for (unsigned i = 0; i < 20; i++) { /* what is behind it is given to others meanwhile, or not */
        int error = mortal_map_next(map, MS(1), &entry);
        CHECK(error == 0 || error == -ETIMEDOUT);
        CHECK(error != 0 || entry.verdict.outcome == MORTAL_DONE);
        taken += error == 0;
    }
    word_set(gate, 1);
    take_done(map, WARM + SHORT + 1 - taken);
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -ENOENT);
    CHECK_OK(mortal_map_close(map));
    end(pool);
}

static int die_now_and_then(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    if (*(const uint64_t *)item % DEADLY == 0) {
        word_await(gate, 1);
        raise(SIGKILL);
    }
    return 0;
}

static void behind_a_deadly_one(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = 1});
    mortal_map *map = map_like(pool, die_now_and_then, (mortal_map_options){.window = ITEMS});
    word_set(gate, 0);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    mortal_pool_seal(pool);
    word_set(gate, 1);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_EQ(take(map).verdict.outcome, i % DEADLY == 0 ? MORTAL_CRASHED : MORTAL_DONE);
    CHECK_OK(mortal_map_close(map));
    end(pool);
}

static void *seal_it(void *pool)
{
    word_await(entered, 1);
    mortal_pool_seal(pool);
    return NULL;
}

/* At whatever moment of a call. */
static void while_one_looks(void)
{
    pthread_t thread;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = 1});
    mortal_map *map = map_like(pool, die_now_and_then, (mortal_map_options){.window = DEADLY});
    mortal_map_entry entry;
    word_set(gate, 0), word_set(entered, 0);
    for (unsigned i = 0; i < DEADLY; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    CHECK_EQ(pthread_create(&thread, NULL, seal_it, pool), 0);
    word_set(entered, 1);
    for (unsigned i = 0; i < 2000; i++)
        CHECK_ERR(mortal_map_next(map, 0, &entry), -ETIMEDOUT);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    word_set(gate, 1);
    for (unsigned i = 0; i < DEADLY; i++)
        CHECK_EQ(take(map).verdict.outcome, i == 0 ? MORTAL_CRASHED : MORTAL_DONE);
    CHECK_OK(mortal_map_close(map));
    end(pool);
}

void test(void)
{
    gate = harness_shared(2 * sizeof *gate);
    entered = gate + 1;
    behind_a_long_one(MORTAL_MAP_IN_ORDER);
    behind_a_long_one(MORTAL_MAP_AS_FINISHED);
    behind_a_deadly_one();
    for (unsigned i = 0; i < TRIES; i++)
        while_one_looks();
}
