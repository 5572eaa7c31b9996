/*
 * Results that nobody has asked for yet survive whatever happens to their hosts and to the next ones: kills, crashes
 * and strangers' signals.
 * Broken by: a verdict that is only true as long as its host lives, or result memory that the next host takes over.
 */
#include "tasks.h"

enum { ROUNDS = 24, BYTES = 1 << 18 };

static int reply_pattern(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint32_t seed = *(const uint32_t *)input, *result = mortal_task_result(task, BYTES);
    if (!result)
        return 1;
    for (uint32_t i = 0; i < BYTES / sizeof *result; i++)
        result[i] = i * 2654435761u + seed;
    return 0;
}

static void check_pattern(mortal_future future, uint32_t seed)
{
    mortal_verdict verdict = wait_for(future);
    const uint32_t *result = verdict.result;
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, BYTES);
    for (uint32_t i = 0; i < BYTES / sizeof *result; i++)
        if (result[i] != i * 2654435761u + seed)
            harness_fail(__FILE__, __LINE__, "result %u differs at word %u", seed, i);
}

static void bring_down_the_host(mortal_pool *pool, struct gate *gate, unsigned round)
{
    if (round % 3 == 0) {
        CHECK_EQ(outcome_and_release(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
        return;
    }
    mortal_future victim = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    if (round % 3 == 1)
        CHECK_OK(kill(host_of(victim), SIGKILL));
    else
        CHECK_OK(mortal_future_kill(victim, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_and_release(victim), round % 3 == 1 ? MORTAL_CRASHED : MORTAL_KILLED);
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    mortal_future finished[ROUNDS];
    mortal_pool *pool = pool_with(1);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        finished[i] = submit(pool, reply_pattern, &i, sizeof i);
        bring_down_the_host(pool, &gates[i], i);
    }
    for (uint32_t i = 0; i < ROUNDS; i++)
        check_pattern(finished[i], i);
    end(pool);
}
