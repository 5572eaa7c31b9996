/*
 * Tasks turn back the log in which their worker tells of ends, so that no log names them: whoever takes the verdicts of a group
 * or the items of an open map gets them all the same, also if it only polls.
 * Broken by: an end that is looked for in logs alone.
 */
#include "hostile.h"

#include "openmap.h"

enum { ITEMS = 6, LOST = 3 };

static void turn_back(const mortal_task *task)
{
    const struct worker *worker = task->worker;
    harness_sleep_ms(1); /* items that take longer than some microseconds are runners of their own */
    atomic_fetch_sub(&desk_of(worker->region, worker->host->place.life, worker->index)->log_tail, 1);
}

static int item_turns_back(mortal_task *task, const void *item, void *result)
{
    (void)result;
    if (*(const uint64_t *)item < LOST)
        turn_back(task);
    return 0;
}

static int task_turns_back(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    turn_back(task);
    return 0;
}

static void of_a_map(mortal_pool *pool, uint64_t timeout_ns)
{
    mortal_map *map = map_like(pool, item_turns_back, (mortal_map_options){.item_bytes = sizeof(uint64_t), .window = 1});
    for (uint64_t i = 0; i < ITEMS; i++) {
        mortal_map_entry entry;
        int error;
        put_number(map, i);
        POLL_UNTIL((error = mortal_map_next(map, timeout_ns, &entry)) != -ETIMEDOUT);
        CHECK_OK(error);
        CHECK_EQ(entry.number, i);
        CHECK_EQ(entry.verdict.outcome, MORTAL_DONE);
    }
    end_map(map);
}

static void of_a_group(mortal_pool *pool, uint64_t timeout_ns)
{
    mortal_group *group = NULL;
    CHECK_OK(mortal_group_open(&group, pool));
    for (unsigned i = 0; i < LOST; i++) {
        mortal_verdict verdict;
        int error;
        mortal_future future = submit_like(pool, task_turns_back, NULL, 0, (mortal_task_options){.group = group});
        POLL_UNTIL((error = mortal_group_next(group, timeout_ns, &verdict)) != -ETIMEDOUT);
        CHECK_OK(error);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_OK(mortal_future_release(future));
    }
    CHECK_OK(mortal_group_close(group));
}

void test(void)
{
    mortal_pool *pool = pool_with(1);
    of_a_map(pool, LIMIT);
    of_a_map(pool, 0);
    of_a_group(pool, LIMIT);
    of_a_group(pool, 0);
    end(pool);
}
