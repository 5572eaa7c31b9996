/*
 * An open map runs its function once for each item that is put, gives back each with its result and tag in the order in which
 * they were put, and holds no more than its window: who puts more waits for who takes, or is told that nobody else can.
 * Broken by: an item that is lost between two runners or run by both, a full window that a sleeper does not hear of, a result
 * of another item.
 */
#include "openmap.h"

#include <pthread.h>

enum { ITEMS = 200000, ITEMS_LONG = 5000000, WINDOW = 100 };

struct item {
    uint64_t number;
    char     text[24];
};

static _Atomic unsigned char *calls;

static int work(mortal_task *task, const void *from, void *to)
{
    const struct item *item = from;
    (void)task;
    atomic_fetch_add(&calls[item->number], 1);
    *(uint64_t *)to = item->number * 3;
    return item->number % 1000 == 7 ? (int)(item->number % 100) : 0;
}

static size_t items(void) { return TEST_LONG ? ITEMS_LONG : ITEMS; }

static void check_entry(const mortal_map_entry *entry, uint64_t number)
{
    const struct item *item = entry->item;
    CHECK_EQ(entry->number, number);
    CHECK_EQ(item->number, number);
    CHECK_STR(item->text, "as it was put");
    CHECK_EQ((uintptr_t)entry->verdict.tag, number + 5);
    CHECK_EQ(entry->verdict.outcome, number % 1000 == 7 ? MORTAL_FAILED : MORTAL_DONE);
    CHECK_EQ(entry->verdict.status, number % 1000 == 7 ? 7 : 0);
    CHECK_EQ(entry->verdict.attempts, 1);
    CHECK_EQ(entry->verdict.result_bytes, sizeof(uint64_t));
    CHECK_EQ(*(const uint64_t *)entry->verdict.result, number * 3);
}

static int put(mortal_map *map, uint64_t number, uint64_t timeout_ns)
{
    struct item item = {.number = number, .text = "as it was put"};
    return mortal_map_put(map, &item, (void *)(uintptr_t)(number + 5), timeout_ns);
}

static const mortal_map_options shape = {.item_bytes = sizeof(struct item), .result_bytes = sizeof(uint64_t), .window = WINDOW};

static void check_calls(void)
{
    for (size_t i = 0; i < items(); i++)
        CHECK_EQ(atomic_load(&calls[i]), 1);
    memset((void *)calls, 0, items());
}

static void by_one_thread(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, work, shape);
    uint64_t    put_count = 0;
    for (uint64_t taken = 0; taken < items(); taken++) {
        while (put_count < items() && put(map, put_count, 0) == 0)
            put_count++;
        CHECK(put_count - taken <= WINDOW);
        mortal_map_entry entry = take(map);
        check_entry(&entry, taken);
    }
    end_map(map);
    check_calls();
}

static void *feed(void *map)
{
    for (uint64_t i = 0; i < items(); i++)
        CHECK_OK(put(map, i, LIMIT));
    CHECK_OK(mortal_map_end(map));
    return NULL;
}

/* There is somebody else who could take, and does not. */
static void *take_nothing(void *is_over)
{
    word_await(is_over, 1);
    return NULL;
}

static void nobody_takes(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, work, shape);
    word        is_over = 0;
    pthread_t   thread;
    CHECK_EQ(pthread_create(&thread, NULL, take_nothing, &is_over), 0);
    for (uint64_t i = 0; i < WINDOW; i++)
        CHECK_OK(put(map, i, 0));
    CHECK_ERR(put(map, WINDOW, MS(3)), -ETIMEDOUT);
    mortal_map_entry entry = take(map);
    check_entry(&entry, 0);
    CHECK_OK(put(map, WINDOW, MS(3)));
    for (uint64_t i = 1; i <= WINDOW; i++) {
        entry = take(map);
        check_entry(&entry, i);
    }
    word_set(&is_over, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    end_map(map);
    memset((void *)calls, 0, items());
}

static void by_two_threads(mortal_pool *pool)
{
    mortal_map      *map = map_like(pool, work, shape);
    mortal_map_entry entry;
    pthread_t        thread;
    CHECK_EQ(pthread_create(&thread, NULL, feed, map), 0);
    for (uint64_t taken = 0; taken < items(); taken++) {
        entry = take(map);
        check_entry(&entry, taken);
    }
    CHECK_ERR(mortal_map_next(map, LIMIT, &entry), -ENOENT);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_OK(mortal_map_close(map));
    check_calls();
}

/* Nobody calls, and what was put runs all the same. */
static void by_itself(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, work, shape);
    for (uint64_t i = 0; i < WINDOW; i++)
        CHECK_OK(put(map, i, 0));
    for (uint64_t i = 0; i < WINDOW; i++)
        POLL_UNTIL(atomic_load(&calls[i]) == 1);
    CHECK_OK(mortal_map_close(map));
    memset((void *)calls, 0, items());
}

static void full(mortal_pool *pool)
{
    mortal_map      *map = map_like(pool, work, shape);
    mortal_map_entry entry;
    CHECK_ERR(mortal_map_next(map, 0, &entry), -ETIMEDOUT);
    CHECK_ERR(mortal_map_next(map, MS(1), &entry), -ETIMEDOUT); /* nothing was put */
    for (uint64_t i = 0; i < WINDOW; i++)
        CHECK_OK(put(map, i, 0));
    CHECK_ERR(put(map, WINDOW, 0), -EAGAIN);
    until_single_threaded();
    CHECK_ERR(put(map, WINDOW, MORTAL_FOREVER), -EDEADLK);
    entry = take(map);
    check_entry(&entry, 0);
    CHECK_OK(put(map, WINDOW, 0));
    check_entry(&entry, 0); /* still there */
    CHECK_OK(mortal_map_end(map));
    CHECK_ERR(put(map, WINDOW, 0), -ESHUTDOWN);
    for (uint64_t i = 1; i <= WINDOW; i++) {
        entry = take(map);
        check_entry(&entry, i);
    }
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -ENOENT);
    CHECK_OK(mortal_map_close(map));
    CHECK_ERR(mortal_map_next(map, 0, &entry), -EINVAL);
    memset((void *)calls, 0, items());
}

static int check_number(mortal_task *task, const void *item, void *result)
{
    (void)task;
    return result == NULL ? (int)(*(const uint64_t *)item % 3) : 9;
}

/* No item, no result, one cell. */
static void numbers(mortal_pool *pool)
{
    mortal_map *map = map_like(pool, check_number, (mortal_map_options){.window = 1});
    for (uint64_t i = 0; i < 3000; i++) {
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        CHECK_ERR(mortal_map_put(map, NULL, NULL, 0), -EAGAIN);
        mortal_map_entry entry = take(map);
        CHECK_EQ(entry.number, i);
        CHECK_EQ(entry.verdict.status, i % 3);
        CHECK(entry.item == NULL && entry.verdict.result == NULL);
    }
    end_map(map);
}

void test(void)
{
    calls = harness_shared(items());
    mortal_pool *pool = pool_with(2);
    by_one_thread(pool);
    by_two_threads(pool);
    by_itself(pool);
    nobody_takes(pool);
    full(pool);
    numbers(pool);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
}
