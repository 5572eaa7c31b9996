/*
 * A restartable task whose within_ns ran out while it ran, and whose host then dies for another one's sake, waits again
 * with no time left: it expires at once.
 * Broken by: a search for what expires that forgets a task because it runs, and is not told when it waits again.
 */
#include "tasks.h"

enum { ROUNDS = 10, WITHIN_MS = 20 };

static void one_round(mortal_pool *pool, struct gate *gates)
{
    void *places[] = {&gates[0], &gates[1]};
    mortal_task_options options = {.attempts = 2, .within_ns = MS(WITHIN_MS)};
    pid_t supervisor = supervisor_of(pool);
    mortal_future innocent = submit_like(pool, task_held, &places[0], sizeof places[0], options);
    mortal_future victim = submit_at(pool, task_endless, places[1]);
    word_await(&gates[0].arrived, 1);
    word_await(&gates[1].arrived, 1);
    CHECK_OK(kill(supervisor, SIGSTOP));
    POLL_UNTIL(state_of_process(supervisor) == 'T');
    uint64_t over = mortal_now_ns() + MS(WITHIN_MS); /* it was submitted before */
    POLL_UNTIL(mortal_now_ns() > over);
    CHECK_EQ(mortal_future_kill(victim, 0, 0, NULL), -EINPROGRESS);
    CHECK_OK(kill(supervisor, SIGCONT));
    CHECK_EQ(outcome_and_release(victim), MORTAL_KILLED);
    int outcome = outcome_and_release(innocent);
    CHECK(outcome == MORTAL_EXPIRED || outcome == MORTAL_TIMED_OUT);
}

void test(void)
{
    struct gate *gates = gates_make(2 * ROUNDS);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    for (unsigned i = 0; i < ROUNDS; i++)
        one_round(pool, &gates[2 * i]);
    drain(pool);
}
