/*
 * A kill of what runs, of an open map or of a group, ends what has begun and nothing else: a task that a worker has claimed and
 * not begun waits again, and so do all the items that it was to run. Kills are sent while workers claim short tasks, and
 * meet some at that moment.
 * Broken by: a kill of each task by its name, which does not tell that waiting ones are not meant.
 */
#include "openmap.h"

enum { WORKERS = 4, ITEMS = 64, ROUNDS = 2000, KILL_EVERY = 8 };

static void be_busy(void)
{
    for (volatile unsigned turns = 0; turns < 5000; turns++)
        ;
}

static int short_item(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    be_busy();
    return 0;
}

static int short_task(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    be_busy();
    return 0;
}

static unsigned killed;

static void check(const mortal_verdict *verdict)
{
    CHECK(verdict->outcome == MORTAL_DONE || verdict->outcome == MORTAL_KILLED);
    killed += verdict->outcome == MORTAL_KILLED;
}

static void of_a_map(mortal_pool *pool, unsigned round)
{
    mortal_map *map = map_like(pool, short_item, (mortal_map_options){.window = ITEMS});
    for (unsigned i = 0; i < ITEMS; i++) {
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        if (i % KILL_EVERY == round % KILL_EVERY)
            CHECK_OK(mortal_map_kill(map, MORTAL_RUNNING, 0, LIMIT, NULL));
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        mortal_map_entry entry = take(map);
        check(&entry.verdict);
    }
    end_map(map);
}

static void of_a_group(mortal_pool *pool, unsigned round)
{
    mortal_group *group = NULL;
    mortal_verdict verdict;
    CHECK_OK(mortal_group_open(&group, pool));
    for (unsigned i = 0; i < ITEMS; i++) {
        (void)submit_like(pool, short_task, NULL, 0, (mortal_task_options){.group = group});
        if (i % KILL_EVERY == round % KILL_EVERY)
            CHECK_OK(mortal_group_kill(group, MORTAL_RUNNING, 0, LIMIT, NULL));
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
        check(&verdict);
        CHECK_OK(mortal_future_release(verdict.future));
    }
    CHECK_OK(mortal_group_close(group));
}

void test(void)
{
    mortal_pool *pool = pool_with(WORKERS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        of_a_map(pool, round);
        of_a_group(pool, round);
    }
    harness_note("%u were killed", killed);
    end(pool);
}
