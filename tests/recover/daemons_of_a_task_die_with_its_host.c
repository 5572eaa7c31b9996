/*
 * Processes that a task started die with its host, also when they made themselves daemons: own session, own parent,
 * every signal blocked, every descriptor closed.
 * Broken by: a kill of one process where a tree was grown.
 */
#include "tasks.h"

enum { DEPTH = 3 };

struct scene {
    struct gate gate;
    word count, pids[DEPTH];
};

static _Noreturn void go_deeper(struct scene *scene, unsigned depth)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    if (depth < DEPTH && fork() == 0)
        go_deeper(scene, depth + 1);
    close_range(0, ~0U, 0);
    atomic_store(&scene->pids[atomic_fetch_add(&scene->count, 1)], (uint32_t)getpid());
    word_add(&scene->gate.arrived, 1);
    if (depth == DEPTH)
        for (;;)
            pause();
    word_await(&scene->gate.arrived, DEPTH);
    _exit(0); /* its child becomes an orphan */
}

static int start_daemons(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    if (fork() == 0)
        go_deeper(scene, 1);
    word_await(&scene->gate.arrived, DEPTH);
    word_add(&scene->gate.passed, 1);
    word_await(&scene->gate.open, 1);
    abort();
}

static void check(mortal_pool *pool, struct scene *scene, bool by_crash)
{
    mortal_future future = submit_at(pool, start_daemons, scene);
    word_await(&scene->gate.passed, 1);
    if (by_crash)
        gate_open(&scene->gate);
    else
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(future), by_crash ? MORTAL_CRASHED : MORTAL_KILLED);
    for (unsigned i = 0; i < DEPTH; i++)
        harness_wait_gone((pid_t)atomic_load(&scene->pids[i]));
    check_pool_works(pool);
}

void test(void)
{
    struct scene *scenes = harness_shared(2 * sizeof *scenes);
    mortal_pool *pool = pool_with(1);
    check(pool, &scenes[0], false);
    check(pool, &scenes[1], true);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
