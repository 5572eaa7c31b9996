/* What tests of births share: a process that is born beside its sitter and starts daemons, all of which hold a pipe. */
#ifndef BIRTHS_H
#define BIRTHS_H

#include "rungs.h"

#include <sys/prctl.h>

#include "system/birth.h"
#include "system/process.h"

/* As a supervisor does: orphans come here, and all signals are blocked. */
HELPER void become_parent(void)
{
    sigset_t all;
    sigfillset(&all);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &all, NULL), 0);
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

HELPER _Noreturn void live(struct rung_scene *scene)
{
    hold(scene);
    atomic_store(&scene->born, (uint32_t)syscall(SYS_getpid));
    if (getppid() == 0)
        kill(1, SIGURG); /* the first process is to pass it on */
    for (unsigned i = 0; i < DAEMONS; i++)
        if (fork() == 0) {
            setsid();
            if (fork() == 0)
                stay(scene);
            _exit(0);
        }
    stay(scene);
}

/* Returns the sitter; *host is who was born beside it, and has started its daemons. */
HELPER pid_t bear(struct birth birth, struct rung_scene *scene, pid_t *host, int *fd)
{
    _Atomic int32_t *told = harness_shared(sizeof *told);
    *fd = make_pipe(scene);
    birth.parent = getpid();
    birth.told = told;
    pid_t sitter = process_fork(SIGCHLD, false, NULL);
    if (sitter == 0) {
        if (birth_beside_sitter(&birth) != 0)
            _exit(1);
        live(scene);
    }
    POLL_UNTIL(atomic_load(told) != 0);
    *host = atomic_load(told);
    CHECK(*host > 0);
    word_await(&scene->arrived, DAEMONS + 1);
    CHECK(is_held(*fd));
    POLL_UNTIL(state_of_process(sitter) == 'S');
    CHECK(is_sitter(sitter));
    return sitter;
}

HELPER void reap(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, __WALL), child);
}

/* What it left comes here. */
HELPER void await_not_held(int fd)
{
    while (is_held(fd))
        harness_sleep_ms(1);
}

HELPER void end_sitter(pid_t sitter)
{
    CHECK_EQ(kill(sitter, SIGKILL), 0);
    while (waitpid(-1, NULL, __WALL) > 0)
        ;
}

#endif
