/*
 * Null, made-up and ended handles, and null outputs, get -EINVAL from every call; nothing crashes.
 * Broken by: a handle that is followed before it is known.
 */
#include "tasks.h"

static void as_a_pool(mortal_pool *wrong)
{
    mortal_future future = {0, 0};
    mortal_group *group = NULL;
    mortal_stats stats;
    CHECK_ERR(mortal_pool_submit(wrong, task_nothing, NULL, 0, NULL, &future), -EINVAL);
    mortal_job job = {task_nothing, NULL, 0, NULL};
    CHECK_ERR(mortal_pool_try_submit(wrong, task_nothing, NULL, 0, NULL, &future), -EINVAL);
    CHECK_ERR(mortal_pool_submit_many(wrong, &job, 1, NULL, &future, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_kill(wrong, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_stats(wrong, &stats), -EINVAL);
    CHECK_ERR(mortal_pool_mend(wrong), -EINVAL);
    CHECK_ERR(mortal_pool_close(wrong, MORTAL_CLOSE_KILL, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_group_open(&group, wrong), -EINVAL);
    CHECK(group == NULL && future.place == 0 && future.life == 0);
    mortal_pool_kill_now(wrong, MORTAL_UNENDED);
    mortal_pool_seal(wrong);
}

static void as_a_group(mortal_pool *pool, mortal_group *wrong)
{
    mortal_task_options options = {.size = sizeof options, .group = wrong};
    mortal_verdict verdict;
    int fd = -7;
    CHECK_ERR(mortal_group_next(wrong, 0, &verdict), -EINVAL);
    CHECK_ERR(mortal_group_fd(wrong, &fd), -EINVAL);
    CHECK_EQ(fd, -7);
    CHECK_ERR(mortal_group_kill(wrong, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EINVAL);
    if (wrong) {
        CHECK_ERR(mortal_group_close(wrong), -EINVAL);
        CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL), -EINVAL);
    }
}

static void null_outputs(mortal_pool *pool, mortal_group *group)
{
    mortal_future future = submit(pool, task_nothing, NULL, 0);
    CHECK_ERR(mortal_pool_open(NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_stats(pool, NULL), -EINVAL);
    CHECK_ERR(mortal_group_open(NULL, pool), -EINVAL);
    CHECK_ERR(mortal_group_next(group, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_group_fd(group, NULL), -EINVAL);
    CHECK_ERR(mortal_future_look(future, NULL), -EINVAL);
    CHECK_ERR(mortal_future_take(future, MORTAL_FOREVER, NULL, NULL, 8), -EINVAL);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
}

static void wrong_arguments(mortal_pool *pool)
{
    mortal_task_options bad_size = {.size = 0};
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 8, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, &bad_size, NULL), -EINVAL);
    static const int scopes[] = {0, -1, 4, 5, 100, INT32_MIN};
    for (unsigned i = 0; i < COUNT(scopes); i++)
        CHECK_ERR(mortal_pool_kill(pool, scopes[i], 0, 0, NULL), -EINVAL);
    static const int ways[] = {0, -1, 4, 1000};
    for (unsigned i = 0; i < COUNT(ways); i++)
        CHECK_ERR(mortal_pool_close(pool, ways[i], 0, NULL), -EINVAL);
}

void test(void)
{
    static char zeros[4096], text[4096] = "not a handle at all";
    void *const nowhere = (void *)(UINTPTR_MAX / 2 - 4096);
    void *const wrong[] = {NULL, zeros, text, (void *)1, (void *)8, (void *)UINTPTR_MAX, nowhere};
    mortal_pool *ended = pool_with(1), *pool;
    mortal_group *group = NULL, *closed = NULL;
    drain(ended);
    pool = pool_with(1);
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_open(&closed, pool));
    CHECK_OK(mortal_group_close(closed));

    for (unsigned i = 0; i < COUNT(wrong); i++) {
        as_a_pool(wrong[i]);
        as_a_group(pool, wrong[i]);
    }
    if (ended != pool)
        as_a_pool(ended);
    as_a_pool((mortal_pool *)group);
    as_a_group(pool, closed);
    as_a_group(pool, (mortal_group *)pool);
    null_outputs(pool, group);
    wrong_arguments(pool);
    check_pool_works(pool);
    drain(pool);
}
