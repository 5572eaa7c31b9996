/*
 * Within each priority tasks start as they were submitted, whatever dies in between: what starts again after a crash is the
 * next of its priority to start, and what waited while a host was killed goes on as if nothing had happened. Low ones are
 * not starved by hosts that keep dying: turns go on where the dead left them.
 * Broken by: a recovery that forgets the priority of what it returns, or puts it behind what came later; turns that a new
 * host begins anew.
 */
#include "tasks.h"

enum { EACH = 400, PRIORITIES = 3, CRASHES_EACH = 10, KILLS_EACH = 40 };

struct scene {
    word next;
    struct gate gate;
    struct start {
        int32_t priority;
        uint32_t number;
    } started[4 * PRIORITIES * EACH];
};

struct order {
    struct scene *scene;
    struct start start;
};

static bool crashes(uint32_t number) { return number % CRASHES_EACH == 3; }
static bool hangs(uint32_t number) { return number % KILLS_EACH == 5; }

static int note_start(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct order *order = input;
    struct scene *scene = order->scene;
    scene->started[atomic_fetch_add(&scene->next, 1) % COUNT(scene->started)] = order->start;
    if (crashes(order->start.number) && mortal_task_attempt(task) == 1)
        abort();
    if (!hangs(order->start.number))
        return 0;
    word_add(&scene->gate.arrived, 1);
    compute_for_ever();
}

static void kill_what_hangs(struct scene *scene, mortal_pool *pool)
{
    for (uint32_t i = 1; i <= PRIORITIES * EACH / KILLS_EACH; i++) {
        word_await(&scene->gate.arrived, i);
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
    }
}

static void check_order(const struct scene *scene)
{
    uint32_t next[PRIORITIES] = {0}, low_waits = 0;
    bool again[PRIORITIES] = {0};
    for (uint32_t i = 0; i < atomic_load(&scene->next); i++) {
        uint32_t of = (uint32_t)(scene->started[i].priority + 1), number = scene->started[i].number;
        CHECK_EQ(number, next[of]);
        again[of] = crashes(number) && !again[of];
        next[of] += !again[of];
        low_waits = of == 0 ? 0 : low_waits + 1;
        CHECK(low_waits < 32 || next[0] == EACH); /* 16, and as many that a death may have cost */
    }
    for (uint32_t of = 0; of < PRIORITIES; of++)
        CHECK_EQ(next[of], EACH);
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1});
    mortal_future held = submit_at(pool, task_endless, &scene->gate), *futures = calloc(PRIORITIES * EACH, sizeof *futures);
    CHECK(futures != NULL);
    word_await(&scene->gate.arrived, 1);
    for (uint32_t i = 0; i < PRIORITIES * EACH; i++) {
        struct order order = {scene, {(int32_t)(i % PRIORITIES) - 1, i / PRIORITIES}};
        futures[i] = submit_like(pool, note_start, &order, sizeof order,
                                 (mortal_task_options){.priority = order.start.priority, .attempts = 2});
    }
    atomic_store(&scene->gate.arrived, 0);
    CHECK_OK(mortal_future_kill(held, 0, MORTAL_FOREVER, NULL));
    kill_what_hangs(scene, pool);
    for (uint32_t i = 0; i < PRIORITIES * EACH; i++)
        CHECK_EQ(outcome_and_release(futures[i]), hangs(i / PRIORITIES) ? MORTAL_KILLED : MORTAL_DONE);
    check_order(scene);
    CHECK_OK(mortal_future_release(held));
    free(futures);
    drain(pool);
}
