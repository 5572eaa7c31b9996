/*
 * 100,000 pending tasks survive the death of the running one: all run, each once, in order.
 * Broken by: a recovery that takes too long, forgets the end of the queue, or turns it round.
 */
#include "tasks.h"

enum { TASKS = 100000 };

struct scene {
    struct gate gate;
    word next, out_of_order;
};

struct order {
    struct scene *scene;
    uint32_t number;
};

static int run_in_turn(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct order *order = input;
    if (atomic_fetch_add(&order->scene->next, 1) != order->number)
        atomic_fetch_add(&order->scene->out_of_order, 1);
    return 0;
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = TASKS, .held_tasks = TASKS + 8});
    mortal_future victim = submit_at(pool, task_endless, &scene->gate);
    word_await(&scene->gate.arrived, 1);
    for (uint32_t i = 0; i < TASKS; i++) {
        struct order order = {scene, i};
        CHECK_OK(mortal_pool_submit(pool, run_in_turn, &order, sizeof order, NULL, NULL));
    }
    CHECK_EQ(stats_of(pool).pending, TASKS);
    CHECK_OK(mortal_future_kill(victim, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(victim), MORTAL_KILLED);
    CHECK_OK(mortal_future_release(victim));
    drain(pool);
    CHECK_EQ(atomic_load(&scene->next), TASKS);
    CHECK_EQ(atomic_load(&scene->out_of_order), 0);
}
