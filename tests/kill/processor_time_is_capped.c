/*
 * A task that used its processor time is timed out, and the verdict says that it was this: of all threads of its host,
 * or with several workers in a host of its own thread. One that only waits is not hit, however long, nor what other tasks
 * and earlier ones used counted against it; and with attempts it starts again.
 * Broken by: counting time on the clock, from the start of the host, or of all workers.
 */
#include "tasks.h"

#include <pthread.h>
#include <time.h>

static uint64_t used_by(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void compute_for(uint64_t ns)
{
    for (uint64_t until = used_by(CLOCK_THREAD_CPUTIME_ID) + ns; used_by(CLOCK_THREAD_CPUTIME_ID) < until;)
        ;
}

static int hog(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    compute_for_ever();
}

static void *hog_in_thread(void *unused)
{
    (void)unused;
    compute_for_ever();
}

/* The task itself sleeps. */
static int hog_by_thread(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, hog_in_thread, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}

/* Uses half of what it may, and lasts three times as long. */
static int mostly_wait(mortal_task *task, const void *input, size_t input_bytes)
{
    uint64_t cap_ns;
    (void)task;
    memcpy(&cap_ns, input, input_bytes);
    for (int i = 0; i < 5; i++) {
        compute_for(cap_ns / 10);
        harness_sleep_ms((unsigned)(cap_ns / 1600000));
    }
    return 0;
}

static int second_time_quick(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    if (mortal_task_attempt(task) == 1)
        compute_for_ever();
    return 0;
}

static void check_hog(mortal_pool *pool, mortal_function *function, uint64_t cap_ns)
{
    char text[200];
    mortal_verdict verdict = wait_for(submit_like(pool, function, NULL, 0, (mortal_task_options){.cpu_ns = cap_ns}));
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_CPU);
    CHECK_EQ(verdict.attempts, 1);
    mortal_verdict_text(&verdict, text, sizeof text);
    CHECK(strstr(text, "processor time") != NULL);
    if (verdict.cpu_ns != 0) {
        harness_note("%llu ms allowed, %llu used", (unsigned long long)cap_ns / 1000000,
                     (unsigned long long)verdict.cpu_ns / 1000000);
        CHECK(verdict.cpu_ns >= cap_ns);
    }
    check_pool_works(pool);
}

static void check_pool(mortal_pool_options options)
{
    options.measure = MORTAL_MEASURE_CPU;
    mortal_pool *pool = pool_like(options);
    uint64_t cap_ns = MS(100);
    CHECK((stats_of(pool).caps & MORTAL_CAPS_CPU_WATCHED) != 0);
    mortal_future sleepers[2];
    for (unsigned i = 0; i < 2; i++)
        sleepers[i] = submit_like(pool, mostly_wait, &cap_ns, sizeof cap_ns, (mortal_task_options){.cpu_ns = cap_ns});
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(outcome_of(sleepers[i]), MORTAL_DONE);
    check_hog(pool, hog, cap_ns);
    if (options.workers_per_host == 1)
        check_hog(pool, hog_by_thread, cap_ns);
    mortal_future again = submit_like(pool, second_time_quick, NULL, 0, (mortal_task_options){.cpu_ns = cap_ns, .attempts = 2});
    CHECK_EQ(wait_for(again).attempts, 2);
    CHECK_EQ(outcome_of(again), MORTAL_DONE);
    CHECK_EQ(stats_of(pool).ended[MORTAL_TIMED_OUT], options.workers_per_host == 1 ? 2 : 1);
    drain(pool);
}

/* The pool's cap holds for its tasks but for those that have their own, or none. */
static void check_defaults(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .cpu_ns = MS(30)});
    uint64_t much_ns = MS(200);
    mortal_task_options without = {.cpu_ns = MORTAL_FOREVER}, with_more = {.cpu_ns = SECONDS(100)};
    mortal_verdict verdict = wait_for(submit(pool, hog, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_CPU);
    CHECK_EQ(outcome_of(submit_like(pool, mostly_wait, &much_ns, sizeof much_ns, without)), MORTAL_DONE);
    CHECK_EQ(outcome_of(submit_like(pool, mostly_wait, &much_ns, sizeof much_ns, with_more)), MORTAL_DONE);
    for (unsigned i = 0; i < 20; i++) { /* in one host, together more than one may */
        uint64_t some_ns = MS(10);
        CHECK_EQ(outcome_of(submit(pool, mostly_wait, &some_ns, sizeof some_ns)), MORTAL_DONE);
    }
    mortal_task_options both = {.cpu_ns = SECONDS(100), .deadline_ns = MS(50)};
    verdict = wait_for(submit_like(pool, hog, NULL, 0, both));
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.cause, 0);
    drain(pool);
}

void test(void)
{
    check_pool((mortal_pool_options){.workers = 2, .workers_per_host = 1});
    check_pool((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    check_defaults();
}
