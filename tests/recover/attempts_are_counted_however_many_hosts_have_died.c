/*
 * A restartable task starts at most `attempts` times by its own fault, also when the part of the answers that its dead
 * host wrote to is given straight to the next host, which happens once in so many deaths.
 * Broken by: a charge that knows a death by a number which another host has by now.
 */
#include "tasks.h"

enum { DEATHS = 140, ATTEMPTS = 2 }; /* more than two rounds of giving out what dead hosts left */

static int count_and_die(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    _Atomic uint32_t *starts;
    memcpy(&starts, input, sizeof starts);
    atomic_fetch_add(starts, 1);
    raise(SIGKILL);
    return 0;
}

void test(void)
{
    _Atomic uint32_t *starts = harness_shared(sizeof *starts);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE});
    for (unsigned death = 0; death < DEATHS; death += ATTEMPTS) {
        mortal_task_options twice = {.attempts = ATTEMPTS};
        atomic_store(starts, 0);
        /* One death between them in every other round, so that each place in the rounds is met. */
        if (death % (2 * ATTEMPTS) == 0)
            CHECK_EQ(outcome_and_release(submit_at(pool, count_and_die, starts)), MORTAL_CRASHED);
        atomic_store(starts, 0);
        mortal_future future = submit_like(pool, count_and_die, &starts, sizeof starts, twice);
        mortal_verdict verdict = wait_for(future);
        CHECK_EQ(verdict.outcome, MORTAL_QUARANTINED);
        CHECK_EQ(atomic_load(starts), ATTEMPTS);
        CHECK_EQ(verdict.attempts, ATTEMPTS);
        CHECK_OK(mortal_future_release(future));
    }
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL));
}
