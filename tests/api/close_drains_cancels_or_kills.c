/*
 * The three ways to close: drain runs everything, cancel takes back what is pending, kill asks and then cuts.
 * Broken by: a drain that drops a task, a cancel that starts one, a grace that is not given, a report that does not
 * count.
 */
#include "tasks.h"

#include <pthread.h>

enum { PENDING = 25 };

struct scene {
    struct gate gate;
    word ran, watching;
};

static mortal_pool *pool_with_one_running(struct scene *scene, mortal_function *function, mortal_future *last)
{
    mortal_pool *pool = pool_with(1);
    submit_at(pool, function, &scene->gate);
    word_await(&scene->gate.arrived, 1);
    for (unsigned i = 0; i < PENDING; i++)
        *last = submit_at(pool, task_count, &scene->ran);
    return pool;
}

static void drain_runs_everything(struct scene *scene)
{
    mortal_future last;
    mortal_kill_report report = {0};
    mortal_pool *pool = pool_with_one_running(scene, task_held, &last);
    gate_open(&scene->gate);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, &report));
    CHECK_EQ(atomic_load(&scene->gate.passed), 1);
    CHECK_EQ(atomic_load(&scene->ran), PENDING);
    CHECK_EQ(report.killed + report.never_started + report.still_dying, 0);
}

static void drain_kills_what_does_not_end_in_its_grace(struct scene *scene)
{
    mortal_future last;
    mortal_kill_report report = {0};
    mortal_pool *pool = pool_with_one_running(scene, task_endless, &last);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MS(1), &report));
    CHECK_EQ(report.killed, 1);
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(atomic_load(&scene->ran), 0);
}

static void *open_when_the_pool_is_closing(void *argument)
{
    struct scene *scene = ((void **)argument)[0];
    mortal_future *last = ((void **)argument)[1];
    mortal_look look;
    word_set(&scene->watching, 1);
    POLL_UNTIL(mortal_future_look(*last, &look) != 0 || look.phase == MORTAL_ENDED);
    gate_open(&scene->gate);
    return NULL;
}

static void cancel_lets_the_running_task_end(struct scene *scene)
{
    mortal_future last;
    mortal_kill_report report = {0};
    mortal_pool *pool = pool_with_one_running(scene, task_held, &last);
    void *arguments[] = {scene, &last};
    pthread_t thread;
    CHECK_OK(pthread_create(&thread, NULL, open_when_the_pool_is_closing, arguments));
    word_await(&scene->watching, 1);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_CANCEL, MORTAL_FOREVER, &report));
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.killed, 0);
    CHECK_EQ(atomic_load(&scene->gate.passed), 1);
    CHECK_EQ(atomic_load(&scene->ran), 0);
}

static int return_when_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct gate *gate = *(struct gate *const *)input;
    word_add(&gate->arrived, 1);
    while (!mortal_task_should_stop(task))
        harness_sleep_ms(1);
    word_add(&gate->passed, 1);
    return 0;
}

static void kill_asks_first(struct scene *scene)
{
    mortal_future last;
    mortal_kill_report report = {0};
    mortal_pool *pool = pool_with_one_running(scene, return_when_asked, &last);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, LIMIT, &report));
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.finished_first, 1);
    CHECK_EQ(report.killed, 0);
    CHECK_EQ(atomic_load(&scene->gate.passed), 1);
}

static void kill_without_grace_cuts(struct scene *scene)
{
    mortal_future last;
    mortal_kill_report report = {0};
    mortal_pool *pool = pool_with_one_running(scene, task_endless, &last);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, &report));
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.killed, 1);
    CHECK_EQ(atomic_load(&scene->ran), 0);
}

void test(void)
{
    struct scene *scenes = harness_shared(5 * sizeof *scenes);
    drain_runs_everything(&scenes[0]);
    drain_kills_what_does_not_end_in_its_grace(&scenes[1]);
    kill_asks_first(&scenes[2]);
    kill_without_grace_cuts(&scenes[3]);
    cancel_lets_the_running_task_end(&scenes[4]); /* last: it is the one that starts a thread */
}
