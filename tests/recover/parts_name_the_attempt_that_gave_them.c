/*
 * Each part names the attempt that emitted it, also when it is taken in the very moment in which its host is buried and the
 * start is charged.
 * Broken by: a count of starts that is read when the supervisor has raised it, beside parts of the start before.
 */
#include "parts.h"

/* So many parts that they are still being taken when their host is buried. */
enum { STARTS = 1200, STARTS_LONG = 20000, PARTS = 1500 };

static int tell_and_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    uint32_t attempt = mortal_task_attempt(task);
    (void)input_bytes;
    for (unsigned i = 0; i < PARTS; i++)
        CHECK_OK(mortal_task_emit(task, &attempt, sizeof attempt, MORTAL_FOREVER));
    if (attempt < *(const uint32_t *)input)
        abort();
    return 0;
}

void test(void)
{
    uint32_t      starts = TEST_LONG ? STARTS_LONG : STARTS;
    mortal_pool  *pool = pool_like((mortal_pool_options){.workers = 1, .standby = 2});
    mortal_future future = submit_like(pool, tell_and_crash, &starts, sizeof starts,
                                       (mortal_task_options){.attempts = starts});
    for (uint32_t i = 0; i < starts * PARTS; i++) {
        mortal_part part = part_of(future);
        CHECK_EQ(part.bytes, sizeof part.attempt);
        CHECK_EQ(*(const uint32_t *)part.data, i / PARTS + 1);
        CHECK_EQ(part.attempt, i / PARTS + 1);
    }
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    drain(pool);
}
