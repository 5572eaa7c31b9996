/*
 * Threads put items into an open map and others take them, while workers run them: each comes once, with the result that belongs
 * to it, and nobody sleeps beside an item that has ended, or beside room; through a window of any size, in both orders.
 * Broken by: an end that is told before whoever sleeps has said so, an item that is added to a runner that has left.
 */
#include "host/map.h"

#include "twin.h"

enum { PUTTERS = 2, TAKERS = 2 };

static mortal_map *map;
static uint32_t items_each;
static word taken[PUTTERS * 60000];

static int negate(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task;
    *(uint64_t *)result = ~number;
    return number % 7 == 0 ? 3 : 0;
}

static void *put_all(void *argument)
{
    uint64_t first = (uint64_t)*(const uint32_t *)argument * items_each;
    for (uint64_t i = first; i < first + items_each; i++)
        CHECK_OK(mortal_map_put(map, &i, &taken[i], MORTAL_FOREVER));
    return NULL;
}

static void *take_all(void *argument)
{
    uint64_t dice = *(const uint32_t *)argument;
    for (;;) {
        static const uint64_t limits[] = {0, 100000, MORTAL_FOREVER};
        mortal_map_entry entry;
        int error = mortal_map_next(map, limits[below(&dice, 3)], &entry);
        if (error == -ENOENT)
            return NULL;
        if (error == -ETIMEDOUT)
            continue;
        CHECK_OK(error);
        uint64_t number = *(const uint64_t *)entry.item;
        CHECK_EQ(entry.verdict.outcome, number % 7 == 0 ? MORTAL_FAILED : MORTAL_DONE);
        CHECK_EQ(entry.verdict.status, number % 7 == 0 ? 3 : 0);
        CHECK_EQ(*(const uint64_t *)entry.verdict.result, ~number);
        CHECK(entry.verdict.tag == &taken[number]);
        CHECK_EQ(atomic_fetch_add(&taken[number], 1), 0);
    }
}

static void check(uint32_t workers, uint32_t window, int order)
{
    pthread_t threads[PUTTERS + TAKERS];
    uint32_t numbers[PUTTERS + TAKERS];
    mortal_pool *pool = twin_open(workers, 1, (mortal_pool_options){.queue_tasks = 64});
    twin.pool->heritage.map_run = map_run; /* which launching would have done */
    mortal_map_options options = {.size = sizeof options, .item_bytes = sizeof(uint64_t), .result_bytes = sizeof(uint64_t),
                                  .window = window, .order = order};
    CHECK_OK(mortal_map_open(&map, pool, negate, &options));
    memset(taken, 0, sizeof taken);
    for (uint32_t i = 0; i < PUTTERS + TAKERS; i++) {
        numbers[i] = i < PUTTERS ? i : i * 17;
        threads[i] = thread_start(i < PUTTERS ? put_all : take_all, &numbers[i]);
    }
    for (uint32_t i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(mortal_map_end(map));
    for (uint32_t i = PUTTERS; i < PUTTERS + TAKERS; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < PUTTERS * items_each; i++)
        CHECK_EQ(atomic_load(&taken[i]), 1);
    CHECK_OK(mortal_map_close(map));
    CHECK_EQ(stats_of(pool).held, 0);
    twin_close(pool);
}

void test(void)
{
    items_each = more_if_long(3000);
    CHECK(PUTTERS * items_each <= COUNT(taken));
    for (int order = MORTAL_MAP_IN_ORDER; order <= MORTAL_MAP_AS_FINISHED; order++) {
        check(1, 1, order);
        check(2, 5, order);
        check(2, 1000, order);
    }
}
