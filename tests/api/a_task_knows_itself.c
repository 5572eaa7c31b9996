/*
 * mortal_task_self finds the task of the calling thread, however deep in other code; outside of a task there is
 * none.
 * Broken by: a null in a callback, or a task that a foreign thread mistakes for its own.
 */
#include "tasks.h"

#include <pthread.h>

static int compare(const void *left, const void *right)
{
    (void)left, (void)right;
    mortal_task_reply(mortal_task_self(), "from below", 11);
    return 0;
}

static void *look_from_another_thread(void *found)
{
    *(mortal_task **)found = mortal_task_self();
    return NULL;
}

static int find_myself(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int numbers[2] = {2, 1};
    mortal_task *found = task;
    pthread_t thread;
    if (!task || mortal_task_self() != task)
        return 1;
    if (mortal_task_attempt(task) != 1 || mortal_task_should_stop(task))
        return 2;
    if (pthread_create(&thread, NULL, look_from_another_thread, &found) || pthread_join(thread, NULL))
        return 3;
    if (found)
        return 4;
    qsort(numbers, 2, sizeof numbers[0], compare);
    return 0;
}

void test(void)
{
    CHECK(mortal_task_self() == NULL);
    CHECK_EQ(mortal_task_attempt(NULL), 0);
    CHECK(!mortal_task_should_stop(NULL));
    CHECK(mortal_task_result(NULL, 10) == NULL);
    CHECK_ERR(mortal_task_reply(NULL, "x", 1), -EINVAL);

    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    mortal_future futures[8];
    for (unsigned i = 0; i < COUNT(futures); i++)
        futures[i] = submit(pool, find_myself, NULL, 0);
    for (unsigned i = 0; i < COUNT(futures); i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.status, 0);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_STR((const char *)verdict.result, "from below");
    }
    CHECK(mortal_task_self() == NULL);
    drain(pool);
}
