/*
 * Short items that were given to the runner of one that takes long are run by another, all but those that were taken up with
 * it, and whatever the program does meanwhile: sleep, look now and then, look for a moment, put more.
 * Broken by: what is behind a long item being given to others only while somebody sleeps.
 */
#include "openmap.h"

enum { WARM = 2000, SHORT = 200, UP_WITH_IT = 15, WINDOW = 4096 };
enum way { POLL, LOOK_SHORTLY, PUT, WAYS };

static word *gate, *entered, *passed; /* passed: of those behind the long one */

static int work(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task, (void)result;
    if (number == WARM) {
        word_set(entered, 1);
        word_await(gate, 1);
    } else if (number > WARM && number <= WARM + SHORT) {
        word_add(passed, 1);
    }
    return 0;
}

static uint64_t taken;

static void check(const mortal_map_entry *entry, int order)
{
    CHECK_EQ(entry->verdict.outcome, MORTAL_DONE);
    CHECK(order != MORTAL_MAP_IN_ORDER || entry->number == taken);
    taken++;
}

static void some_call(mortal_map *map, enum way way, int order, uint64_t *put)
{
    mortal_map_entry entry;
    if (way == PUT) {
        put_number(map, (*put)++);
        return;
    }
    int error = mortal_map_next(map, way == POLL ? 0 : 10000, &entry);
    CHECK(error == 0 || error == -ETIMEDOUT);
    if (error == 0)
        check(&entry, order);
}

static void go(mortal_pool *pool, int order, enum way way)
{
    mortal_map_options shape = {.item_bytes = sizeof(uint64_t), .window = WINDOW, .order = order};
    mortal_map *map = map_like(pool, work, shape);
    uint64_t put = 0;
    mortal_map_entry entry;
    word_set(gate, 0), word_set(entered, 0), word_set(passed, 0);
    taken = 0;
    while (put < WARM)
        put_number(map, put++);
    while (taken < WARM) {
        entry = take(map);
        check(&entry, order);
    }
    while (put < WARM + 1 + SHORT)
        put_number(map, put++);
    POLL_UNTIL((some_call(map, way, order, &put), atomic_load(passed) >= SHORT - UP_WITH_IT));
    word_await(entered, 1);
    word_set(gate, 1);
    while (taken < put) {
        entry = take(map);
        check(&entry, order);
    }
    CHECK_EQ(atomic_load(passed), SHORT);
    end_map(map);
}

void test(void)
{
    gate = harness_shared(3 * sizeof *gate);
    entered = gate + 1, passed = gate + 2;
    mortal_pool *pool = pool_with(2);
    for (unsigned round = 0; round < 5; round++)
        for (int way = 0; way < WAYS; way++) {
            go(pool, MORTAL_MAP_IN_ORDER, (enum way)way);
            go(pool, MORTAL_MAP_AS_FINISHED, (enum way)way);
        }
    end(pool);
}
