/*
 * Where one of many tasks cannot be submitted the call says why, and how many were: those run, it and those behind it
 * do not, and their futures are as they were. A null array, a handle that is none, a full house, a sealed pool, a
 * signal in the middle of a wait.
 * Broken by: a count that is one off, a future that is given to a task that is none.
 */
#include "tasks.h"

#include <sys/time.h>

enum { JOBS = 100, HELD = 64, QUEUE = 40 };

static const uint64_t number = 3;
static mortal_job jobs[JOBS];
static mortal_future futures[JOBS];

static void make_jobs(void)
{
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] = (mortal_job){.function = task_double, .input = &number, .input_bytes = sizeof number};
        futures[i] = (mortal_future){7, i};
    }
}

static void check_first(size_t submitted)
{
    for (unsigned i = 0; i < submitted; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    for (unsigned i = (unsigned)submitted; i < JOBS; i++)
        CHECK(futures[i].place == 7 && futures[i].life == i);
}

static void one_is_wrong(mortal_pool *pool, size_t at, mortal_job wrong, int error, const mortal_task_options *options)
{
    size_t submitted = 999;
    char count[32];
    make_jobs();
    jobs[at] = wrong;
    CHECK_ERR(mortal_pool_submit_many(pool, jobs, JOBS, options, futures, &submitted), error);
    CHECK_EQ(submitted, at);
    snprintf(count, sizeof count, "many: %zu of %d", at, JOBS);
    CHECK(strstr(mortal_why(), count) != NULL);
    check_first(submitted);
    POLL_UNTIL(stats_of(pool).held == 0);
}

static void each_place_and_reason(mortal_pool *pool)
{
    static const size_t places[] = {0, 1, 7, 8, 31, 32, 33, 60};
    static char large[1 << 17];
    mortal_function *no_code = (mortal_function *)(uintptr_t)large; /* NOLINT(performance-no-int-to-ptr) */
    const mortal_task_options twice = {.size = sizeof twice, .attempts = 2};
    for (unsigned i = 0; i < COUNT(places); i++) {
        const mortal_task_options *options = i % 2 != 0 ? &twice : NULL;
        one_is_wrong(pool, places[i], (mortal_job){NULL, NULL, 0, NULL}, -EINVAL, options);
        one_is_wrong(pool, places[i], (mortal_job){task_nothing, NULL, 8, NULL}, -EINVAL, options);
        one_is_wrong(pool, places[i], (mortal_job){task_nothing, large, sizeof large, NULL}, -EMSGSIZE, options);
        one_is_wrong(pool, places[i], (mortal_job){no_code, NULL, 0, NULL}, -ENOEXEC, options);
    }
}

static void wrong_calls(mortal_pool *pool)
{
    size_t submitted = 999;
    mortal_task_options bad_size = {.size = 0};
    make_jobs();
    CHECK_ERR(mortal_pool_submit_many(NULL, jobs, JOBS, NULL, futures, &submitted), -EINVAL);
    CHECK_EQ(submitted, 0);
    CHECK_ERR(mortal_pool_submit_many(NULL, NULL, 0, NULL, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_submit_many((mortal_pool *)futures, jobs, JOBS, NULL, futures, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_submit_many(pool, NULL, 1, NULL, futures, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_submit_many(pool, jobs, JOBS, &bad_size, futures, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_submit_many(pool, jobs, 0, &bad_size, futures, NULL), -EINVAL);
    CHECK_OK(mortal_pool_submit_many(pool, NULL, 0, NULL, NULL, &submitted));
    CHECK_EQ(submitted, 0);
    check_first(0);
}

static void too_many_held(mortal_pool *pool)
{
    size_t submitted = 0;
    make_jobs();
    CHECK_ERR(mortal_pool_submit_many(pool, jobs, JOBS, NULL, futures, &submitted), -ENOBUFS);
    CHECK_EQ(submitted, HELD);
    check_first(submitted);
}

static void tick(int signal) { (void)signal; }

/* Nobody makes room. */
static void interrupted(mortal_pool *pool, struct gate *gate)
{
    struct sigaction action = {.sa_handler = tick}, before;
    struct itimerval timer = {.it_interval.tv_usec = 3000, .it_value.tv_usec = 3000}, none = {.it_value.tv_usec = 0};
    size_t submitted = 0;
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    make_jobs();
    CHECK_OK(sigaction(SIGALRM, &action, &before));
    CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
    CHECK_ERR(mortal_pool_submit_many(pool, jobs, JOBS, NULL, futures, &submitted), -EINTR);
    CHECK_OK(setitimer(ITIMER_REAL, &none, NULL));
    CHECK_OK(sigaction(SIGALRM, &before, NULL));
    CHECK_EQ(submitted, QUEUE);
    CHECK_EQ(stats_of(pool).pending, QUEUE);
    gate_open(gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    check_first(submitted);
}

static void sealed(mortal_pool *pool)
{
    size_t submitted = 999;
    make_jobs();
    mortal_pool_seal(pool);
    CHECK_ERR(mortal_pool_submit_many(pool, jobs, JOBS, NULL, futures, &submitted), -ESHUTDOWN);
    CHECK_EQ(submitted, 0);
    check_first(0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .held_tasks = HELD, .queue_tasks = QUEUE,
                                                        .inputs_bytes = 1 << 16});
    wrong_calls(pool);
    each_place_and_reason(pool);
    too_many_held(pool);
    interrupted(pool, gate);
    sealed(pool);
    drain(pool);
}
