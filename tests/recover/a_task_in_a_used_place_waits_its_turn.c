/*
 * A host dies after a task of it has ended and was released, and while a new task waits in that one's place: the new task
 * starts when its turn comes, behind those that were submitted before it.
 * Broken by: a recovery that finds a waiting task where the dead worker was last, and puts it in front of the queue.
 */
#include "tasks.h"

enum { EARLIER = 3, ROUNDS = 20 };

struct scene {
    word started;
    word turn[EARLIER + 1];
};

struct part {
    struct scene *scene;
    uint32_t number;
};

static int take_turn(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct part *part = input;
    (void)task, (void)input_bytes;
    atomic_store(&part->scene->turn[part->number], atomic_fetch_add(&part->scene->started, 1));
    return 0;
}

static mortal_future submit_part(mortal_pool *pool, struct scene *scene, uint32_t number)
{
    struct part part = {scene, number};
    return submit(pool, take_turn, &part, sizeof part);
}

static void one_round(mortal_pool *pool, struct gate *gate, struct scene *scene)
{
    mortal_future futures[EARLIER + 1], first = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    pid_t host = host_of(first);
    gate_open(gate);
    CHECK_EQ(outcome_of(first), MORTAL_DONE);
    CHECK_OK(kill(host, SIGSTOP));
    POLL_UNTIL(state_of_process(host) == 'T');
    for (uint32_t i = 0; i < EARLIER; i++)
        futures[i] = submit_part(pool, scene, i);
    CHECK_OK(mortal_future_release(first));
    futures[EARLIER] = submit_part(pool, scene, EARLIER);
    CHECK_OK(kill(host, SIGKILL));
    for (uint32_t i = 0; i <= EARLIER; i++) {
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
        CHECK_EQ(atomic_load(&scene->turn[i]), i);
    }
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    struct scene *scenes = harness_shared(ROUNDS * sizeof *scenes);
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < ROUNDS; i++)
        one_round(pool, &gates[i], &scenes[i]);
    drain(pool);
}
