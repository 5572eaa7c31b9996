/*
 * In a stream of tiny tasks each second one is killed, at every moment of its life; the ones around it are never
 * hit.
 * Broken by: a kill that is decided by looking and carried out later, when the host already runs somebody else.
 */
#include "tasks.h"

enum { ROUNDS = 1500, ROUNDS_LONG = 30000, PATIENCE = 20, LONGEST_NS = 120000 };

static void spin_for(uint64_t duration_ns)
{
    uint64_t end = mortal_now_ns() + duration_ns;
    while (mortal_now_ns() < end)
        ;
}

static int spin(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    spin_for(*(const uint64_t *)input);
    return 0;
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static int one_round(mortal_pool *pool, uint32_t *random)
{
    uint64_t length = random_next(random) % 3 ? random_next(random) % LONGEST_NS : 0;
    uint64_t delay = random_next(random) % 3 ? random_next(random) % LONGEST_NS : 0;
    mortal_verdict verdict = {0};
    mortal_future before = submit(pool, task_double, &length, sizeof length);
    mortal_future victim = submit(pool, spin, &length, sizeof length);
    mortal_future after = submit(pool, task_double, &delay, sizeof delay);
    spin_for(delay);
    CHECK_OK(mortal_future_kill(victim, 0, MORTAL_FOREVER, &verdict));
    CHECK_EQ(outcome_and_release(before), MORTAL_DONE);
    CHECK_EQ(outcome_and_release(after), MORTAL_DONE);
    CHECK_OK(mortal_future_release(victim));
    return verdict.outcome;
}

static bool all_seen(const unsigned *outcomes)
{
    return outcomes[MORTAL_CANCELLED] && outcomes[MORTAL_DONE] && outcomes[MORTAL_KILLED];
}

void test(void)
{
    unsigned outcomes[16] = {0}, rounds = TEST_LONG ? ROUNDS_LONG : ROUNDS, round = 0;
    uint32_t random = 1;
    mortal_pool *pool = pool_with(1);
    for (; round < rounds || (!all_seen(outcomes) && round < rounds * PATIENCE); round++) {
        int outcome = one_round(pool, &random);
        CHECK(outcome == MORTAL_CANCELLED || outcome == MORTAL_DONE || outcome == MORTAL_KILLED);
        outcomes[outcome]++;
    }
    harness_note("%u kills: %u cancelled, %u done, %u killed", round, outcomes[MORTAL_CANCELLED], outcomes[MORTAL_DONE],
                 outcomes[MORTAL_KILLED]);
    CHECK(all_seen(outcomes));
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_KILLED], outcomes[MORTAL_KILLED]);
    CHECK_EQ(stats.host_kills, outcomes[MORTAL_KILLED]);
    drain(pool);
}
