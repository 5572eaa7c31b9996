#include "system/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "mortal-"
#define MARK "user.mortal" /* an attribute of a pool's directory: somebody else's may have such a name */
#define NAMES_MOST 100
#define LINE_BYTES 2048
#define DEPTH_MOST 16u
#define REMOVE_TRIES 50 /* a millisecond apart */

/* Where version 2 is mounted, and what of it: a container may see a part only. */
static bool find_mount(char mount[CGROUP_PATH_BYTES], char root[CGROUP_PATH_BYTES]) {
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[LINE_BYTES];
    bool found = false;
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        const char *kind = strstr(line, " - ");
        found = kind != NULL && strncmp(kind, " - cgroup2 ", 11) == 0 &&
                sscanf(line, "%*s %*s %*s %511s %511s", root, mount) == 2;
    }
    (void)fclose(file);
    return found;
}

static bool find_own(char path[CGROUP_PATH_BYTES]) {
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[LINE_BYTES];
    bool found = false;
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < CGROUP_PATH_BYTES;
        if (found)
            memcpy(path, line + 3, strlen(line + 3) + 1);
    }
    (void)fclose(file);
    return found;
}

int cgroup_own(char path[CGROUP_PATH_BYTES]) {
    char mount[CGROUP_PATH_BYTES], root[CGROUP_PATH_BYTES], own[CGROUP_PATH_BYTES];
    if (!find_mount(mount, root) || !find_own(own) || strncmp(own, "/..", 3) == 0)
        return -ENOENT;
    const char *below = own;
    size_t root_length = strlen(root);
    if (root_length > 1) {
        if (strncmp(own, root, root_length) != 0 || (own[root_length] != '/' && own[root_length] != '\0'))
            return -ENOENT;
        below += root_length;
    }
    if (strcmp(below, "/") == 0)
        below++;
    int length = snprintf(path, CGROUP_PATH_BYTES, "%s%s", mount, below);
    return length > 0 && length < CGROUP_PATH_BYTES && access(path, F_OK) == 0 ? 0 : -ENOENT;
}

static bool has_mark(const char *path) {
    char value[8];
    return (getxattr(path, "user.delegate", value, sizeof value) == 1 && value[0] == '1') ||
           (getxattr(path, "trusted.delegate", value, sizeof value) == 1 && value[0] == '1');
}

bool cgroup_is_delegated(const char *path) {
    char above[CGROUP_PATH_BYTES], file[CGROUP_PATH_BYTES + 32];
    (void)snprintf(above, sizeof above, "%s", path);
    for (char *slash; (slash = strrchr(above, '/')) != NULL && slash != above; *slash = '\0')
        if (has_mark(above))
            return true;
    (void)snprintf(file, sizeof file, "%s/cgroup.procs", path);
    return access("/run/systemd/system", F_OK) != 0 && geteuid() != 0 && access(path, W_OK | X_OK) == 0 &&
           access(file, W_OK) == 0;
}

/* Locked before anybody took it for left behind: the lock is held, and the name still means this directory. */
static bool lock(const char *path, int *lock_fd) {
    struct stat opened, named;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
        opened.st_ino == named.st_ino) {
        *lock_fd = fd;
        return true;
    }
    close(fd);
    return false;
}

int cgroup_make(const char *parent, char path[CGROUP_PATH_BYTES], int *lock_fd) {
    for (int i = 0; i < NAMES_MOST; i++) {
        int length = snprintf(path, CGROUP_PATH_BYTES, "%s/" PREFIX "%d.%d", parent, (int)getpid(), i);
        if (length < 0 || length + 32 >= CGROUP_PATH_BYTES)
            return -ENAMETOOLONG;
        if (mkdir(path, 0755) != 0) {
            if (errno == EEXIST)
                continue;
            return -errno;
        }
        if (!lock(path, lock_fd))
            continue;
        (void)setxattr(path, MARK, "1", 1, 0); /* kernels before 5.7 lack it: there nobody clears up after us */
        char file[CGROUP_PATH_BYTES + 32];
        (void)snprintf(file, sizeof file, "%s/cgroup.kill", path);
        if (access(file, F_OK) == 0)
            return 0;
        (void)rmdir(path);
        close(*lock_fd);
        *lock_fd = -1;
        return -ENOSYS;
    }
    return -EEXIST;
}

void cgroup_leaf(const char *path, uint32_t leaf, char name[CGROUP_PATH_BYTES]) {
    if (snprintf(name, CGROUP_PATH_BYTES, "%s/%u", path, leaf) >= CGROUP_PATH_BYTES)
        name[0] = '\0'; /* never: cgroup_make() leaves room for it */
}

int cgroup_make_leaf(const char *path, uint32_t leaf) {
    char name[CGROUP_PATH_BYTES];
    cgroup_leaf(path, leaf, name);
    return mkdir(name, 0755) == 0 ? 0 : -errno;
}

int cgroup_remove_leaf(const char *path, uint32_t leaf) {
    char name[CGROUP_PATH_BYTES];
    cgroup_leaf(path, leaf, name);
    return rmdir(name) == 0 ? 0 : -errno;
}

int cgroup_try_leaf(const char *path, uint32_t leaf) {
    char name[CGROUP_PATH_BYTES];
    cgroup_leaf(path, leaf, name);
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .cgroup = (uint64_t)fd};
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0)
        _exit(0);
    int error = pid < 0 ? -errno : 0, status = 0;
    while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
    }
    if (status != 0)
        error = -ENOSYS;
    close(fd);
    return error;
}

void cgroup_kill(const char *path) {
    char file[CGROUP_PATH_BYTES + 32];
    (void)snprintf(file, sizeof file, "%s/cgroup.kill", path);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t ignored = write(fd, "1", 1);
    (void)ignored;
    close(fd);
}

/* Of a task's own making there may be groups in a leaf. */
static bool remove_below(int parent, const char *name, unsigned depth) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (directory == NULL) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool removed_all = true;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        bool removed = unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0 ||
                       (depth > 0 && remove_below(fd, entry->d_name, depth - 1) &&
                        unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0);
        removed_all = removed_all && removed;
    }
    closedir(directory);
    return removed_all;
}

void cgroup_remove(const char *path) {
    struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < REMOVE_TRIES; i++) {
        if (remove_below(AT_FDCWD, path, DEPTH_MOST) && (rmdir(path) == 0 || errno != EBUSY))
            return;
        if (access(path, W_OK) != 0)
            return;
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

/* A directory that a supervisor made: what is killed here must be that and nothing else. */
static bool is_ours(const char *path, const char *name) {
    char value[8];
    int pid, number, end = 0;
    return sscanf(name, PREFIX "%d.%d%n", &pid, &number, &end) == 2 && name[end] == '\0' &&
           getxattr(path, MARK, value, sizeof value) == 1;
}

void cgroup_sweep(const char *parent) {
    DIR *directory = opendir(parent);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[CGROUP_PATH_BYTES];
        int lock_fd = -1, length = snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        if (length < 0 || length >= (int)sizeof path || !is_ours(path, entry->d_name) || !lock(path, &lock_fd))
            continue;
        cgroup_kill(path);
        cgroup_remove(path);
        close(lock_fd);
    }
    closedir(directory);
}
