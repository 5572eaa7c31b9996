/*
 * What waits keeps its order over kills and crashes: tasks start as they were submitted, each once.
 * Broken by: a recovery that puts what it found behind what came later, or starts something twice.
 */
#include "tasks.h"

enum { TASKS = 1200, EACH = 60 };

struct scene {
    word next;
    struct gate gate;
    uint32_t started[2 * TASKS];
};

struct order {
    struct scene *scene;
    uint32_t number;
};

static int note_start(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct order *order = input;
    struct scene *scene = order->scene;
    scene->started[atomic_fetch_add(&scene->next, 1) % (2 * TASKS)] = order->number;
    if (order->number % EACH != 0)
        return 0;
    if (order->number / EACH % 2)
        abort();
    word_add(&scene->gate.arrived, 1);
    compute_for_ever();
}

/* Waits for the last of the pending ones: the one before the last is the last victim. */
static void kill_each_victim(struct scene *scene, const mortal_future *futures)
{
    uint32_t arrived = 0;
    for (uint32_t i = 0; i < TASKS; i += 2 * EACH) {
        word_await(&scene->gate.arrived, ++arrived);
        CHECK_OK(mortal_future_kill(futures[i], 0, MORTAL_FOREVER, NULL));
        CHECK_EQ(outcome_of(futures[i]), MORTAL_KILLED);
    }
}

void test(void)
{
    static mortal_future futures[TASKS];
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_with(1);
    for (uint32_t i = 0; i < TASKS; i++) {
        struct order order = {scene, i};
        futures[i] = submit(pool, note_start, &order, sizeof order);
    }
    kill_each_victim(scene, futures);
    for (uint32_t i = 0; i < TASKS; i++) {
        int expected = i % EACH ? MORTAL_DONE : i / EACH % 2 ? MORTAL_CRASHED : MORTAL_KILLED;
        CHECK_EQ(outcome_of(futures[i]), expected);
    }
    CHECK_EQ(atomic_load(&scene->next), TASKS);
    for (uint32_t i = 0; i < TASKS; i++)
        CHECK_EQ(scene->started[i], i);
    drain(pool);
}
