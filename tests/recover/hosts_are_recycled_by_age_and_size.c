/*
 * A host is replaced when it holds more memory than asked for, or is older, but never while it runs a task: that is done
 * first, in its old host, and meanwhile nothing runs in its place. One that has run nothing is not replaced for its age.
 * Broken by: an age that cuts a task, an idle pool that makes hosts for ever, memory that stays.
 */
#include "tasks.h"

enum { MIB = 1 << 20, LEAK_MIB = 96, AGE_MS = 40 };

static int leak(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    static char *volatile kept;
    kept = malloc((size_t)LEAK_MIB * MIB);
    if (kept)
        memset(kept, 1, (size_t)LEAK_MIB * MIB);
    return kept == NULL;
}

static void check_size(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .recycle_bytes = (size_t)LEAK_MIB / 2 * MIB});
    for (unsigned i = 1; i <= 3; i++) {
        CHECK_EQ(outcome_of(submit(pool, leak, NULL, 0)), MORTAL_DONE);
        POLL_UNTIL(stats_of(pool).recycled >= i);
        check_pool_works(pool);
    }
    for (unsigned i = 0; i < 100; i++)
        check_pool_works(pool);
    CHECK_EQ(stats_of(pool).recycled, 3);
    drain(pool);
}

static void check_age(struct gate *gate)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .recycle_ns = MS(AGE_MS)});
    mortal_future held = submit_at(pool, task_held, gate), next = submit(pool, task_nothing, NULL, 0);
    word_await(&gate->arrived, 1);
    pid_t host = host_of(held);
    harness_sleep_ms(5 * AGE_MS);
    CHECK_EQ(host_of(held), host); /* old enough, and busy */
    CHECK_EQ(stats_of(pool).recycled, 0);
    CHECK_EQ(look_at(next).phase, MORTAL_PENDING);
    gate_open(gate);
    CHECK_EQ(outcome_of(held), MORTAL_DONE);
    CHECK_EQ(outcome_of(next), MORTAL_DONE);
    POLL_UNTIL(stats_of(pool).recycled >= 1);
    harness_wait_gone(host);
    check_pool_works(pool);
    uint64_t recycled;
    do {
        recycled = stats_of(pool).recycled;
        harness_sleep_ms(5 * AGE_MS);
    } while (recycled < 2 || stats_of(pool).recycled != recycled); /* then it is fresh, and idle */
    CHECK(recycled <= 3); /* the next one may have run in the old host or in the fresh one */
    POLL_UNTIL(stats_of(pool).host_deaths == recycled);
    CHECK_EQ(stats_of(pool).host_kills, 0);
    drain(pool);
}

/* A kill, and a crash, of what runs in a host that is about to leave. */
static void check_ends(struct gate *gates)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2, .recycle_tasks = 3});
    for (unsigned i = 0; i < 2; i++) {
        mortal_future endless = submit_at(pool, task_endless, &gates[i]);
        word_await(&gates[i].arrived, 1);
        pid_t host = host_of(endless);
        for (unsigned k = 0; k < 20; k++)
            check_pool_works(pool); /* by the worker that is left, then by the new host */
        CHECK_EQ(host_of(endless), host);
        CHECK_OK(i == 0 ? mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL) : kill(host, SIGKILL));
        CHECK_EQ(outcome_of(endless), i == 0 ? MORTAL_KILLED : MORTAL_CRASHED);
        check_pool_works(pool);
    }
    drain(pool);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    check_size();
    check_age(&gates[0]);
    check_ends(&gates[1]);
}
