/*
 * Zero in an option is the default that the header names, and null options are all defaults.
 * Broken by: a default that differs from what is documented, or a "none" that is taken for a default.
 */
#include "tasks.h"

#include <sched.h>

static void all_defaults(void)
{
    cpu_set_t processors;
    mortal_pool *pool = NULL;
    CHECK_OK(sched_getaffinity(0, sizeof processors, &processors));
    CHECK_OK(mortal_pool_open(&pool, NULL));
    mortal_stats stats = stats_of(pool);
    CHECK(stats.workers >= 1);
    CHECK(stats.workers <= (unsigned)CPU_COUNT(&processors));
    CHECK(stats.input_bytes_max >= 1 << 20);
    CHECK(stats.result_bytes_max >= 1 << 20);
    POLL_UNTIL(stats_of(pool).standby == 1 && stats_of(pool).hosts == stats.workers); /* one per worker */
    drain(pool);
}

static void the_queue_has_4096_places(struct gate *gate)
{
    unsigned count = 0;
    int error;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE});
    submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    while ((error = mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, NULL)) == 0)
        count++;
    CHECK_ERR(error, -EAGAIN);
    CHECK_EQ(count, 4096);
    CHECK_EQ(stats_of(pool).standby, 0);
    gate_open(gate);
    drain(pool);
}

static void workers_can_share_hosts(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 4, .workers_per_host = 2, .standby = 2});
    POLL_UNTIL(stats_of(pool).hosts == 2 && stats_of(pool).standby == 2);
    CHECK_EQ(stats_of(pool).workers, 4);
    check_pool_works(pool);
    drain(pool);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    all_defaults();
    the_queue_has_4096_places(gate);
    workers_can_share_hosts();
}
