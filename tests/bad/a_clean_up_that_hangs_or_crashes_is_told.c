/*
 * A clean-up that hangs is killed when its time is over, one that crashes is told, and so is one that returns a status;
 * none is run a second time, and the others of its task are run all the same. The verdict comes in any case and names
 * the worst. What does not fit is refused, and changes nothing.
 * Broken by: a clean-up that is waited for for ever, or tried again, or that keeps its task's others from running.
 */
#include "tasks.h"

#include <pthread.h>

struct scene {
    struct gate gate;
    word before, bad, after; /* how often each ran: the one left first, the one that misbehaves, the one left last */
};

enum misdeed { HANGS, CRASHES, EXITS, ENDS_ITS_THREAD, EXECS, FAILS, FORKS_AND_RETURNS, IS_NO_CODE, MISDEEDS };

static const int told[MISDEEDS] = {
    [HANGS] = MORTAL_CLEANUP_TIMED_OUT, [CRASHES] = MORTAL_CLEANUP_CRASHED, [EXITS] = MORTAL_CLEANUP_CRASHED,
    [ENDS_ITS_THREAD] = MORTAL_CLEANUP_CRASHED, [EXECS] = MORTAL_CLEANUP_TIMED_OUT, [FAILS] = MORTAL_CLEANUP_FAILED,
    [FORKS_AND_RETURNS] = MORTAL_CLEANUP_DONE, [IS_NO_CODE] = MORTAL_CLEANUP_CRASHED,
};

struct input {
    struct scene *scene;
    enum misdeed misdeed;
};

static int misbehave(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct input *in = input;
    word_add(&in->scene->bad, 1);
    switch (in->misdeed) {
    case HANGS:
        compute_for_ever();
    case CRASHES:
        abort();
    case EXITS:
        exit(0);
    case ENDS_ITS_THREAD:
        pthread_exit(NULL);
    case EXECS:
        execl("/bin/sleep", "sleep", "1000", (char *)NULL);
        CHECK(false);
        break;
    case FORKS_AND_RETURNS:
        return fork() < 0;
    default:
        break;
    }
    return 7;
}

static int count_before(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct scene *const *)input)->before, 1);
    return 0;
}

static int count_after(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct scene *const *)input)->after, 1);
    return 0;
}

static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct input *in = input;
    mortal_function *bad = in->misdeed == IS_NO_CODE ? (mortal_function *)(uintptr_t)0x7777 : misbehave;
    CHECK_OK(mortal_task_on_death(task, count_before, &in->scene, sizeof in->scene));
    CHECK_OK(mortal_task_on_death(task, bad, input, input_bytes));
    CHECK_OK(mortal_task_on_death(task, count_after, &in->scene, sizeof in->scene));
    word_add(&in->scene->gate.arrived, 1);
    compute_for_ever();
}

static void check_misdeed(mortal_pool *pool, struct scene *scene, enum misdeed misdeed)
{
    struct input input = {scene, misdeed};
    mortal_future future = submit(pool, body, &input, sizeof input);
    mortal_verdict verdict;
    word_await(&scene->gate.arrived, 1);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    CHECK_EQ(verdict.cleanup, told[misdeed]);
    CHECK_EQ(atomic_load(&scene->after), 1);
    CHECK_EQ(atomic_load(&scene->bad), misdeed != IS_NO_CODE);
    CHECK_EQ(atomic_load(&scene->before), 1);
    char text[200];
    CHECK(mortal_verdict_text(&verdict, text, sizeof text) < sizeof text);
    CHECK_EQ(strstr(text, "clean-up") != NULL, told[misdeed] != MORTAL_CLEANUP_DONE);
    CHECK_OK(mortal_future_release(future));
    check_pool_works(pool);
}

static int leave_too_much(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    static char large[497];
    struct scene *scene = *(struct scene *const *)input;
    CHECK_ERR(mortal_task_on_death(NULL, count_before, NULL, 0), -EINVAL);
    CHECK_ERR(mortal_task_on_death(task, count_before, NULL, 1), -EINVAL);
    CHECK_ERR(mortal_task_on_death(task, NULL, large, 1), -EINVAL);
    CHECK_ERR(mortal_task_on_death(task, NULL, NULL, 0), -ENOENT);
    CHECK_ERR(mortal_task_on_death(task, count_before, large, sizeof large), -EMSGSIZE);
    for (int i = 0; i < 8; i++)
        CHECK_OK(mortal_task_on_death(task, count_before, &scene, sizeof scene));
    CHECK_ERR(mortal_task_on_death(task, count_before, &scene, sizeof scene), -ENOBUFS);
    for (int i = 0; i < 8; i++)
        CHECK_OK(mortal_task_on_death(task, NULL, NULL, 0));
    CHECK_ERR(mortal_task_on_death(task, NULL, NULL, 0), -ENOENT);
    for (int i = 0; i < 8; i++)
        CHECK_OK(mortal_task_on_death(task, count_after, &scene, sizeof scene));
    abort();
}

void test(void)
{
    struct scene *scenes = harness_shared((MISDEEDS + 1) * sizeof *scenes);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .cleanup_ns = MS(100)});
    for (unsigned misdeed = 0; misdeed < MISDEEDS; misdeed++)
        check_misdeed(pool, &scenes[misdeed], misdeed);
    mortal_future future = submit_at(pool, leave_too_much, &scenes[MISDEEDS]);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_DONE);
    CHECK_EQ(atomic_load(&scenes[MISDEEDS].after), 8);
    CHECK_EQ(atomic_load(&scenes[MISDEEDS].before), 0);
    drain(pool);
}
