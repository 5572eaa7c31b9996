#include "system/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/bare.h"
#include "system/memory.h"

#define STACK_BYTES (16u << 10)

/* ORD(*) the parent's life line is looked at after the parent-death signal was asked for: the kernel marks the one before
 * it sends the other. */

#ifdef HAS_BARE_CALLS
/* It shares the memory of the supervisor, which goes on meanwhile: bare calls only, and nothing of its own but what is on
 * its stack. Who is left to it is reaped by the kernel, as it ignores SIGCHLD. All signals are blocked, and those that a
 * first process would not be sent are queued to it if they are. */
__attribute__((noreturn, no_sanitize("address", "undefined", "thread"))) static int be_first(void *argument) {
    static const unsigned long ignore[8] = {(unsigned long)SIG_IGN}; /* the kernel's struct sigaction: handler, no flags */
    static const uint64_t one = 1;
    const struct namespace_first *first = argument;
    (void)bare_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    if ((atomic_load(first->life_line) & FUTEX_OWNER_DIED) != 0)
        (void)bare_call(SYS_exit_group, 0, 0, 0, 0);
    (void)bare_call(SYS_rt_sigaction, SIGCHLD, (long)(intptr_t)ignore, 0, sizeof(uint64_t));
    if (first->notice_fd > 0)
        (void)bare_call(SYS_close_range, 0, first->notice_fd - 1, 0, 0);
    (void)bare_call(SYS_close_range, first->notice_fd + 1, LAST_FD, 0, 0);
    (void)bare_call(SYS_prctl, PR_SET_NAME, (long)(intptr_t)"mortal-init", 0, 0);
    for (;;)
        if (bare_call(SYS_rt_sigtimedwait, (long)(intptr_t)&first->notice_set, 0, 0, sizeof(uint64_t)) > 0)
            (void)bare_call(SYS_write, first->notice_fd, (long)(intptr_t)&one, sizeof one, 0);
}

pid_t namespace_begin(const struct namespace_first *first, void **stack) {
    uint8_t *room = memory_private(STACK_BYTES);
    if (room == NULL)
        return -ENOMEM;
    memory_not_in_children(room, STACK_BYTES);
    pid_t pid = clone(be_first, room + STACK_BYTES, CLONE_VM | CLONE_NEWPID | SIGCHLD, (void *)(uintptr_t)first);
    if (pid < 0) {
        int error = -errno;
        memory_unmap(room, STACK_BYTES);
        return error;
    }
    *stack = room;
    return pid;
}
#else
pid_t namespace_begin(const struct namespace_first *first, void **stack) {
    (void)first, (void)stack;
    return -ENOSYS;
}
#endif

void namespace_free_stack(void *stack) { memory_unmap(stack, STACK_BYTES); }

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
    close(fd);
    return error;
}

int namespace_own_user(bool *in_map) {
    char users[64], groups[64];
    (void)snprintf(users, sizeof users, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    (void)snprintf(groups, sizeof groups, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    *in_map = false;
    if (unshare(CLONE_NEWUSER) != 0)
        return -errno;
    *in_map = true;
    int error = write_file("/proc/self/uid_map", users);
    if (error == 0)
        (void)write_file("/proc/self/setgroups", "deny"); /* or the next is refused; kernels before 3.19 lack it */
    if (error == 0)
        error = write_file("/proc/self/gid_map", groups);
    return error == 0 ? namespace_keep_rights(true) : error;
}

int namespace_keep_rights(bool to_make_namespaces) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[2] = {{0}};
    if (to_make_namespaces)
        rights[0].effective = rights[0].permitted = 1u << CAP_SYS_ADMIN;
    return syscall(SYS_capset, &head, rights) == 0 ? 0 : -errno;
}

/* The last of the numbers behind "NSpid:" is the one in the innermost namespace. */
static pid_t innermost(pid_t process, const char *thread) {
    char path[96], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%.20s/status", (int)process, thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    char *line = strstr(text, "\nNSpid:");
    if (line == NULL)
        return 0;
    line += strlen("\nNSpid:");
    line[strcspn(line, "\n")] = '\0';
    char *last = strrchr(line, '\t');
    return last != NULL ? (pid_t)strtol(last + 1, NULL, 10) : 0;
}

pid_t namespace_thread(pid_t process, pid_t inner) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *threads = opendir(path);
    pid_t found = 0;
    if (threads == NULL)
        return 0;
    for (struct dirent *entry; found == 0 && (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.' && innermost(process, entry->d_name) == inner)
            found = (pid_t)strtol(entry->d_name, NULL, 10);
    closedir(threads);
    return found;
}
