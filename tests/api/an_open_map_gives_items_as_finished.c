/*
 * As finished, items that take long hold back nobody: as many others as one likes go by in the rest of the window, each once,
 * whatever the mixture; and items that last long are shared among the workers.
 * Broken by: a window that waits for its oldest item, a cell that is used while its item runs, runners with long stretches of
 * long items.
 */
#include "openmap.h"

#include <pthread.h>

enum { STUCK = 3, WINDOW = 20, PASSING = 20000 };

static word *gates;
static _Atomic unsigned char *calls;

static int work(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task;
    atomic_fetch_add(&calls[number], 1);
    if (number % 10 == 0 && number / 10 < STUCK) {
        word_add(&gates[0], 1);
        word_await(&gates[1], 1);
    }
    *(uint64_t *)result = number + 1;
    return 0;
}

static const mortal_map_options shape = {.item_bytes = sizeof(uint64_t), .result_bytes = sizeof(uint64_t), .window = WINDOW,
                                         .order = MORTAL_MAP_AS_FINISHED};

static uint64_t check(const mortal_map_entry *entry)
{
    uint64_t number = *(const uint64_t *)entry->item;
    CHECK_EQ(entry->verdict.outcome, MORTAL_DONE);
    CHECK_EQ(entry->number, number);
    CHECK_EQ(*(const uint64_t *)entry->verdict.result, number + 1);
    CHECK_EQ(atomic_load(&calls[number]), 1);
    return number;
}

static void others_go_by(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, work, shape);
    mortal_map_entry entry;
    uint64_t put = 0;
    for (uint64_t taken = 0; taken < PASSING; taken++) {
        while (put < PASSING + STUCK && mortal_map_put(map, &put, NULL, 0) == 0)
            put++;
        entry = take(map);
        uint64_t number = check(&entry);
        CHECK(number % 10 != 0 || number / 10 >= STUCK);
    }
    word_await(&gates[0], STUCK);
    CHECK_ERR(mortal_map_next(map, 0, &entry), -ETIMEDOUT);
    word_set(&gates[1], 1);
    for (unsigned i = 0; i < STUCK; i++) {
        entry = take(map);
        CHECK(check(&entry) < 10 * STUCK);
    }
    end_map(map);
    for (unsigned i = 0; i < PASSING + STUCK; i++)
        CHECK_EQ(atomic_load(&calls[i]), 1);
}

/* Two wait for each other: so they are not run by one worker, one after the other. */
static int meet(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    word_add(&gates[2], 1);
    word_await(&gates[2], 2);
    return 0;
}

static void long_ones_are_shared(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, meet, (mortal_map_options){.window = WINDOW});
    CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    end_map(map);
}

static void *take_some(void *context)
{
    mortal_map_entry entry;
    int error;
    unsigned taken = 0;
    while ((error = mortal_map_next(context, LIMIT, &entry)) == 0)
        taken++;
    CHECK_EQ(error, -ENOENT);
    return (void *)(uintptr_t)taken;
}

static void *put_some(void *context)
{
    for (unsigned i = 0; i < PASSING / 2; i++)
        CHECK_OK(mortal_map_put(context, NULL, NULL, LIMIT));
    return NULL;
}

static int nothing(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    return 0;
}

static void by_many_threads(mortal_pool *pool, int order)
{
    mortal_map *map = map_like(pool, nothing, (mortal_map_options){.window = 7, .order = order});
    pthread_t putters[2], takers[2];
    uintptr_t taken = 0;
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&takers[i], NULL, take_some, map), 0);
        CHECK_EQ(pthread_create(&putters[i], NULL, put_some, map), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(putters[i], NULL), 0);
    CHECK_OK(mortal_map_end(map));
    for (unsigned i = 0; i < 2; i++) {
        void *some;
        CHECK_EQ(pthread_join(takers[i], &some), 0);
        taken += (uintptr_t)some;
    }
    CHECK_EQ(taken, PASSING);
    CHECK_OK(mortal_map_close(map));
}

void test(void)
{
    gates = harness_shared(3 * sizeof *gates);
    calls = harness_shared(PASSING + STUCK);
    mortal_pool *pool = pool_with(STUCK + 1);
    others_go_by(pool);
    long_ones_are_shared(pool);
    by_many_threads(pool, MORTAL_MAP_IN_ORDER);
    by_many_threads(pool, MORTAL_MAP_AS_FINISHED);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
}
