/*
 * A map that makes no sense, or whose pool refuses it, is an error with a reason, and leaves its outcomes as they were.
 * Broken by: a size that wraps around, a buffer or a group that is left behind, an outcome for an item that never began.
 */
#include <sched.h>

#include "tasks.h"

static int nothing(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    return 0;
}

static int crash(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    raise(SIGKILL);
    return 0;
}

static void told_by_its_name(void)
{
    CHECK(strncmp(mortal_why(), "mortal_pool_map: ", 17) == 0); /* and not a call that it makes itself */
}

static void refused(mortal_pool *pool)
{
    static uint32_t items[4], results[4];
    uint8_t outcomes[4] = {0};
    size_t done = 77, many = SIZE_MAX / 2;
    mortal_task_options tagged = {.size = sizeof tagged, .tag = items};
    CHECK_ERR(mortal_pool_map(NULL, nothing, items, 4, results, 4, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, NULL, items, 4, results, 4, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, NULL, 4, results, 4, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 0, results, 4, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 4, NULL, 4, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 4, results, 0, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 4, results, 4, many, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, many, results, 4, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 4, results, many, 4, NULL, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 4, results, 4, 4, &tagged, outcomes, &done), -EINVAL);
    CHECK_ERR(mortal_pool_map(pool, nothing, NULL, 0, NULL, 0, (size_t)1 << 38, NULL, NULL, &done), -ENOMEM);
    told_by_its_name();
    tagged = (mortal_task_options){.size = sizeof tagged, .attempts = UINT32_MAX};
    CHECK_ERR(mortal_pool_map(pool, nothing, items, 4, results, 4, 4, &tagged, outcomes, &done), -EINVAL);
    told_by_its_name();
    CHECK_EQ(done, 77);
    for (unsigned i = 0; i < COUNT(outcomes); i++)
        CHECK_EQ(outcomes[i], 0);
    CHECK_EQ(stats_of(pool).buffers, 0);
}

static void with_a_breaker(void)
{
    uint8_t outcomes[50] = {0};
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .deaths = 3});
    size_t done = 77;
    CHECK_ERR(mortal_pool_map(pool, crash, NULL, 0, NULL, 0, COUNT(outcomes), NULL, outcomes, &done), -EHOSTDOWN);
    unsigned crashed = 0, left = 0;
    for (unsigned i = 0; i < COUNT(outcomes); i++) {
        crashed += outcomes[i] == MORTAL_CRASHED;
        left += outcomes[i] == 0;
    }
    CHECK_EQ(done, 0);
    CHECK_EQ(crashed, 4);
    CHECK_EQ(left, COUNT(outcomes) - 4);
    CHECK_OK(mortal_pool_mend(pool));
    CHECK_OK(mortal_pool_map(pool, nothing, NULL, 0, NULL, 0, COUNT(outcomes), NULL, outcomes, &done));
    CHECK_EQ(done, COUNT(outcomes) - 4);
    end(pool);
}

static void after_the_supervisor(void)
{
    uint8_t outcomes[5] = {0};
    mortal_pool *pool = pool_with(1);
    CHECK_OK(kill(supervisor_of(pool), SIGKILL));
    while (stats_of(pool).broken == 0) /* a map is fast, and hosts live a moment longer than the supervisor */
        (void)sched_yield();
    CHECK_ERR(mortal_pool_map(pool, nothing, NULL, 0, NULL, 0, COUNT(outcomes), NULL, outcomes, NULL), -EOWNERDEAD);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
}

void test(void)
{
    mortal_pool *pool = pool_with(1);
    refused(pool);
    size_t done = 77;
    CHECK_OK(mortal_pool_map(pool, nothing, NULL, 0, NULL, 0, 0, NULL, NULL, &done));
    CHECK_EQ(done, 0);
    mortal_pool_seal(pool);
    CHECK_ERR(mortal_pool_map(pool, nothing, NULL, 0, NULL, 0, 5, NULL, NULL, &done), -ESHUTDOWN);
    told_by_its_name();
    end(pool);
    CHECK_ERR(mortal_pool_map(pool, nothing, NULL, 0, NULL, 0, 5, NULL, NULL, &done), -EINVAL);
    with_a_breaker();
    after_the_supervisor();
}
