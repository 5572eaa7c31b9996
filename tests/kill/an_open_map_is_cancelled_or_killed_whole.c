/*
 * A kill of an open map, of the group in its options, or of the pool, by any scope and also from a signal handler, meets what
 * was put and no more: each item has one verdict, cancelled only if its function never began, killed if it was in hand; and the
 * map takes the next ones. Other maps and tasks do not notice.
 * Broken by: an item that is told cancelled and began, one that is waited for in vain, a kill that meets what is put after it.
 */
#include "openmap.h"

#include <pthread.h>

enum { HELD = 2, ITEMS = 500, FEW = 10 };
enum how { BY_MAP, BY_GROUP, BY_POOL, BY_NOW };

static word *steps;
static _Atomic unsigned char *calls;

/* The first HELD that come stay until they are let go. */
static int hold(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    atomic_fetch_add(&calls[*(const uint64_t *)item % (2 * ITEMS)], 1);
    if (word_add(&steps[0], 1) < HELD)
        word_await(&steps[1], 1);
    return 0;
}

static int nothing(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    return 0;
}

static void kill_it(mortal_pool *pool, mortal_map *map, mortal_group *group, enum how how, int scope, uint64_t grace_ns)
{
    mortal_kill_report report = {0};
    if (how == BY_MAP)
        CHECK_OK(mortal_map_kill(map, scope, grace_ns, LIMIT, &report));
    else if (how == BY_GROUP)
        CHECK_OK(mortal_group_kill(group, scope, grace_ns, LIMIT, NULL));
    else if (how == BY_POOL)
        CHECK_OK(mortal_pool_kill(pool, scope, grace_ns, LIMIT, NULL));
    else
        mortal_pool_kill_now(pool, scope);
    if (how != BY_MAP)
        return;
    CHECK_EQ(report.killed, (scope & MORTAL_RUNNING) != 0 ? HELD : 0);
    CHECK_EQ(report.never_started, (scope & MORTAL_PENDING) != 0 ? ITEMS - HELD : 0);
}

static void ends(mortal_pool *pool, enum how how, int scope, int order, uint64_t grace_ns)
{
    unsigned seen[16] = {0};
    mortal_group *group = NULL;
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_task_options task = {.size = sizeof task, .group = group};
    mortal_map *map = map_like(pool, hold, (mortal_map_options){.window = 2 * ITEMS, .order = order, .task = &task});
    memset((void *)calls, 0, 2 * ITEMS);
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    word_await(&steps[0], HELD);
    kill_it(pool, map, group, how, scope, grace_ns);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0)); /* not meant; and heeds what a signal handler said */
    word_set(&steps[1], 1);
    for (unsigned i = 0; i < 2 * ITEMS; i++) {
        mortal_map_entry entry = take(map);
        int outcome = entry.verdict.outcome;
        seen[outcome]++;
        CHECK(entry.number < ITEMS || outcome == MORTAL_DONE);
        CHECK_EQ(atomic_load(&calls[entry.number]), outcome != MORTAL_CANCELLED);
    }
    unsigned killed = (scope & MORTAL_RUNNING) != 0 ? HELD : 0;
    CHECK_EQ(seen[MORTAL_KILLED], killed);
    CHECK_EQ(seen[MORTAL_CANCELLED], (scope & MORTAL_PENDING) != 0 ? ITEMS - HELD : 0);
    CHECK_EQ(seen[MORTAL_DONE] + seen[MORTAL_CANCELLED] + killed, 2 * ITEMS);
    mortal_verdict verdict;
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ENOENT); /* nothing of a map arrives there */
    CHECK_OK(mortal_group_close(group));
    end_map(map);
}

static int hold_one(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    atomic_fetch_add(&calls[*(const uint64_t *)item], 1);
    if (*(const uint64_t *)item == ITEMS) {
        word_set(&steps[0], 1);
        word_await(&steps[1], 1);
    }
    return 0;
}

/* What a signal handler's kill cut, and what was behind that for the same worker, begins no more, whichever call comes next. */
static void is_heeded_by_a_kill(void)
{
    mortal_pool *pool = pool_with(1);
    mortal_map *map = map_like(pool, hold_one, (mortal_map_options){.window = 2 * ITEMS});
    memset((void *)calls, 0, 2 * ITEMS);
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    for (unsigned i = 0; i < FEW; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    word_await(&steps[0], 1);
    mortal_pool_kill_now(pool, MORTAL_UNENDED);
    POLL_UNTIL(stats_of(pool).running == 0);
    CHECK_OK(mortal_map_kill(map, MORTAL_RUNNING, 0, LIMIT, NULL));
    POLL_UNTIL(stats_of(pool).running + stats_of(pool).pending == 0);
    for (unsigned i = ITEMS; i < ITEMS + FEW; i++) {
        CHECK_EQ(take(map).verdict.outcome, i == ITEMS ? MORTAL_KILLED : MORTAL_CANCELLED);
        CHECK_EQ(atomic_load(&calls[i]), i == ITEMS);
    }
    end_map(map);
    end(pool);
}

/* Items that no runner could be submitted for: nothing was submitted between two kills. */
static void waiting_ones_are_met(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = 1, .held_tasks = 1});
    mortal_map *map = map_like(pool, nothing, (mortal_map_options){.window = FEW});
    mortal_future held = submit(pool, task_nothing, NULL, 0);
    CHECK_EQ(outcome_of(held), MORTAL_DONE); /* and it is not released */
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < FEW; i++)
            CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        mortal_pool_kill_now(pool, MORTAL_PENDING);
        for (unsigned i = 0; i < FEW; i++)
            CHECK_EQ(take(map).verdict.outcome, MORTAL_CANCELLED);
    }
    CHECK_OK(mortal_future_release(held));
    CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    end_map(map);
    end(pool);
}

/* Whoever sleeps in it hears of it. */
static void *await_cancelled(void *map)
{
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(take(map).verdict.outcome, i < HELD ? MORTAL_KILLED : MORTAL_CANCELLED);
    return NULL;
}

static void is_heard(mortal_pool *pool)
{
    pthread_t thread;
    mortal_map *map = map_like(pool, hold, (mortal_map_options){.window = 3});
    mortal_map *other = map_like(pool, nothing, (mortal_map_options){.window = 100});
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    word_await(&steps[0], HELD);
    CHECK_EQ(pthread_create(&thread, NULL, await_cancelled, map), 0);
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK(mortal_map_put(other, NULL, NULL, 0));
    CHECK_OK(mortal_map_kill(map, MORTAL_UNENDED, 0, LIMIT, NULL));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(take(other).verdict.outcome, MORTAL_DONE);
    end_map(other);
    end_map(map);
}

struct waiter {
    mortal_map *map;
    bool puts;
    word *waits;
};

static void *wait_in(void *context)
{
    struct waiter *w = context;
    mortal_map_entry entry;
    word_add(w->waits, 1);
    int error = w->puts ? mortal_map_put(w->map, NULL, NULL, MORTAL_FOREVER) : mortal_map_next(w->map, MORTAL_FOREVER, &entry);
    CHECK(error == -ESHUTDOWN || error == -EINVAL); /* the latter: it came too late */
    return NULL;
}

/* Closing the map, or its pool, kills what runs and sends home who waits. */
static void is_closed(bool puts, bool with_its_pool)
{
    mortal_pool *pool = pool_with(HELD);
    pthread_t thread;
    struct waiter waiter = {.map = map_like(pool, hold, (mortal_map_options){.window = HELD}), .puts = puts, .waits = &steps[2]};
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    word_set(&steps[2], 0);
    for (unsigned i = 0; i < HELD; i++)
        CHECK_OK(mortal_map_put(waiter.map, NULL, NULL, 0));
    word_await(&steps[0], HELD);
    CHECK_EQ(pthread_create(&thread, NULL, wait_in, &waiter), 0);
    word_await(&steps[2], 1);
    harness_sleep_ms(1); /* most likely it sleeps then; if not, that is right as well */
    if (!with_its_pool)
        CHECK_OK(mortal_map_close(waiter.map));
    else
        CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    if (with_its_pool)
        return;
    CHECK_EQ(stats_of(pool).running, 0);
    CHECK_EQ(stats_of(pool).buffers, 0);
    end(pool);
}

static void *close_it(void *map)
{
    int error = mortal_map_close(map);
    CHECK(error == 0 || error == -ESHUTDOWN || error == -EINVAL); /* the last: it came too late */
    return (void *)(intptr_t)error;
}

/* One of them does. */
static void is_closed_by_two(mortal_pool *pool)
{
    pthread_t thread;
    void *other;
    mortal_map *map = map_like(pool, hold, (mortal_map_options){.window = HELD});
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    for (unsigned i = 0; i < HELD; i++)
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    word_await(&steps[0], HELD);
    CHECK_EQ(pthread_create(&thread, NULL, close_it, map), 0);
    void *mine = close_it(map);
    CHECK_EQ(pthread_join(thread, &other), 0);
    CHECK((mine == NULL) != (other == NULL));
}

void test(void)
{
    steps = harness_shared(3 * sizeof *steps);
    calls = harness_shared(2 * ITEMS);
    mortal_pool *pool = pool_with(HELD);
    for (int order = MORTAL_MAP_IN_ORDER; order <= MORTAL_MAP_AS_FINISHED; order++) {
        for (enum how how = BY_MAP; how <= BY_POOL; how++)
            for (int scope = MORTAL_PENDING; scope <= MORTAL_UNENDED; scope++)
                ends(pool, how, scope, order, 0);
        ends(pool, BY_MAP, MORTAL_UNENDED, order, MS(1));
        ends(pool, BY_MAP, MORTAL_RUNNING, order, MS(1));
        ends(pool, BY_NOW, MORTAL_PENDING, order, 0);
    }
    is_heard(pool);
    is_heeded_by_a_kill();
    waiting_ones_are_met();
    for (unsigned i = 0; i < 100; i++)
        is_closed_by_two(pool);
    for (unsigned i = 0; i < 4; i++)
        is_closed(i % 2 != 0, i / 2 != 0);
    check_pool_works(pool);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
}
