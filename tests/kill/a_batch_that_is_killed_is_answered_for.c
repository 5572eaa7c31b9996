/*
 * A pool is killed again and again while a thread submits many tasks at a time, and in the end its supervisor: the call
 * tells how many it submitted, and each of these has one verdict, and no other task.
 * Broken by: a kill that passes over tasks which workers cannot see yet, a count that tells of tasks which were
 * refused.
 */
#include "tasks.h"

#include <pthread.h>

enum { BATCH = 100, BATCHES = 200, QUEUE = 60 };

static mortal_pool *pool;
static uint64_t submitted_in_all, ended[16];
static word batches, is_over;

/* Long enough to be met by a kill now and then. */
static int double_slowly(mortal_task *task, const void *input, size_t input_bytes)
{
    for (volatile unsigned turns = 0; turns < 20000; turns++)
        ;
    return task_double(task, input, input_bytes);
}

static void *submit_batches(void *argument)
{
    static mortal_job jobs[BATCH];
    mortal_future futures[BATCH];
    int error = 0;
    for (unsigned i = 0; i < BATCH; i++)
        jobs[i] = (mortal_job){.function = i % 10 != 0 ? task_double : double_slowly, .input = argument,
                               .input_bytes = sizeof(uint64_t)};
    while (error == 0) {
        size_t submitted = 0;
        error = mortal_pool_submit_many(pool, jobs, BATCH, NULL, futures, &submitted);
        CHECK(submitted == BATCH || error == -EOWNERDEAD);
        for (size_t i = 0; i < submitted; i++) {
            mortal_verdict verdict;
            uint64_t result = 0;
            CHECK_OK(mortal_future_take(futures[i], LIMIT, &verdict, &result, sizeof result));
            CHECK(verdict.outcome != MORTAL_DONE || result == 42);
            ended[verdict.outcome]++;
        }
        submitted_in_all += submitted;
        word_add(&batches, 1);
    }
    CHECK_ERR(error, -EOWNERDEAD);
    word_set(&is_over, 1);
    return NULL;
}

void test(void)
{
    static const int scopes[] = {MORTAL_PENDING, MORTAL_RUNNING, MORTAL_UNENDED};
    uint64_t number = 21, all = 0;
    pthread_t thread;
    pool = pool_like((mortal_pool_options){.workers = 2, .queue_tasks = QUEUE});
    CHECK_EQ(pthread_create(&thread, NULL, submit_batches, &number), 0);
    for (unsigned turn = 0; turn < BATCHES; turn++) {
        word_await(&batches, turn);
        CHECK_OK(mortal_pool_kill(pool, scopes[turn % COUNT(scopes)], 0, MORTAL_FOREVER, NULL));
    }
    CHECK_OK(kill(supervisor_of(pool), SIGKILL));
    word_await(&is_over, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    for (int outcome = 0; outcome < 16; outcome++)
        all += ended[outcome];
    CHECK_EQ(all, submitted_in_all);
    CHECK_EQ(all, ended[MORTAL_DONE] + ended[MORTAL_CANCELLED] + ended[MORTAL_KILLED] + ended[MORTAL_LOST]);
    CHECK_EQ(stats_of(pool).submitted, all);
    CHECK_EQ(stats_of(pool).held, 0);
    harness_note("%llu done, %llu cancelled, %llu killed, %llu lost", (unsigned long long)ended[MORTAL_DONE],
                 (unsigned long long)ended[MORTAL_CANCELLED], (unsigned long long)ended[MORTAL_KILLED],
                 (unsigned long long)ended[MORTAL_LOST]);
    end(pool);
}
