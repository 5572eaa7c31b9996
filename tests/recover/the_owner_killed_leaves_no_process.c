/*
 * When the owner is killed, supervisor, hosts, standby and what tasks have started, daemons included, end by
 * themselves.
 * Broken by: a host that computes on for nobody, or a daemon that outlives everything.
 */
#include "tasks.h"

enum { PIDS = 8 };

struct scene {
    struct gate gate;
    word count, pids[PIDS];
};

static void note(struct scene *scene, pid_t pid)
{
    atomic_store(&scene->pids[atomic_fetch_add(&scene->count, 1)], (uint32_t)pid);
}

static _Noreturn void be_a_daemon(struct scene *scene)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    if (fork() != 0)
        _exit(0);
    close_range(0, ~0U, 0);
    note(scene, getpid());
    word_add(&scene->gate.arrived, 1);
    for (;;)
        pause();
}

static int start_a_daemon(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    pid_t child = fork();
    if (child == 0)
        be_a_daemon(scene);
    waitpid(child, NULL, 0);
    note(scene, getpid());
    word_add(&scene->gate.arrived, 1);
    compute_for_ever();
}

static _Noreturn void own_a_pool(struct scene *scene)
{
    mortal_pool *pool = pool_with(2);
    note(scene, supervisor_of(pool));
    submit_at(pool, start_a_daemon, scene);
    submit_at(pool, start_a_daemon, scene);
    for (;;)
        pause();
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    int status = 0;
    pid_t owner = fork();
    if (owner == 0)
        own_a_pool(scene);
    word_await(&scene->gate.arrived, 4);
    CHECK_EQ(atomic_load(&scene->count), 5);
    CHECK_OK(kill(owner, SIGKILL));
    CHECK_EQ(waitpid(owner, &status, 0), owner);
    CHECK(WIFSIGNALED(status));
    for (unsigned i = 0; i < 5; i++)
        harness_wait_gone((pid_t)atomic_load(&scene->pids[i]));
}
