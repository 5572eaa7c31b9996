/*
 * The descriptor of a group is readable exactly while a verdict can be taken at once, level-triggered and
 * edge-triggered.
 * Broken by: an event loop that sleeps although a verdict is there, or spins although none is.
 */
#include "tasks.h"

#include <sys/epoll.h>

enum { TASKS = 2000 };

static unsigned take_all(mortal_group *group)
{
    mortal_verdict verdict;
    unsigned count = 0;
    int error;
    while ((error = mortal_group_next(group, 0, &verdict)) == 0) {
        CHECK_OK(mortal_future_release(verdict.future));
        count++;
    }
    CHECK(error == -ETIMEDOUT || error == -ENOENT);
    return count;
}

static int loop_over(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events};
    int loop = epoll_create1(EPOLL_CLOEXEC);
    CHECK(loop >= 0);
    CHECK_OK(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event));
    return loop;
}

static bool is_ready(int loop, int timeout_ms)
{
    struct epoll_event event;
    int ready;
    while ((ready = epoll_wait(loop, &event, 1, timeout_ms)) < 0 && errno == EINTR)
        ;
    return ready == 1;
}

static void readable_while_there_is_something(mortal_pool *pool, mortal_group *group, int loop, struct gate *gates)
{
    for (unsigned i = 0; i < 2; i++) {
        void *gate = &gates[i];
        submit_like(pool, task_held, &gate, sizeof gate, (mortal_task_options){.group = group});
        word_await(&gates[i].arrived, 1);
    }
    CHECK(!is_ready(loop, 0));
    gate_open(&gates[0]);
    CHECK(is_ready(loop, 60000));
    CHECK(is_ready(loop, 0)); /* level: it stays so until the verdict is taken */
    CHECK_EQ(take_all(group), 1);
    CHECK(!is_ready(loop, 0)); /* the second task still runs */
    gate_open(&gates[1]);
    CHECK(is_ready(loop, 60000));
    CHECK_EQ(take_all(group), 1);
}

static void a_loop_gets_everything(mortal_pool *pool, mortal_group *group, int loop)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < TASKS; i++)
        submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.group = group});
    while (taken < TASKS) {
        CHECK(is_ready(loop, 60000));
        taken += take_all(group);
    }
    CHECK_EQ(taken, TASKS);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(2);
    mortal_group *group = NULL;
    int fd = -1, again = -1;
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    CHECK_OK(mortal_group_fd(group, &again));
    CHECK_EQ(fd, again);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    int level = loop_over(fd, EPOLLIN), edge = loop_over(fd, EPOLLIN | EPOLLET);
    readable_while_there_is_something(pool, group, level, gates);
    a_loop_gets_everything(pool, group, level);
    is_ready(edge, 0);
    a_loop_gets_everything(pool, group, edge);
    close(level);
    close(edge);
    CHECK_OK(mortal_group_close(group));
    CHECK(fcntl(fd, F_GETFD) < 0);
    drain(pool);
}
