/*
 * within_ns counts from submit: what still runs when it is over is killed and ends timed out; the earlier limit
 * wins.
 * Broken by: a within that only looks at pending tasks, or a deadline that replaces it.
 */
#include "tasks.h"

static void check_timed_out(mortal_pool *pool, struct gate *gate, uint64_t within_ns, uint64_t deadline_ns)
{
    mortal_task_options options = {.within_ns = within_ns, .deadline_ns = deadline_ns};
    mortal_future future = submit_like(pool, task_endless, &gate, sizeof gate, options);
    int outcome = outcome_and_release(future);
    if (deadline_ns == MS(10))
        CHECK_EQ(outcome, MORTAL_TIMED_OUT);
    else /* a slow machine may not have started it in time */
        CHECK_EQ(outcome, atomic_load(&gate->arrived) ? MORTAL_TIMED_OUT : MORTAL_EXPIRED);
    CHECK_EQ(stats_of(pool).running, 0);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    mortal_pool *pool = pool_with(1);
    check_timed_out(pool, &gates[0], MS(200), 0);
    check_timed_out(pool, &gates[1], MS(200), LIMIT);
    check_timed_out(pool, &gates[2], LIMIT, MS(10));
    check_pool_works(pool);
    drain(pool);
}
