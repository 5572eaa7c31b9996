/*
 * doctor_kernel.c - which calls there are, by calling them: a version number says nothing about filters and options
 *
 * SPDX-License-Identifier: MIT
 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

static bool has_pidfd(void) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    int fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    siginfo_t info;
    bool has = fd >= 0 && waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (pid > 0 && !has) {
        (void)waitpid(pid, NULL, 0);
    }
    return has;
}

static bool has_memfd(void) {
    int fd = memfd_create("mortal-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool has = fd >= 0 && ftruncate(fd, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return has;
}

static bool has_advice(int advice) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool has = page != MAP_FAILED && madvise(page, 4096, advice) == 0;
    if (page != MAP_FAILED) {
        munmap(page, 4096);
    }
    return has;
}

/* With arguments that it refuses, if it is there. */
static bool has_clone3(void) {
    return syscall(SYS_clone3, NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
}

static bool has_close_range(void) {
    return syscall(SYS_close_range, ~0u, ~0u, 0) == 0;
}

static bool has_futex_waitv(void) {
    return syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
}

static bool has_epoll_pwait2(void) {
    struct epoll_event event;
    return syscall(SYS_epoll_pwait2, -1, &event, 1, NULL, NULL, 0) < 0 && errno == EBADF;
}

/* In a child, which it does to itself. */
static bool child_can(bool (*deed)(void)) {
    int status = 1;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(deed() ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool can_wish_for_slices(void) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t  nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
        uint32_t util_min, util_max;
    } wish = {.size = sizeof wish};
    if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) != 0 || wish.policy != SCHED_OTHER) {
        return false;
    }
    wish.runtime_ns = 200000;
    return syscall(SYS_sched_setattr, 0, &wish, 0) == 0 && syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) == 0 &&
           wish.runtime_ns == 200000;
}

static void ask_calls(struct diagnosis *d) {
    unsigned long word = 0;
    const struct {
        bool has;
        struct finding finding;
        const char *detail;
    } calls[] = {
        {has_pidfd(), {.name = "pidfd", .weight = WEIGHT_NEEDED, .promise = 1, .remedy = "Linux 5.4 or later",
                       .means = "nobody certifies deaths: no pool works here"}, "pidfd_open, and waitid by pidfd"},
        {has_memfd(), {.name = "memfd", .weight = WEIGHT_NEEDED, .remedy = "Linux 3.17 or later, with memfd_create allowed",
                       .means = "no shared memory: no pool works here"}, "memfd_create, with seals"},
        {has_advice(MADV_WIPEONFORK) && has_advice(MADV_DONTFORK),
         {.name = "madvise-fork", .weight = WEIGHT_NEEDED, .promise = 8, .remedy = "Linux 4.14 or later",
          .means = "a process that a task forks would be taken for its host"}, "MADV_WIPEONFORK and MADV_DONTFORK"},
        {has_clone3(), {.name = "clone3", .weight = WEIGHT_EXTRA, .remedy = "Linux 5.3 or later, and no filter against it",
                        .means = "nothing: clone is used instead"}, "clone3"},
        {has_close_range(), {.name = "close_range", .weight = WEIGHT_PROMISE, .promise = 10,
                             .remedy = "Linux 5.9 or later, and no filter against it",
                             .means = "hosts close descriptors one by one, and none over 65,536"}, "close_range"},
        {has_futex_waitv(), {.name = "futex_waitv", .weight = WEIGHT_PROMISE, .promise = 3,
                             .remedy = "Linux 5.16 or later, and no filter against it",
                             .means = "waits notice the death of the supervisor after up to half a second"}, "futex_waitv"},
        {has_epoll_pwait2(), {.name = "epoll_pwait2", .weight = WEIGHT_PROMISE, .promise = 3,
                              .remedy = "Linux 5.11 or later, and no filter against it",
                              .means = "deadlines are up to a millisecond later"}, "epoll_pwait2"},
        {has_advice(MADV_POPULATE_WRITE), {.name = "populate", .weight = WEIGHT_PROMISE, .promise = 11,
                                           .remedy = "Linux 5.14 or later",
                                           .means = "a large result for which there is no memory may crash its task"},
         "MADV_POPULATE_WRITE"},
        {child_can(can_wish_for_slices), {.name = "slices", .weight = WEIGHT_EXTRA, .remedy = "Linux 6.12 or later",
                                          .means = "a kill may wait a tick (1 to 4 ms) where all processors are busy"},
         "short slices of the scheduler for the supervisor"},
        {prctl(PR_GET_TID_ADDRESS, &word) == 0,
         {.name = "tid-address", .weight = WEIGHT_EXTRA, .remedy = "a kernel with CONFIG_CHECKPOINT_RESTORE",
          .means = "raise() in preload reaches no thread"}, "PR_GET_TID_ADDRESS"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct finding finding = calls[i].finding;
        finding.group = "kernel";
        finding.has = calls[i].has;
        diagnose(d, finding, "%s", calls[i].detail);
    }
}

void doctor_ask_kernel(struct diagnosis *d) {
    struct utsname name;
    if (uname(&name) == 0) {
        diagnose(d, (struct finding){.group = "kernel", .name = "version", .has = true}, "%s %s, %s", name.sysname,
                 name.release, name.machine);
    }
    ask_calls(d);
}
