/*
 * A restartable task whose within_ns ran out while it ran, and whose host then dies for another one's sake, waits again
 * with no time left: it expires at once.
 * Broken by: a search for what expires that forgets a task because it runs, and is not told when it waits again.
 */
#include "tasks.h"

enum { ROUNDS = 10, WITHIN_MS = 20, WITHIN_MOST_MS = 20000 };

/* It has to run before its time is over, which takes as long as the machine likes: with more time then. */
static mortal_future start_innocent(mortal_pool *pool, struct gate *gate, uint64_t *within_ns)
{
    for (;; *within_ns *= 2) {
        CHECK(*within_ns <= MS(WITHIN_MOST_MS));
        mortal_task_options options = {.attempts = 2, .within_ns = *within_ns};
        mortal_future innocent = submit_like(pool, task_held, &gate, sizeof gate, options);
        POLL_UNTIL(atomic_load(&gate->arrived) != 0 || look_at(innocent).phase == MORTAL_ENDED);
        if (atomic_load(&gate->arrived) != 0)
            return innocent;
        CHECK_EQ(outcome_and_release(innocent), MORTAL_EXPIRED);
    }
}

/* True: it was as meant. */
static bool one_round(mortal_pool *pool, struct gate *gates, uint64_t *within_ns)
{
    pid_t supervisor = supervisor_of(pool);
    mortal_future victim = submit_at(pool, task_endless, &gates[1]);
    word_await(&gates[1].arrived, 1);
    mortal_future innocent = start_innocent(pool, &gates[0], within_ns);
    CHECK_OK(kill(supervisor, SIGSTOP));
    POLL_UNTIL(state_of_process(supervisor) == 'T');
    uint64_t over = mortal_now_ns() + *within_ns; /* it was submitted before */
    POLL_UNTIL(mortal_now_ns() > over);
    CHECK(mortal_future_kill(victim, 0, 0, NULL) <= 0);
    CHECK_OK(kill(supervisor, SIGCONT));
    int cut = outcome_and_release(victim);
    CHECK(cut == MORTAL_KILLED || cut == MORTAL_COLLATERAL);
    if (cut == MORTAL_COLLATERAL) /* the supervisor was not stopped in time: the innocent one was late already */
        *within_ns *= 2;
    int outcome = outcome_and_release(innocent);
    CHECK(outcome == MORTAL_EXPIRED || outcome == MORTAL_TIMED_OUT);
    return cut == MORTAL_KILLED;
}

void test(void)
{
    struct gate *gates = gates_make(2 * ROUNDS);
    uint64_t within_ns = MS(WITHIN_MS);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    unsigned meant = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        meant += one_round(pool, &gates[2 * i], &within_ns);
    CHECK(meant != 0);
    drain(pool);
}
