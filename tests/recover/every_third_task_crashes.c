/*
 * When every third task crashes, in ever other ways, each gets the right verdict and all others their results.
 * Broken by: a recovery that loses, doubles or blames a neighbour once in a while.
 */
#include "tasks.h"

#include <pthread.h>

enum { TASKS = 600, TASKS_LONG = 6000, WAYS = 5 };

struct expected {
    int cause, signal, code;
};

static const struct expected expected[WAYS] = {{MORTAL_CAUSE_SIGNAL, SIGABRT, 0},
                                               {MORTAL_CAUSE_SIGNAL, SIGSEGV, 0},
                                               {MORTAL_CAUSE_SIGNAL, SIGKILL, 0},
                                               {MORTAL_CAUSE_EXIT, 0, 0},
                                               {MORTAL_CAUSE_THREAD_EXIT, 0, 0}};

static void crash(uint64_t number)
{
    switch (number / 3 % WAYS) {
    case 0:
        abort();
    case 1:
        *(volatile int *)8 = 1;
        break;
    case 2:
        kill(getpid(), SIGKILL);
        break;
    case 3:
        exit(0);
    default:
        pthread_exit(NULL);
    }
}

static int every_third(mortal_task *task, const void *input, size_t input_bytes)
{
    uint64_t number = *(const uint64_t *)input;
    if (number % 3 == 0)
        crash(number);
    return task_double(task, input, input_bytes);
}

static void check_one(const mortal_verdict *verdict, uint64_t number)
{
    uint64_t answer = 0;
    if (number % 3) {
        CHECK_EQ(verdict->outcome, MORTAL_DONE);
        CHECK_EQ(verdict->result_bytes, sizeof answer);
        memcpy(&answer, verdict->result, sizeof answer);
        CHECK_EQ(answer, 2 * number);
        return;
    }
    const struct expected *as = &expected[number / 3 % WAYS];
    CHECK_EQ(verdict->outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict->cause, as->cause);
    CHECK_EQ(verdict->signal, as->signal);
    CHECK_EQ(verdict->exit_code, as->code);
    CHECK_EQ(verdict->attempts, 1);
}

void test(void)
{
    uint64_t tasks = TEST_LONG ? TASKS_LONG : TASKS;
    mortal_future *futures = calloc(tasks, sizeof *futures);
    mortal_pool *pool = pool_with(2);
    CHECK(futures != NULL);
    for (uint64_t i = 0; i < tasks; i++)
        futures[i] = submit(pool, every_third, &i, sizeof i);
    for (uint64_t i = 0; i < tasks; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        check_one(&verdict, i);
        CHECK_OK(mortal_future_release(futures[i]));
    }
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_CRASHED], (tasks + 2) / 3);
    CHECK_EQ(stats.host_deaths, (tasks + 2) / 3);
    CHECK_EQ(stats.host_kills, 0);
    free(futures);
    drain(pool);
}
