/*
 * child.c - bare child processes and bare shared memory
 *
 * SPDX-License-Identifier: MIT
 */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

void *shared_memory(size_t bytes) {
    int   fd = memfd_create("bench", MFD_CLOEXEC);
    void *memory = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED)
        measure_fail("no shared memory: %s", strerror(errno));
    close(fd);
    return memory;
}

struct child child_start(void (*body)(void *context), void *context) {
    struct child child = {fork(), -1};

    if (child.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body(context);
        _exit(0);
    }
    if (child.pid > 0)
        child.pidfd = pidfd_open(child.pid, 0);
    if (child.pidfd < 0)
        measure_fail("no child: %s", strerror(errno));
    return child;
}

void child_strike(struct child child) {
    if (pidfd_send_signal(child.pidfd, SIGKILL, NULL, 0) != 0)
        measure_fail("a child could not be killed: %s", strerror(errno));
}

void child_await(struct child child) {
    struct pollfd death = {child.pidfd, POLLIN, 0};
    siginfo_t     info;

    if (poll(&death, 1, -1) != 1 || waitid(P_PIDFD, (id_t)child.pidfd, &info, WEXITED) != 0)
        measure_fail("a child would not die: %s", strerror(errno));
    close(child.pidfd);
}

void child_kill(struct child child) {
    child_strike(child);
    child_await(child);
}
