/*
 * After close every call on the pool, its groups and its futures is refused; nothing is touched that is no more.
 * Broken by: a use after free.
 */
#include "tasks.h"

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(1);
    mortal_group *group = NULL;
    mortal_verdict verdict;
    mortal_stats stats;
    mortal_look look;
    int fd;
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_future done = submit(pool, task_nothing, NULL, 0), cut = submit_at(pool, task_endless, gate);
    wait_for(done);
    end(pool);

    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_submit_many(pool, NULL, 0, NULL, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_stats(pool, &stats), -EINVAL);
    CHECK_ERR(mortal_pool_mend(pool), -EINVAL);
    mortal_pool_kill_now(pool, MORTAL_UNENDED);
    mortal_pool_seal(pool);
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -EINVAL);
    CHECK_ERR(mortal_group_fd(group, &fd), -EINVAL);
    CHECK_ERR(mortal_group_close(group), -EINVAL);
    mortal_future both[] = {done, cut};
    for (unsigned i = 0; i < COUNT(both); i++) {
        CHECK_ERR(mortal_future_wait(both[i], MORTAL_FOREVER, &verdict), -ESTALE);
        CHECK_ERR(mortal_future_look(both[i], &look), -ESTALE);
        CHECK_ERR(mortal_future_cancel(both[i]), -ESTALE);
        CHECK_ERR(mortal_future_kill(both[i], 0, MORTAL_FOREVER, &verdict), -ESTALE);
        CHECK_ERR(mortal_future_release(both[i]), -ESTALE);
    }
}
