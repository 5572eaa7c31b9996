/*
 * The library starts no thread in the owner, whatever is asked of it.
 * Broken by: a helper thread for reaping, killing or waiting; programs that fork or count threads would notice.
 */
#include "tasks.h"

static unsigned threads(void)
{
    return entries_of("/proc/self/task");
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_group *group = NULL;
    mortal_verdict verdict;
    int fd;
    CHECK_EQ(threads(), 1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .measure = MORTAL_MEASURE_TIMES});
    CHECK_EQ(threads(), 1);
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.group = group});
    CHECK_EQ(threads(), 1);
    CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
    CHECK_EQ(threads(), 1);
    mortal_future endless = submit_at(pool, task_endless, gate);
    CHECK_OK(mortal_future_kill(endless, MS(1), MORTAL_FOREVER, NULL));
    CHECK_EQ(threads(), 1);
    CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(threads(), 1);
    drain(pool);
    CHECK_EQ(threads(), 1);
}
