/*
 * A task leaves clean-ups; when it is killed, timed out, crashed or collateral they are run in a fresh host, the last
 * one first, before anybody has the verdict, which tells that they were done. What was taken back is not run, and
 * nothing is when the function returns by itself.
 * Broken by: a verdict that comes first, another order, a clean-up that runs twice, or in the host that died.
 */
#include "tasks.h"

enum { TRACE = 16 };

struct scene {
    struct gate gate;
    word ran;
    uint32_t trace[TRACE]; /* which clean-ups ran, in order */
    int32_t task_host, cleanup_host;
    word attempts; /* the attempt that the clean-up was told */
};

struct note {
    struct scene *scene;
    uint32_t number;
    char pad[400];
};

enum end { KILLED, TIMED_OUT, CRASHED, EXITED, RETURNED, FAILED, ENDS };

struct input {
    struct scene *scene;
    enum end end;
};

static int cleanup(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct note *note = input;
    CHECK_EQ(input_bytes, sizeof *note);
    CHECK_EQ((uintptr_t)input % 16, 0);
    CHECK_EQ(note->pad[399], (char)note->number);
    CHECK(mortal_task_self() == task);
    CHECK(!mortal_task_should_stop(task));
    CHECK_ERR(mortal_task_reply(task, "x", 1), -EPERM);
    CHECK_ERR(mortal_task_on_death(task, cleanup, NULL, 0), -EPERM);
    struct scene *scene = note->scene;
    scene->cleanup_host = getpid();
    CHECK(harness_process_gone(scene->task_host) || scene->task_host != getpid());
    atomic_store(&scene->attempts, mortal_task_attempt(task));
    harness_sleep_ms(20); /* a verdict that does not wait comes now */
    scene->trace[atomic_load(&scene->ran) % TRACE] = note->number;
    word_add(&scene->ran, 1);
    return 0;
}

static void leave(mortal_task *task, struct scene *scene, uint32_t number)
{
    struct note note = {.scene = scene, .number = number};
    memset(note.pad, (int)number, sizeof note.pad);
    CHECK_OK(mortal_task_on_death(task, cleanup, &note, sizeof note));
}

static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct input *in = input;
    in->scene->task_host = getpid();
    leave(task, in->scene, 1);
    leave(task, in->scene, 2);
    leave(task, in->scene, 99);
    CHECK_OK(mortal_task_on_death(task, NULL, NULL, 0));
    leave(task, in->scene, 3);
    word_add(&in->scene->gate.arrived, 1);
    switch (in->end) {
    case CRASHED:
        *(volatile int *)16 = 1;
        break;
    case EXITED:
        exit(0);
    case RETURNED:
        return 0;
    case FAILED:
        return 3;
    default:
        compute_for_ever();
    }
    return 0;
}

static const int outcomes[ENDS] = {MORTAL_KILLED, MORTAL_TIMED_OUT, MORTAL_CRASHED, MORTAL_CRASHED, MORTAL_DONE, MORTAL_FAILED};

static mortal_future start(mortal_pool *pool, struct scene *scene, enum end end)
{
    struct input input = {scene, end};
    for (uint64_t deadline_ns = MS(20);; deadline_ns *= 2) {
        mortal_task_options options = {.deadline_ns = end == TIMED_OUT ? deadline_ns : 0};
        mortal_future future = submit_like(pool, body, &input, sizeof input, options);
        if (end != TIMED_OUT || comes_to(future, &scene->gate.arrived))
            return future;
        (void)outcome_and_release(future);
        atomic_store(&scene->ran, 0);
    }
}

static void check_end(mortal_pool *pool, struct scene *scene, enum end end)
{
    mortal_future future = start(pool, scene, end);
    mortal_verdict verdict;
    if (end == KILLED) {
        word_await(&scene->gate.arrived, 1);
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    } else {
        verdict = wait_for(future);
    }
    CHECK_EQ(verdict.outcome, outcomes[end]);
    bool by_itself = end == RETURNED || end == FAILED;
    CHECK_EQ(atomic_load(&scene->ran), by_itself ? 0 : 3);
    CHECK_EQ(verdict.cleanup, by_itself ? 0 : MORTAL_CLEANUP_DONE);
    for (uint32_t i = 0; !by_itself && i < 3; i++)
        CHECK_EQ(scene->trace[i], 3 - i);
    CHECK(scene->cleanup_host != scene->task_host);
    CHECK_EQ(atomic_load(&scene->attempts), by_itself ? 0 : 1);
    CHECK_OK(mortal_future_release(future));
}

static void check_collateral(struct scene *scenes)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 3, .workers_per_host = 3});
    mortal_future futures[3];
    for (unsigned i = 0; i < 3; i++) {
        struct input input = {&scenes[i], KILLED};
        futures[i] = submit(pool, body, &input, sizeof input);
        word_await(&scenes[i].gate.arrived, 1);
    }
    CHECK_OK(mortal_future_kill(futures[1], 0, MORTAL_FOREVER, NULL));
    for (unsigned i = 0; i < 3; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.outcome, i == 1 ? MORTAL_KILLED : MORTAL_COLLATERAL);
        CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_DONE);
        CHECK_EQ(atomic_load(&scenes[i].ran), 3);
    }
    check_pool_works(pool);
    drain(pool);
}

void test(void)
{
    struct scene *scenes = harness_shared((2 * ENDS + 3) * sizeof *scenes);
    mortal_pool *pool = pool_with(1);
    for (unsigned end = 0; end < ENDS; end++)
        check_end(pool, &scenes[end], end);
    CHECK(stats_of(pool).cleanups >= 12);
    check_pool_works(pool);
    drain(pool);
    pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE});
    for (unsigned end = 0; end < ENDS; end++)
        check_end(pool, &scenes[ENDS + end], end);
    drain(pool);
    check_collateral(scenes + 2 * (size_t)ENDS);
}
