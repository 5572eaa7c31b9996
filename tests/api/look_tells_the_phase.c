/*
 * look tells where a task is, without waiting: pending, running in which process, ended and how.
 * Broken by: a phase that lags behind what the task itself has shown, or a process id that is not that of its host.
 */
#include "tasks.h"

struct scene {
    struct gate gate;
    word pid;
};

static int tell_process(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    atomic_store(&scene->pid, (uint32_t)getpid());
    gate_pass(&scene->gate);
    return 3;
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_with(1);
    mortal_future running = submit_at(pool, tell_process, scene), pending = submit(pool, task_nothing, NULL, 0);

    word_await(&scene->gate.arrived, 1);
    mortal_look look = look_at(running);
    CHECK_EQ(look.phase, MORTAL_RUNNING);
    CHECK_EQ(look.outcome, 0);
    CHECK_EQ(look.attempt, 1);
    CHECK_EQ(look.host, atomic_load(&scene->pid));
    CHECK(look.host != getpid());

    look = look_at(pending);
    CHECK_EQ(look.phase, MORTAL_PENDING);
    CHECK_EQ(look.outcome, 0);
    CHECK_EQ(look.host, 0);

    gate_open(&scene->gate);
    CHECK_EQ(outcome_of(pending), MORTAL_DONE);
    look = look_at(pending);
    CHECK_EQ(look.phase, MORTAL_ENDED);
    CHECK_EQ(look.outcome, MORTAL_DONE);
    look = look_at(running);
    CHECK_EQ(look.phase, MORTAL_ENDED);
    CHECK_EQ(look.outcome, MORTAL_FAILED);
    CHECK_EQ(look.attempt, 1);
    CHECK_EQ(look.host, 0);

    CHECK_OK(mortal_future_release(running));
    CHECK_ERR(mortal_future_look(running, &look), -ESTALE);
    CHECK_EQ(look.outcome, MORTAL_FAILED); /* untouched on failure */
    drain(pool);
}
