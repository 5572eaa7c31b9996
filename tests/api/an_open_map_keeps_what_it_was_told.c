/*
 * The options of an open map are read while it is opened and never again: the name that its items have is the one that was told
 * then, whatever stands in that memory when they are put.
 * Broken by: a pointer of the caller's that is kept, and followed with the next runner.
 */
#include "openmap.h"

enum { ITEMS = 5 };

static int crash(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    abort();
}

static void check(mortal_pool *pool, char *name, const char *told)
{
    mortal_task_options task = {.size = sizeof task, .name = name};
    mortal_map *map = map_like(pool, crash, (mortal_map_options){.task = &task});
    if (name != NULL)
        memset(name, 'x', strlen(name));
    free(name); /* only what finds errors in memory sees what is read there now */
    for (unsigned i = 0; i < ITEMS; i++) {
        mortal_obituary obituary = {0};
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        mortal_map_entry entry = take(map);
        CHECK_EQ(entry.verdict.outcome, MORTAL_CRASHED);
        CHECK_OK(mortal_pool_obituary(pool, entry.verdict.obituary, &obituary));
        CHECK_STR(obituary.culprit.name, told);
    }
    end_map(map);
}

void test(void)
{
    mortal_task_options usual = {.size = sizeof usual, .name = "usual"};
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .task = &usual});
    check(pool, strdup("image"), "image");
    check(pool, NULL, "usual");
    end(pool);
}
