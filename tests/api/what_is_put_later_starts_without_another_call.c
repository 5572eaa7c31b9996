/*
 * An item that is put into an open map starts with no further call, also where the worker that ran those before it was to be
 * replaced just then, in the middle of what it had taken up.
 * Broken by: a runner that leaves and still takes what is added to it.
 */
#include "openmap.h"

enum { ROUNDS = 300, MANY = 16 };

static word *last; /* number of the item that began last + 1 */

static int tell(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    word_set(last, (uint32_t) * (const uint64_t *)item + 1);
    return 0;
}

static void put_and_forget(int order)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .recycle_tasks = 20});
    mortal_map *map = map_like(pool, tell, (mortal_map_options){.window = ROUNDS * (MANY + 1), .order = order});
    uint32_t put = 0;
    word_set(last, 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < MANY; i++, put++)
            CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        for (unsigned looks = 0; looks < 20 && atomic_load(last) < put; looks++) /* those that it left start with the next call */
            harness_sleep_ms(1);
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        word_await(last, ++put);
    }
    for (unsigned i = 0; i < put; i++)
        CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    end_map(map);
    end(pool);
}

void test(void)
{
    last = harness_shared(sizeof *last);
    put_and_forget(MORTAL_MAP_IN_ORDER);
    put_and_forget(MORTAL_MAP_AS_FINISHED);
}
