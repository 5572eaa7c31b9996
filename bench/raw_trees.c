/*
 * raw_trees.c - what the kernel itself charges for the end of a process with much memory, and of a tree of processes
 *
 * The victim has as many threads as a host with one worker. raw-sigkill: the death of one process. raw-namespace: the
 * victim's parent is the first process of a namespace of processes, whose end is that of all of them, and is what is
 * waited for; for that the program must be root or be allowed a user namespace.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "measure.h"
#include "tree.h"

enum { ONE = 0, NAMESPACE = 16 };

static void *grow(void *tree) {
    tree_grow_and_stay(tree);
    return NULL;
}

static void be_victim(void *tree) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, grow, tree) == 0)
        pthread_join(thread, NULL);
}

/* Pid 1 of the new namespace; the victim is its child. */
static void be_first(void *tree) {
    if (fork() == 0) {
        be_victim(tree);
        _exit(0);
    }
    for (;;)
        pause();
}

static struct child start_apart(const struct tree *tree) {
    unsigned long flags = CLONE_NEWPID | SIGCHLD;
    struct child  child = {(pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL), -1};

    if (child.pid < 0)
        child.pid = (pid_t)syscall(SYS_clone, flags | CLONE_NEWUSER, NULL, NULL, NULL, NULL);
    if (child.pid < 0)
        measure_skip("no namespace of processes is allowed here");
    if (child.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_first((void *)tree);
    }
    child.pidfd = pidfd_open(child.pid, 0);
    if (child.pidfd < 0)
        measure_fail("no descriptor of a process");
    return child;
}

static void kill_grown(const struct bench_case *self, struct samples *out) {
    const struct tree *tree = tree_of((enum tree_kind)(self->variant & ~NAMESPACE));
    size_t             i, count = measure_size(10, 3);

    for (i = 0; i < count; i++) {
        struct child victim;
        uint64_t     start;

        sleep_ns(50000000);
        victim = self->variant & NAMESPACE ? start_apart(tree) : child_start(be_victim, (void *)tree);
        tree_wait_grown(tree);
        start = clock_ns();
        child_kill(victim);
        samples_add(out, (double)(clock_ns() - start) / 1e3);
    }
}

static const struct bench_case cases[] = {
    {"kill-to-death-0m", "raw-sigkill", "us", kill_grown, 1, TREE_BARE | ONE},
    {"kill-to-death-512m", "raw-sigkill", "us", kill_grown, 1, TREE_HEAVY | ONE},
    {"kill-tree-200", "raw-namespace", "us", kill_grown, 1, TREE_OF_200 | NAMESPACE},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
