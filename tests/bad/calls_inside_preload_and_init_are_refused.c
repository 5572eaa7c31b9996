/*
 * preload and init run in processes of the pool: what only the owner may call is refused there too.
 * Broken by: a pool that opens pools of its own for each host.
 */
#include "tasks.h"

static int open_another(const void *context, size_t context_bytes)
{
    (void)context_bytes;
    word *calls = *(word *const *)context;
    mortal_pool *pool = NULL;
    if (mortal_pool_open(&pool, NULL) != -EPERM || mortal_task_self() != NULL)
        return 1;
    atomic_fetch_add(calls, 1);
    return 0;
}

void test(void)
{
    word *calls = harness_shared(sizeof *calls);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE, .preload = open_another,
                                                        .init = open_another, .context = &calls,
                                                        .context_bytes = sizeof calls});
    CHECK_EQ(atomic_load(calls), 2);
    check_pool_works(pool);
    drain(pool);
}
