/*
 * A result that was published stays readable after its host is killed, small and large, taken before or after the
 * kill.
 * Broken by: results that are unmapped, reused or overwritten with the host that made them.
 */
#include "tasks.h"

enum { KILLS = 6, LARGE = 300 * 1024 };

static int reply_pattern(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    unsigned seed = *(const unsigned *)input;
    size_t bytes = seed % 2 ? 20 : LARGE;
    unsigned char *result = mortal_task_result(task, bytes);
    if (!result)
        return 1;
    for (size_t i = 0; i < bytes; i++)
        result[i] = (unsigned char)(i * 13 + seed);
    return 0;
}

static void check_pattern(mortal_future future, unsigned seed)
{
    mortal_verdict verdict = wait_for(future);
    const unsigned char *result = verdict.result;
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, seed % 2 ? 20 : LARGE);
    for (size_t i = 0; i < verdict.result_bytes; i++)
        if (result[i] != (unsigned char)(i * 13 + seed))
            harness_fail(__FILE__, __LINE__, "result %u differs at byte %zu", seed, i);
}

void test(void)
{
    struct gate *gates = gates_make(KILLS);
    mortal_future finished[2 * KILLS];
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    for (unsigned i = 0; i < 2 * KILLS; i++) {
        finished[i] = submit(pool, reply_pattern, &i, sizeof i);
        if (i % 3)
            check_pattern(finished[i], i);
        else
            POLL_UNTIL(look_at(finished[i]).phase == MORTAL_ENDED);
        if (i % 2) {
            mortal_future endless = submit_at(pool, task_endless, &gates[i / 2]);
            word_await(&gates[i / 2].arrived, 1);
            CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
            CHECK_EQ(outcome_and_release(endless), MORTAL_KILLED);
        }
    }
    for (unsigned i = 0; i < 2 * KILLS; i++)
        check_pattern(finished[i], i);
    for (unsigned i = 0; i < 2 * KILLS; i++)
        CHECK_OK(mortal_future_release(finished[i]));
    drain(pool);
}
