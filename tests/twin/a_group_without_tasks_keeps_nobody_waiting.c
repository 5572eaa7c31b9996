/*
 * A thread sleeps in mortal_group_next(), and another one releases the only task of the group, which still runs: nothing
 * will come any more. The sleeper is rung by that very call, and says so.
 * Broken by: a release that rings nobody, and is noticed at the next look around.
 */
#include "twin.h"

static mortal_group *group;

static void *wait_for_nothing(void *argument)
{
    mortal_verdict verdict;
    (void)argument;
    CHECK_ERR(mortal_group_next(group, MORTAL_FOREVER, &verdict), -ENOENT);
    return NULL;
}

static void await_sleeper(uint32_t number)
{
    for (bool there = false; !there; sched_yield()) {
        seat_lock(twin.pool);
        there = twin.pool->groups[number]->sleepers != 0;
        seat_unlock(twin.pool);
    }
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = twin_open(1, 1, (mortal_pool_options){.held_tasks = 8});
    mortal_future future;
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_task_options options = {.size = sizeof options, .group = group};
    CHECK_OK(mortal_pool_submit(pool, task_held, &gate, sizeof gate, &options, &future));
    word_await(&gate->arrived, 1);
    pthread_t thread = thread_start(wait_for_nothing, NULL);
    await_sleeper(0);
    uint32_t bell = atomic_load(&claims_head(twin_region())->group_bell[0]);
    CHECK_OK(mortal_future_release(future));
    CHECK(atomic_load(&claims_head(twin_region())->group_bell[0]) != bell);
    pthread_join(thread, NULL);
    gate_open(gate);
    CHECK_OK(mortal_group_close(group));
    twin_close(pool);
}
