/*
 * Every descriptor that the library opens in its owner is close-on-exec, whatever was asked of it.
 * Broken by: a program that the owner executes, or starts, and that keeps a pool's channel open.
 */
#include "tasks.h"

enum { MOST = 1024 };

static void mark_open(bool *open_now)
{
    for (int fd = 0; fd < MOST; fd++)
        open_now[fd] = fcntl(fd, F_GETFD) >= 0;
}

static void check_new_ones(const bool *open_before)
{
    for (int fd = 0; fd < MOST; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !open_before[fd] && !(flags & FD_CLOEXEC))
            harness_fail(__FILE__, __LINE__, "descriptor %d would survive an exec", fd);
    }
}

void test(void)
{
    static bool open_before[MOST];
    struct gate *gate = gates_make(1);
    mortal_group *group = NULL;
    mortal_verdict verdict;
    int fd;
    mark_open(open_before);
    mortal_pool *pool = pool_with(2);
    check_new_ones(open_before);
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.group = group});
    CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    check_new_ones(open_before);
    drain(pool);
}
