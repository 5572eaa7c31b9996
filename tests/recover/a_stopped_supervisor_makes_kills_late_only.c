/*
 * While the supervisor is stopped tasks run and end as ever; a kill says -EINPROGRESS and takes effect when it
 * continues.
 * Broken by: a submit or wait that needs the supervisor, a kill that is called done, one that is forgotten, and a
 * caller that sleeps on when the stopped supervisor dies.
 */
#include "tasks.h"

#include <pthread.h>

static void stop(pid_t process)
{
    CHECK_OK(kill(process, SIGSTOP));
    POLL_UNTIL(state_of_process(process) == 'T');
}

static void kills_are_late(mortal_pool *pool, struct gate *gate)
{
    pid_t supervisor = supervisor_of(pool);
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    POLL_UNTIL(stats_of(pool).hosts == 2); /* a stopped supervisor brings no host into action */
    stop(supervisor);
    for (unsigned i = 0; i < 100; i++)
        check_pool_works(pool);
    CHECK_ERR(mortal_future_kill(endless, 0, MS(20), NULL), -EINPROGRESS);
    CHECK_EQ(look_at(endless).phase, MORTAL_RUNNING);
    check_pool_works(pool);
    CHECK_OK(kill(supervisor, SIGCONT));
    CHECK_EQ(outcome_of(endless), MORTAL_KILLED);
    check_pool_works(pool);
}

struct killer {
    mortal_future victim;
    word thread;
};

static void *kill_for_ever(void *argument)
{
    struct killer *killer = argument;
    mortal_verdict verdict = {0};
    word_set(&killer->thread, (uint32_t)syscall(SYS_gettid));
    int error = mortal_future_kill(killer->victim, 0, MORTAL_FOREVER, &verdict);
    CHECK(error == -EOWNERDEAD || (error == 0 && verdict.outcome == MORTAL_LOST));
    return NULL;
}

static bool sleeps(struct killer *killer)
{
    char who[64];
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&killer->thread));
    return state_of(who) == 'S';
}

static void its_death_ends_a_kill_that_waits(mortal_pool *pool, struct gate *gate)
{
    struct killer killer = {.victim = submit_at(pool, task_endless, gate)};
    pid_t supervisor = supervisor_of(pool);
    pthread_t thread;
    word_await(&gate->arrived, 1);
    stop(supervisor);
    CHECK_OK(pthread_create(&thread, NULL, kill_for_ever, &killer));
    word_await(&killer.thread, 1);
    POLL_UNTIL(sleeps(&killer));
    CHECK_OK(kill(supervisor, SIGKILL));
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_EQ(outcome_of(killer.victim), MORTAL_LOST);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(2);
    kills_are_late(pool, &gates[0]);
    its_death_ends_a_kill_that_waits(pool, &gates[1]);
    drain(pool);
    POLL_UNTIL(harness_children() == 0);
}
