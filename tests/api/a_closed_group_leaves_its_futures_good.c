/*
 * Closing a group ends only the group: its tasks run on, their futures can be waited for, its waiters are told.
 * Broken by: a future that goes stale with its group, a waiter that sleeps for ever, a handle that still answers.
 */
#include "tasks.h"

#include <pthread.h>

struct waiter {
    mortal_group *group;
    word thread;
    int error;
};

static void *wait_in_group(void *argument)
{
    struct waiter *waiter = argument;
    mortal_verdict verdict;
    word_set(&waiter->thread, (uint32_t)syscall(SYS_gettid));
    waiter->error = mortal_group_next(waiter->group, MORTAL_FOREVER, &verdict);
    return NULL;
}

static bool sleeps(struct waiter *waiter)
{
    char who[64];
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&waiter->thread));
    return state_of(who) == 'S';
}

void test(void)
{
    struct gate *gate = gates_make(1);
    void *place = gate;
    mortal_pool *pool = pool_with(1);
    mortal_group *group = NULL;
    mortal_verdict verdict;
    CHECK_OK(mortal_group_close(NULL));
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_future running = submit_like(pool, task_held, &place, sizeof place, (mortal_task_options){.group = group});
    mortal_future pending = submit_like(pool, task_echo, "later", 6, (mortal_task_options){.group = group});

    struct waiter waiter = {.group = group};
    pthread_t thread;
    CHECK_OK(pthread_create(&thread, NULL, wait_in_group, &waiter));
    word_await(&waiter.thread, 1);
    POLL_UNTIL(sleeps(&waiter));
    CHECK_OK(mortal_group_close(group));
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_EQ(waiter.error, -ESHUTDOWN);
    CHECK_ERR(mortal_group_close(group), -EINVAL);
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -EINVAL);

    gate_open(gate);
    CHECK_EQ(outcome_of(running), MORTAL_DONE);
    verdict = wait_for(pending);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_STR((const char *)verdict.result, "later");
    drain(pool);
}
