/*
 * A pool changes no signal disposition, mask, alternate stack, timer, working folder or process group of its owner.
 * Broken by: a handler installed for the library's own purposes, or a mask that is not put back after a fork.
 */
#include "tasks.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

struct manners {
    void (*handlers[_NSIG])(int);
    int flags[_NSIG];
    sigset_t blocked;
    stack_t stack;
    struct itimerval timer;
    pid_t group, session;
    int nice;
    mode_t mask;
    char folder[4096];
};

static void handle(int signal)
{
    (void)signal;
}

static void take(struct manners *manners)
{
    memset(manners, 0, sizeof *manners);
    for (int i = 1; i < _NSIG; i++) {
        struct sigaction action = {0};
        if (sigaction(i, NULL, &action) == 0) {
            manners->handlers[i] = action.sa_handler;
            manners->flags[i] = action.sa_flags;
        }
    }
    sigprocmask(SIG_SETMASK, NULL, &manners->blocked);
    sigaltstack(NULL, &manners->stack);
    getitimer(ITIMER_REAL, &manners->timer);
    manners->group = getpgrp();
    manners->session = getsid(0);
    manners->nice = getpriority(PRIO_PROCESS, 0);
    manners->mask = umask(022);
    umask(manners->mask);
    CHECK(getcwd(manners->folder, sizeof manners->folder) != NULL);
}

static void check_unchanged(const struct manners *before)
{
    static struct manners now;
    take(&now);
    for (int i = 1; i < _NSIG; i++) {
        CHECK(now.handlers[i] == before->handlers[i]);
        CHECK_EQ(now.flags[i], before->flags[i]);
        CHECK_EQ(sigismember(&now.blocked, i), sigismember(&before->blocked, i));
    }
    CHECK(now.stack.ss_sp == before->stack.ss_sp && now.stack.ss_flags == before->stack.ss_flags);
    CHECK(memcmp(&now.timer, &before->timer, sizeof now.timer) == 0);
    CHECK_EQ(now.group, before->group);
    CHECK_EQ(now.session, before->session);
    CHECK_EQ(now.nice, before->nice);
    CHECK_EQ(now.mask, before->mask);
    CHECK_STR(now.folder, before->folder);
}

void test(void)
{
    static struct manners before;
    struct gate *gate = gates_make(1);
    struct sigaction mine = {.sa_handler = handle, .sa_flags = SA_RESTART}, segv;
    sigset_t some, old;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    CHECK_OK(sigprocmask(SIG_BLOCK, &some, &old));
    CHECK_OK(sigaction(SIGSEGV, &mine, &segv));

    take(&before);
    mortal_pool *pool = pool_with(2);
    check_unchanged(&before);
    mortal_future endless = submit_at(pool, task_endless, gate);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    check_unchanged(&before);
    drain(pool);
    check_unchanged(&before);

    CHECK_OK(sigaction(SIGSEGV, &segv, NULL));
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
}
