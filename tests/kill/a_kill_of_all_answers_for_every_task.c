/*
 * A kill of the pool tells for every task what it did: cancelled what was pending, killed what ran, kept what had
 * ended.
 * Broken by: a task that is not counted or counted twice, a scope that reaches too far, a pool that does not live
 * on.
 */
#include "tasks.h"

enum { RUNNING = 2, PENDING = 10, ENDED = 3 };

struct scene {
    mortal_pool *pool;
    mortal_future ended[ENDED], running[RUNNING], pending[PENDING];
};

static void make_scene(struct scene *scene, struct gate *gate, word *count)
{
    uint32_t arrived = atomic_load(&gate->arrived);
    for (unsigned i = 0; i < ENDED; i++)
        CHECK_EQ(outcome_of(scene->ended[i] = submit(scene->pool, task_echo, "kept", 5)), MORTAL_DONE);
    for (unsigned i = 0; i < RUNNING; i++)
        scene->running[i] = submit_at(scene->pool, task_held, gate);
    for (unsigned i = 0; i < PENDING; i++)
        scene->pending[i] = submit_at(scene->pool, task_count, count);
    word_await(&gate->arrived, arrived + RUNNING);
}

static void check_and_release(const mortal_future *futures, unsigned count, int outcome)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(outcome_and_release(futures[i]), outcome);
}

static void check_ended(struct scene *scene)
{
    for (unsigned i = 0; i < ENDED; i++)
        CHECK_STR((const char *)wait_for(scene->ended[i]).result, "kept");
    check_and_release(scene->ended, ENDED, MORTAL_DONE);
}

static void kill_pending(struct scene *scene, struct gate *gate, word *count)
{
    mortal_kill_report report = {0};
    make_scene(scene, gate, count);
    CHECK_OK(mortal_pool_kill(scene->pool, MORTAL_PENDING, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.killed + report.still_dying + report.hosts, 0);
    check_and_release(scene->pending, PENDING, MORTAL_CANCELLED);
    for (unsigned i = 0; i < RUNNING; i++)
        CHECK_EQ(look_at(scene->running[i]).phase, MORTAL_RUNNING);
    gate_open(gate);
    check_and_release(scene->running, RUNNING, MORTAL_DONE);
    check_ended(scene);
    CHECK_EQ(atomic_load(count), 0);
}

static void kill_running(struct scene *scene, struct gate *gate, word *count)
{
    mortal_kill_report report = {0};
    make_scene(scene, gate, count);
    CHECK_OK(mortal_pool_kill(scene->pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed, RUNNING);
    CHECK_EQ(report.hosts, RUNNING);
    CHECK_EQ(report.never_started + report.still_dying, 0);
    CHECK(report.took_ns > 0);
    check_and_release(scene->running, RUNNING, MORTAL_KILLED);
    check_and_release(scene->pending, PENDING, MORTAL_DONE);
    check_ended(scene);
    CHECK_EQ(atomic_load(count), PENDING);
}

static void kill_unended(struct scene *scene, struct gate *gate, word *count)
{
    mortal_kill_report report = {0};
    make_scene(scene, gate, count);
    CHECK_OK(mortal_pool_kill(scene->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed, RUNNING);
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.still_dying, 0);
    check_and_release(scene->running, RUNNING, MORTAL_KILLED);
    check_and_release(scene->pending, PENDING, MORTAL_CANCELLED);
    check_ended(scene);
    CHECK_EQ(atomic_load(count), 0);
}

static void kill_nothing(mortal_pool *pool)
{
    mortal_kill_report report = {.killed = 99};
    CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed + report.never_started + report.finished_first + report.still_dying + report.hosts, 0);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    word *counts = harness_shared(3 * sizeof *counts);
    struct scene scene = {.pool = pool_with(RUNNING)};
    kill_pending(&scene, &gates[0], &counts[0]);
    kill_running(&scene, &gates[1], &counts[1]);
    kill_unended(&scene, &gates[2], &counts[2]);
    kill_nothing(scene.pool);
    check_pool_works(scene.pool);
    drain(scene.pool);
}
