#include "system/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/clock.h"

/* ORD(*) a life line is read by others only after the kernel marked it. */

#define CLOSE_MOST 65536

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

static pid_t old_clone(uint64_t flags, int exit_signal, int *pidfd, void *tid_word) {
#if defined(__x86_64__)
    return (pid_t)syscall(SYS_clone, flags | (uint64_t)exit_signal, 0, pidfd, tid_word, 0);
#else
    return (pid_t)syscall(SYS_clone, flags | (uint64_t)exit_signal, 0, pidfd, 0, tid_word);
#endif
}

pid_t process_fork(int exit_signal, bool as_sibling, int *pidfd) {
    unsigned long tid_word = 0;
    if (prctl(PR_GET_TID_ADDRESS, &tid_word) < 0)
        tid_word = 0; /* a stale cached id: only raise() on the main thread is wrong, and no task runs there */
    uint64_t flags = (pidfd != NULL ? CLONE_PIDFD : 0) | (as_sibling ? CLONE_PARENT : 0) |
                     (tid_word != 0 ? CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID : 0);
    struct clone_args arguments = {
        .flags = flags,
        .pidfd = (uintptr_t)pidfd,
        .child_tid = tid_word,
        .exit_signal = as_sibling ? 0 : (uint64_t)exit_signal, /* with CLONE_PARENT: the parent's choice, must be 0 */
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0 && (errno == ENOSYS || errno == EPERM))
        pid = old_clone(flags, as_sibling ? 0 : exit_signal, pidfd, (void *)tid_word);
    return pid < 0 ? -errno : pid;
}

static bool hosted;

void process_say_hosted(void) { hosted = true; }

bool process_is_hosted(void) { return hosted; }

static bool enterable;

void process_say_enterable(void) { enterable = true; }

bool process_is_enterable(void) { return enterable; }

void process_hold_life_line(_Atomic uint32_t *word) {
    static struct robust_list_head head;
    static struct robust_list node;
    node.next = &head.list;
    head.list.next = &node;
    head.futex_offset = (long)((uintptr_t)word - (uintptr_t)&node);
    head.list_op_pending = NULL;
    (void)syscall(SYS_set_robust_list, &head, sizeof head);
    atomic_store(word, (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS);
}

int process_threads(void) {
    char text[512];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    char *after_name = strrchr(text, ')'); /* the name may hold anything, blanks and brackets too */
    int threads = 0;
    if (after_name == NULL || sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                                                     "%*d %d", &threads) != 1)
        return 0;
    return threads;
}

int process_pidfd(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

bool process_pidfd_dead(int pidfd) {
    struct pollfd entry = {.fd = pidfd, .events = POLLIN};
    return poll(&entry, 1, 0) == 1;
}

bool process_pidfd_wait(int pidfd, uint64_t deadline_ns) {
    for (;;) {
        uint64_t now = clock_ns();
        uint64_t left_ms = deadline_ns > now ? (deadline_ns - now + 999999) / 1000000 : 0;
        struct pollfd entry = {.fd = pidfd, .events = POLLIN};
        int ready = poll(&entry, 1, left_ms > 1000 ? 1000 : (int)left_ms);
        if (ready == 1)
            return true;
        if (left_ms == 0)
            return false;
    }
}

bool process_pidfd_signal(int pidfd, int number) {
    return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0;
}

int process_reap(int pidfd) {
    siginfo_t info;
    int outcome;
    do {
        outcome = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL);
    } while (outcome < 0 && errno == EINTR);
    return outcome == 0 || errno == ECHILD ? 0 : -errno;
}

int process_children(pid_t *pids, size_t capacity) { return process_children_of(getpid(), pids, capacity); }

int process_children_of(pid_t process, pid_t *pids, size_t capacity) {
    int fd = process_children_open(process);
    if (fd < 0)
        return fd;
    int count = process_children_on(fd, pids, capacity);
    close(fd);
    return count;
}

int process_children_open(pid_t process) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)process, (int)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int process_children_again(int fd, pid_t *pids, size_t capacity) {
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : process_children_on(fd, pids, capacity);
}

int process_children_on(int fd, pid_t *pids, size_t capacity) {
    char text[4096];
    size_t stored = 0;
    long pid = 0;
    bool in_number = false;
    ssize_t got;
    while ((got = read(fd, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
                in_number = true;
            } else if (in_number) {
                if (stored < capacity)
                    pids[stored++] = (pid_t)pid;
                pid = 0;
                in_number = false;
            }
        }
    }
    return got < 0 ? -errno : (int)stored;
}

bool process_thread_look(pid_t pid, pid_t thread, struct thread_look *look) {
    char path[64], text[512], state = 0;
    unsigned long user = 0, system = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    const char *after_name = strrchr(text, ')');
    long ticks = sysconf(_SC_CLK_TCK);
    if (after_name == NULL || ticks <= 0 ||
        sscanf(after_name + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user, &system) != 3)
        return false;
    look->sleeps = state == 'S';
    look->cpu_ns = (user + system) * (1000000000ull / (uint64_t)ticks);
    return true;
}

int process_lift_fd(int fd) {
    if (fd < 0 || fd > 2)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int error = -errno;
    close(fd);
    return higher < 0 ? error : higher;
}

/* Kernels before 5.9, and filters, do not know close_range. */
static void close_range_of(unsigned from, unsigned to) {
    if (syscall(SYS_close_range, from, to, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX);
    unsigned last = most > 0 && most < CLOSE_MOST ? (unsigned)most : CLOSE_MOST;
    for (unsigned fd = from; fd <= to && fd < last; fd++)
        close((int)fd);
}

void process_close_all_but(const int *keep, size_t count) {
    unsigned next = 3;
    for (size_t i = 0; i <= count; i++) {
        unsigned stop = i < count ? (unsigned)keep[i] : ~0u;
        if (i < count && keep[i] < 3)
            continue;
        if (stop > next)
            close_range_of(next, i < count ? stop - 1 : ~0u);
        next = stop + 1;
    }
}

/* cpu.max of this process's own cgroup is "quota period" or "max period". Only the plain mount point is looked at: a
 * wrong guess costs a default, which an option overrides. */
static unsigned quota_cpus(void) {
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file == NULL)
        return ~0u;
    unsigned long long quota, period;
    int read_both = fscanf(file, "%llu %llu", &quota, &period);
    (void)fclose(file);
    if (read_both != 2 || period == 0)
        return ~0u;
    unsigned long long cpus = (quota + period - 1) / period;
    return cpus < 1 ? 1 : (unsigned)cpus;
}

unsigned process_usable_cpus(void) {
    cpu_set_t set;
    unsigned count = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = (unsigned)CPU_COUNT(&set);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
        count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    unsigned quota = quota_cpus();
    return count < quota ? count : quota;
}

int process_code(struct code_range **out) {
    FILE *file = fopen("/proc/self/maps", "re");
    if (file == NULL)
        return -errno;
    struct code_range *ranges = NULL;
    size_t count = 0, room = 0;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        uintptr_t start, end;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[2] != 'x')
            continue;
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            struct code_range *more = realloc(ranges, room * sizeof *ranges);
            if (more == NULL) {
                free(ranges);
                (void)fclose(file);
                return -ENOMEM;
            }
            ranges = more;
        }
        ranges[count++] = (struct code_range){start, end};
    }
    (void)fclose(file);
    *out = ranges;
    return (int)count;
}

/* struct sched_attr of linux/sched/types.h, which cannot be included beside sched.h. */
struct slice_wish {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
    uint32_t util_min, util_max;
};

uint64_t process_want_slice(uint64_t slice_ns) {
    struct slice_wish wish = {.size = sizeof wish};
    if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) != 0 || wish.policy != SCHED_OTHER)
        return 0;
    uint64_t before = wish.runtime_ns;
    wish.runtime_ns = slice_ns;
    (void)syscall(SYS_sched_setattr, 0, &wish, 0);
    return before;
}
