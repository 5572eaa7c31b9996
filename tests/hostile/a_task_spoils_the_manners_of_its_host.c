/*
 * A task that turns off what its host keeps to (the parent-death signal, being reaper of its orphans, its name, its
 * process group and session, whether others may look at it) is killed all the same, alone and with the pool, and so are
 * the processes that it left behind.
 * Broken by: a supervisor that needs its hosts' consent, or finds them by what they can change.
 */
#include "hostile.h"

#include <sys/prctl.h>

struct scene {
    struct gate gate;
    word daemon;
};

static int spoil(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    if (prctl(PR_SET_PDEATHSIG, 0) || prctl(PR_SET_CHILD_SUBREAPER, 0) || prctl(PR_SET_NAME, "innocent) R 1 1") ||
        prctl(PR_SET_DUMPABLE, 0))
        return 1;
    (void)setpgid(0, getppid());
    if (fork() == 0) {
        if (fork() != 0)
            _exit(0); /* the daemon's parent: it comes home to whoever collects orphans */
        setsid();
        atomic_store(&scene->daemon, (uint32_t)getpid());
        word_add(&scene->gate.arrived, 1);
        for (;;)
            pause();
    }
    word_await(&scene->gate.arrived, 1);
    return 0;
}

static int spoil_and_stay(mortal_task *task, const void *input, size_t input_bytes)
{
    int status = spoil(task, input, input_bytes);
    if (status == 0)
        gate_pass(&(*(struct scene *const *)input)->gate);
    return status;
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    struct scene *scenes = harness_shared(2 * sizeof *scenes);
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);
    mortal_future killed = submit_at(pool, spoil_and_stay, &scenes[0]);
    word_await(&scenes[0].gate.arrived, 2);
    pid_t host = host_of(killed);
    CHECK_EQ(kill_and_read(killed), MORTAL_KILLED);
    CHECK(harness_process_gone(host));
    harness_wait_gone((pid_t)atomic_load(&scenes[0].daemon));
    CHECK_EQ(outcome_of(submit_at(pool, spoil, &scenes[1])), MORTAL_DONE);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK(harness_process_gone((pid_t)atomic_load(&scenes[1].daemon)));
    CHECK_EQ(harness_children(), 0);
}
