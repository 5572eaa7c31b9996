/*
 * When init works at first and fails later, the pool tries on: pending tasks run once init works again, and a pool
 * whose hosts never come up can be closed.
 * Broken by: a respawn that gives up in silence, a close that waits for a host that never comes, hosts without init.
 */
#include "tasks.h"

enum { FAILURES = 3 };

struct scene {
    struct gate gates[2];
    word inits, failures_left;
};

static bool is_prepared; /* in the host */

static int prepare(const void *context, size_t context_bytes)
{
    (void)context_bytes;
    struct scene *scene = *(struct scene *const *)context;
    atomic_fetch_add(&scene->inits, 1);
    for (uint32_t left; (left = atomic_load(&scene->failures_left)) > 0;)
        if (atomic_compare_exchange_strong(&scene->failures_left, &left, left - 1))
            return 1;
    is_prepared = true;
    return 0;
}

static int needs_init(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return is_prepared ? 0 : 1;
}

static void kill_the_host(mortal_pool *pool, struct gate *gate)
{
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE, .init = prepare,
                                                        .context = &scene, .context_bytes = sizeof scene});
    CHECK_EQ(atomic_load(&scene->inits), 1);
    atomic_store(&scene->failures_left, FAILURES);
    kill_the_host(pool, &scene->gates[0]);
    CHECK_EQ(outcome_of(submit(pool, needs_init, NULL, 0)), MORTAL_DONE);
    CHECK_EQ(atomic_load(&scene->inits), FAILURES + 2);

    atomic_store(&scene->failures_left, UINT32_MAX);
    kill_the_host(pool, &scene->gates[1]);
    mortal_future pending = submit(pool, needs_init, NULL, 0);
    CHECK_ERR(mortal_future_wait(pending, MS(50), NULL), -ETIMEDOUT);
    end(pool);
}
