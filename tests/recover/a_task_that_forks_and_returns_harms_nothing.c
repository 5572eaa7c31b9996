/*
 * A task that forks, and returns in the child too, ends once: the child is not a second worker.
 * Broken by: a child that publishes its parent's result again, claims the next task, or rings anybody's bell.
 */
#include "tasks.h"

enum { TASKS = 60, AFTER = 200 };

struct scene {
    word runs, after;
    struct gate children;
};

struct order {
    struct scene *scene;
    uint32_t number;
};

/* Every other child returns late, when its host already runs other tasks. */
static int fork_and_return(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct order *order = input;
    struct scene *scene = order->scene;
    uint32_t number = order->number;
    atomic_fetch_add(&scene->runs, 1);
    pid_t child = fork();
    if (child < 0)
        return errno;
    if (child == 0 && number % 2)
        gate_pass(&scene->children);
    if (child > 0)
        return mortal_task_reply(task, &number, sizeof number);
    return 1;
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_future futures[TASKS];
    mortal_pool *pool = pool_with(2);
    for (uint32_t i = 0; i < TASKS; i++) {
        struct order order = {scene, i};
        futures[i] = submit(pool, fork_and_return, &order, sizeof order);
    }
    for (uint32_t i = 0; i < TASKS; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        uint32_t answer = 0;
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        memcpy(&answer, verdict.result, sizeof answer);
        CHECK_EQ(answer, i);
    }
    word_await(&scene->children.arrived, TASKS / 2);
    gate_open(&scene->children);
    for (uint32_t i = 0; i < AFTER; i++) {
        word *after = &scene->after;
        CHECK_OK(mortal_pool_submit(pool, task_count, &after, sizeof after, NULL, NULL));
    }
    word_await(&scene->after, AFTER);
    word_await(&scene->children.passed, TASKS / 2);
    check_pool_works(pool);
    POLL_UNTIL(stats_of(pool).pending + stats_of(pool).running == 0); /* the last one has counted, but not returned */
    CHECK_EQ(stats_of(pool).ended[MORTAL_DONE], TASKS + AFTER + 1);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    drain(pool);
    CHECK_EQ(atomic_load(&scene->runs), TASKS);
    CHECK_EQ(atomic_load(&scene->after), AFTER);
}
