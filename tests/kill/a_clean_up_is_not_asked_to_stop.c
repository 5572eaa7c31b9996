/*
 * A clean-up of a task that was asked to stop, and killed or timed out for not doing so, is not asked itself: it may have a
 * critical section, which ends, and its descriptor does not say that it should stop; nor does the next task's in that host.
 * Broken by: taking a clean-up for the task whose word it has.
 */
#include "tasks.h"

#include <poll.h>

static bool is_told_to_stop(mortal_task *task)
{
    int fd;
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    struct pollfd told = {.fd = fd, .events = POLLIN};
    return poll(&told, 1, 0) == 1 || mortal_task_should_stop(task);
}

static int cleanup(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    CHECK(!is_told_to_stop(task));
    CHECK_OK(mortal_task_shield(task, true));
    CHECK_OK(mortal_task_shield(task, true));
    CHECK_OK(mortal_task_shield(task, false));
    CHECK_OK(mortal_task_shield(task, false));
    CHECK_OK(mortal_task_shield(task, true)); /* and one that is left open */
    word_add(*(word *const *)input, 1);
    return 0;
}

/* In a section that it does not end, until it is told to stop; then it tells, and goes on. */
static int linger(mortal_task *task, const void *input, size_t input_bytes)
{
    word *count = *(word *const *)input;
    CHECK_OK(mortal_task_on_death(task, cleanup, input, input_bytes));
    int error = mortal_task_shield(task, true);
    CHECK(error == 0 || error == -ECANCELED); /* on a machine so slow that it was asked already */
    word_add(count + 1, 1);
    while (!mortal_task_should_stop(task))
        ;
    compute_for_ever();
    return 0;
}

static int is_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return is_told_to_stop(task);
}

static void check(mortal_pool *pool, word *count, mortal_task_options options)
{
    mortal_verdict verdict;
    mortal_future future = submit_like(pool, linger, &count, sizeof count, options);
    while (!comes_to(future, count + 1)) {
        (void)outcome_and_release(future);
        atomic_store(count, 0);
        options.deadline_ns *= 2;
        future = submit_like(pool, linger, &count, sizeof count, options);
    }
    if (options.deadline_ns == 0) {
        CHECK_OK(mortal_future_kill(future, MS(20), MORTAL_FOREVER, &verdict));
    } else {
        verdict = wait_for(future);
    }
    CHECK_EQ(verdict.outcome, options.deadline_ns == 0 ? MORTAL_KILLED : MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_DONE);
    CHECK_EQ(atomic_load(count), 1);
    CHECK_OK(mortal_future_release(future));
    /* Who cleaned up takes the place of who dies next. */
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(outcome_and_release(submit(pool, is_asked, NULL, 0)), MORTAL_DONE);
        CHECK_EQ(outcome_and_release(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    }
}

void test(void)
{
    word *counts = harness_shared(4 * sizeof *counts); /* of clean-ups, and whether the task has come so far; twice */
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = 1, .cleanup_ns = LIMIT});
    check(pool, &counts[0], (mortal_task_options){0});
    check(pool, &counts[2], (mortal_task_options){.deadline_ns = MS(20), .shield_ns = MS(20)});
    check_pool_works(pool);
    end(pool);
}
