/*
 * A pool opens with default options, runs a task, closes, and leaves no process and no usable handle.
 * Broken by: a supervisor or host that outlives close, or a handle that still answers after it.
 */
#include "tasks.h"

void test(void)
{
    mortal_pool *pool = NULL;
    CHECK_OK(mortal_pool_open(&pool, NULL));
    CHECK(pool != NULL);

    check_pool_works(pool);
    pid_t supervisor = supervisor_of(pool);
    CHECK(supervisor > 0);
    CHECK(!harness_process_gone(supervisor));

    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL));
    CHECK(harness_process_gone(supervisor));
    CHECK_EQ(harness_children(), 0);
    CHECK_ERR(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL), -EINVAL);
}
