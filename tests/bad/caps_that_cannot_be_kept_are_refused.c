/*
 * A cap below what an empty host needs is refused, by open or by submit, with both figures; so are caps on memory of
 * single tasks where several share a host, growth without a cap, and nonsense.
 * Broken by: a pool whose hosts die before their first task.
 */
#include "tasks.h"

#include <sys/mman.h>

enum { MIB = 1 << 20, BALLAST_MIB = 64 };

static void refuse_open(mortal_pool_options options, const char *part)
{
    mortal_pool *pool = NULL;
    options.size = sizeof options;
    int error = mortal_pool_open(&pool, &options);
    if (error == 0)
        harness_fail(__FILE__, __LINE__, "opened, though not: %s", part);
    CHECK_ERR(error, -EINVAL);
    if (strstr(mortal_why(), part) == NULL)
        harness_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", mortal_why(), part);
    CHECK(pool == NULL);
    CHECK_EQ(harness_children(), 0);
}

static void refuse_submit(mortal_pool *pool, mortal_task_options options, const char *part)
{
    mortal_future future = {0, 0};
    options.size = sizeof options;
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, &future), -EINVAL);
    if (strstr(mortal_why(), part) == NULL)
        harness_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", mortal_why(), part);
    CHECK_EQ(future.life, 0);
}

void test(void)
{
    refuse_open((mortal_pool_options){.memory_bytes = 1}, "memory_bytes is 1 and a host without any task needs");
    /* What the program has in memory its hosts have too. */
    static char *volatile ballast;
    ballast = malloc((size_t)BALLAST_MIB * MIB);
    CHECK(ballast != NULL);
    memset(ballast, 1, (size_t)BALLAST_MIB * MIB);
    refuse_open((mortal_pool_options){.memory_bytes = (size_t)BALLAST_MIB * MIB}, "67108864");
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .memory_bytes = (size_t)3 * BALLAST_MIB * MIB});
    CHECK(stats_of(pool).empty_host_bytes > (uint64_t)BALLAST_MIB * MIB);
    refuse_submit(pool, (mortal_task_options){.memory_bytes = (size_t)BALLAST_MIB * MIB}, "67108864");
    refuse_submit(pool, (mortal_task_options){.memory_bytes = 1}, "memory_bytes is 1 and a host without any task needs");
    refuse_submit(pool, (mortal_task_options){.more_memory_percent = 1001}, "more_memory_percent");
    check_pool_works(pool);
    drain(pool);
    free(ballast);

    pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    refuse_submit(pool, (mortal_task_options){.memory_bytes = (size_t)256 * MIB}, "workers_per_host");
    refuse_submit(pool, (mortal_task_options){.more_memory_percent = 1}, "more_memory_percent is 1");
    check_pool_works(pool);
    drain(pool);

    mortal_task_options own = {.size = sizeof own, .memory_bytes = (size_t)256 * MIB};
    refuse_open((mortal_pool_options){.workers = 2, .workers_per_host = 2, .task = &own}, "workers_per_host");
    refuse_open((mortal_pool_options){.files = 3}, "files is 3");
    refuse_open((mortal_pool_options){.processes = 1000001}, "processes");
    refuse_open((mortal_pool_options){.recycle_tasks = 1000001}, "recycle_tasks");
    refuse_open((mortal_pool_options){.reserved2 = 1}, "reserved");
}
