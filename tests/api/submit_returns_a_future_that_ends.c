/*
 * submit gives a future; waiting for it tells how the task ended, as often as asked, until it is released.
 * Broken by: a status or result that is lost, a verdict that changes between two waits, a tag that does not come
 * back.
 */
#include "tasks.h"

static int fail_with(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    mortal_task_reply(task, "why", 4);
    return *(const int *)input;
}

static void a_task_that_returns_zero_is_done(mortal_pool *pool)
{
    static int mine;
    mortal_future future = submit_like(pool, task_echo, "hello", 6, (mortal_task_options){.tag = &mine});
    mortal_verdict first = wait_for(future), again = wait_for(future);
    CHECK_EQ(first.outcome, MORTAL_DONE);
    CHECK_EQ(first.status, 0);
    CHECK(first.tag == &mine);
    CHECK_EQ(first.attempts, 1);
    CHECK(memcmp(&first.future, &future, sizeof future) == 0);
    CHECK_EQ(first.result_bytes, 6);
    CHECK_STR((const char *)first.result, "hello");
    CHECK(memcmp(&first, &again, sizeof first) == 0);

    CHECK_OK(mortal_future_release(future));
    CHECK_ERR(mortal_future_wait(future, 0, &again), -ESTALE);
    CHECK_ERR(mortal_future_release(future), -ESTALE);
    CHECK(memcmp(&first, &again, sizeof first) == 0); /* outputs are untouched on failure */
}

static void any_other_status_is_failed_and_keeps_the_result(mortal_pool *pool)
{
    static const int statuses[] = {1, -1, 77, INT32_MAX, INT32_MIN};
    for (unsigned i = 0; i < COUNT(statuses); i++) {
        mortal_future future = submit(pool, fail_with, &statuses[i], sizeof statuses[i]);
        mortal_verdict verdict = wait_for(future);
        CHECK_EQ(verdict.outcome, MORTAL_FAILED);
        CHECK_EQ(verdict.status, statuses[i]);
        CHECK_EQ(verdict.result_bytes, 4);
        CHECK_STR((const char *)verdict.result, "why");
        CHECK_OK(mortal_future_release(future));
    }
}

static void a_task_that_has_not_ended_says_so(mortal_pool *pool, struct gate *gate)
{
    mortal_future future = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    CHECK_ERR(mortal_future_wait(future, 0, NULL), -ETIMEDOUT);
    CHECK_ERR(mortal_future_wait(future, MS(1), NULL), -ETIMEDOUT);
    gate_open(gate);
    CHECK_OK(mortal_future_wait(future, LIMIT, NULL));
    CHECK_OK(mortal_future_release(future));
}

static void without_a_place_for_it_the_future_is_released_at_once(mortal_pool *pool, word *count)
{
    CHECK_OK(mortal_pool_submit(pool, task_count, &count, sizeof count, NULL, NULL));
    word_await(count, 1);
    POLL_UNTIL(stats_of(pool).held == 0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *count = harness_shared(sizeof *count);
    mortal_pool *pool = pool_with(2);
    a_task_that_returns_zero_is_done(pool);
    any_other_status_is_failed_and_keeps_the_result(pool);
    a_task_that_has_not_ended_says_so(pool, gate);
    without_a_place_for_it_the_future_is_released_at_once(pool, count);
    drain(pool);
}
