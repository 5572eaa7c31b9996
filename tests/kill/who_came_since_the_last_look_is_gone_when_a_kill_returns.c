/*
 * When a kill returns nothing is left, also where the kill before it left nothing either and all that the supervisor knew
 * of its children was in order: not a child, not a daemon, and not a sibling of the host's, which is a child of the
 * supervisor's from the first. Kills of tasks that start nothing come between.
 * Broken by: a list of children that is known and not read on; siblings that are taken for hosts.
 */
#include "tasks.h"

#include <sched.h>
#include <sys/syscall.h>

enum { ROUNDS = 12 };
enum kind { NOBODY, CHILD, DAEMON, SIBLING, KINDS };

struct scene {
    word there;
    word pids[ROUNDS][KINDS];
};

struct order {
    struct scene *scene;
    uint32_t round;
    enum kind kind;
};

static _Noreturn void stay(struct scene *scene, word *pid)
{
    atomic_store(pid, (uint32_t)getpid());
    word_add(&scene->there, 1);
    for (;;)
        pause();
}

static int start(mortal_task *task, const void *input, size_t input_bytes)
{
    struct order order;
    (void)task, (void)input_bytes;
    memcpy(&order, input, sizeof order);
    word *pid = &order.scene->pids[order.round][order.kind];
    if (order.kind == NOBODY) {
        word_add(&order.scene->there, 1);
    } else if (syscall(SYS_clone, (order.kind == SIBLING ? CLONE_PARENT : 0) | SIGCHLD, 0, 0, 0, 0) == 0) {
        if (order.kind == DAEMON) {
            setsid();
            if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0)
                _exit(0);
        }
        stay(order.scene, pid);
    }
    compute_for_ever();
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_with(2);
    uint32_t there = 0;
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (enum kind kind = NOBODY; kind < KINDS; kind++) {
            const struct order order = {.scene = scene, .round = round, .kind = kind};
            mortal_future future;
            CHECK_OK(mortal_pool_submit(pool, start, &order, sizeof order, NULL, &future));
            word_await(&scene->there, ++there);
            CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
            pid_t pid = (pid_t)atomic_load(&scene->pids[round][kind]);
            CHECK(kind == NOBODY || (pid > 1 && kill(pid, 0) < 0 && errno == ESRCH));
            CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
        }
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
