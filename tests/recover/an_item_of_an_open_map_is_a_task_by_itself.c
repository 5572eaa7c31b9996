/*
 * Items of an open map that crash, hang or use up their attempts cost themselves, and are told with what became of them; those
 * beside them in the same runner run once. Clean-ups run, hosts are recycled between items, very many may end their hosts. An
 * open circuit breaker is told and waited out; when the supervisor dies each item has a verdict all the same.
 * Broken by: a runner's death that takes others along or runs them twice, one that is charged to another item.
 */
#include "openmap.h"

enum { ITEMS = 3000, ITEMS_LONG = 60000, DEADLY = 300 };

static _Atomic unsigned char *calls, *cleaned;
static word *gates;

static int clean_up(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    atomic_fetch_add(&cleaned[*(const uint64_t *)input], 1);
    return 0;
}

static int troubled(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    unsigned attempt = atomic_fetch_add(&calls[number], 1) + 1u;
    if (attempt != mortal_task_attempt(task))
        return 7;
    if (number % 3 == 0 && mortal_task_on_death(task, clean_up, &number, sizeof number) != 0)
        return 8;
    if (number % 100 == 9 || (number % 100 == 19 && attempt < 3))
        abort();
    *(uint64_t *)result = number * 2;
    return 0;
}

static void check(const mortal_map_entry *entry)
{
    uint64_t number = entry->number;
    int outcome = number % 100 == 9 ? MORTAL_QUARANTINED : MORTAL_DONE;
    unsigned attempts = outcome != MORTAL_DONE || number % 100 == 19 ? 3 : 1;
    CHECK_EQ(*(const uint64_t *)entry->item, number);
    CHECK_EQ(entry->verdict.outcome, outcome);
    CHECK_EQ(entry->verdict.attempts, attempts);
    CHECK_EQ(atomic_load(&calls[number]), attempts);
    CHECK_EQ(atomic_load(&cleaned[number]), number % 3 != 0 ? 0 : outcome == MORTAL_DONE ? attempts - 1 : attempts);
    if (outcome == MORTAL_QUARANTINED) {
        CHECK_EQ(entry->verdict.signal, SIGABRT);
        CHECK(entry->verdict.obituary != 0);
        CHECK(entry->verdict.result == NULL);
    }
    if (outcome == MORTAL_DONE)
        CHECK_EQ(*(const uint64_t *)entry->verdict.result, number * 2);
}

static void among_others(mortal_pool *pool, int order)
{
    uint64_t            put = 0, count = TEST_LONG ? ITEMS_LONG : ITEMS;
    mortal_task_options task = {.size = sizeof task, .attempts = 3};
    mortal_map *map = map_like(pool, troubled, (mortal_map_options){.item_bytes = sizeof put, .result_bytes = sizeof put,
                                                                    .window = 200, .order = order, .task = &task});
    memset((void *)calls, 0, ITEMS_LONG);
    memset((void *)cleaned, 0, ITEMS_LONG);
    for (uint64_t taken = 0; taken < count; taken++) {
        while (put < count && mortal_map_put(map, &put, NULL, 0) == 0)
            put++;
        mortal_map_entry entry = take(map);
        CHECK(order != MORTAL_MAP_IN_ORDER || entry.number == taken);
        check(&entry);
    }
    end_map(map);
}

static int hang(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    if (*(const uint64_t *)item % 20 == 13)
        compute_for_ever();
    return 0;
}

static void some_hang(mortal_pool *pool)
{
    mortal_task_options task = {.size = sizeof task, .deadline_ns = MS(500)};
    mortal_map *map = map_like(pool, hang, (mortal_map_options){.task = &task});
    for (unsigned i = 0; i < 60; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    for (unsigned i = 0; i < 60; i++)
        CHECK_EQ(take(map).verdict.outcome, i % 20 == 13 ? MORTAL_TIMED_OUT : MORTAL_DONE);
    end_map(map);
}

static int crash(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    raise(SIGKILL);
    return 0;
}

static void all_of_them(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, crash, (mortal_map_options){.window = DEADLY});
    for (unsigned i = 0; i < DEADLY; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    for (unsigned i = 0; i < DEADLY; i++)
        CHECK_EQ(take(map).verdict.outcome, MORTAL_CRASHED);
    end_map(map);
}

static int short_work(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    for (volatile unsigned turns = 0; turns < 300; turns++)
        ;
    atomic_fetch_add(&calls[*(const uint64_t *)item], 1);
    return 0;
}

static void recycled_in_the_middle(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .recycle_tasks = 50});
    mortal_map  *map = map_like(pool, short_work, (mortal_map_options){.window = ITEMS_LONG});
    memset((void *)calls, 0, ITEMS_LONG);
    for (unsigned i = 0; i < ITEMS_LONG; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    for (unsigned i = 0; i < ITEMS_LONG; i++) {
        CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
        CHECK_EQ(atomic_load(&calls[i]), 1);
    }
    end_map(map);
    CHECK(stats_of(pool).recycled != 0);
    end(pool);
}

static int crash_first(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    return *(const uint64_t *)item < 4 ? raise(SIGKILL) : 0;
}

static void with_a_breaker(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .deaths = 3});
    mortal_map  *map = map_like(pool, crash_first, (mortal_map_options){.window = 50});
    mortal_map_entry entry;
    for (unsigned i = 0; i < 50; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(take(map).verdict.outcome, MORTAL_CRASHED);
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -EHOSTDOWN);
    CHECK_ERR(mortal_map_put(map, NULL, NULL, MORTAL_FOREVER), -EHOSTDOWN);
    CHECK_OK(mortal_pool_mend(pool));
    for (unsigned i = 4; i < 50; i++)
        CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    end_map(map);
    end(pool);
}

static int held(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    if (*(const uint64_t *)item >= 10) {
        word_add(&gates[0], 1);
        word_await(&gates[1], 1);
    }
    return 0;
}

static void without_a_supervisor(void)
{
    mortal_pool *pool = pool_with(2);
    mortal_map  *map = map_like(pool, held, (mortal_map_options){.window = 40});
    mortal_map_entry entry;
    for (unsigned i = 0; i < 40; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    word_await(&gates[0], 2);
    CHECK_OK(kill(supervisor_of(pool), SIGKILL));
    for (unsigned i = 0; i < 40; i++)
        CHECK_EQ(take(map).verdict.outcome, i < 10 ? MORTAL_DONE : MORTAL_LOST);
    CHECK_ERR(mortal_map_put(map, NULL, NULL, 0), -EOWNERDEAD);
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -EOWNERDEAD);
    CHECK_OK(mortal_map_end(map));
    CHECK_ERR(mortal_map_next(map, LIMIT, &entry), -ENOENT);
    CHECK_OK(mortal_map_close(map));
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
}

void test(void)
{
    calls = harness_shared(ITEMS_LONG);
    cleaned = harness_shared(ITEMS_LONG);
    gates = harness_shared(2 * sizeof *gates);
    mortal_pool *pool = pool_with(2);
    among_others(pool, MORTAL_MAP_IN_ORDER);
    among_others(pool, MORTAL_MAP_AS_FINISHED);
    some_hang(pool);
    all_of_them(pool);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
    recycled_in_the_middle();
    with_a_breaker();
    without_a_supervisor();
}
