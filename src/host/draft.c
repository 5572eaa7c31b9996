/*
 * draft.c - files that appear whole or not at all
 *
 * A draft is written beside its place and has no name (O_TMPFILE), so if its host dies nothing is left of it. A name is
 * needed for the instant of publication only, since a file without one can be linked but cannot replace another; a
 * clean-up, left before the name exists, removes it if the host dies in that instant. Where a file system has no files
 * without a name, the draft has one from the beginning, and so the clean-up is left from the beginning.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/worker.h"
#include "region/plant.h"
#include "system/why.h"

#define NAME_TRIES 16

struct draft {
    struct draft *next;
    int fd, cleanup; /* the number of its clean-up, or -1: it has no name */
    dev_t device;    /* of the file: the task may have closed the descriptor and opened something else there */
    ino_t inode;
    char beside[CLEANUP_INPUT_BYTES]; /* its name while it has one */
    size_t folder_bytes;              /* of beside and path: up to and with the last slash */
    char path[CLEANUP_INPUT_BYTES];
};

static int remove_name(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task;
    const char *name = input;
    if (input_bytes == 0 || name[input_bytes - 1] != '\0')
        return EINVAL;
    return unlink(name) == 0 || errno == ENOENT ? 0 : errno;
}

/* The clean-up runs in another process, which may be elsewhere: all names begin at the root. */
static int set_path(struct draft *draft, const char *path) {
    char here[CLEANUP_INPUT_BYTES] = "";
    if (path[0] != '/' && getcwd(here, sizeof here) == NULL)
        return errno == ERANGE ? -ENAMETOOLONG : -errno;
    int length = snprintf(draft->path, sizeof draft->path, path[0] == '/' ? "%s%s" : "%s/%s", here, path);
    const char *slash = strrchr(draft->path, '/');
    draft->folder_bytes = (size_t)(slash + 1 - draft->path);
    if ((size_t)length >= sizeof draft->path || draft->folder_bytes + 32 > sizeof draft->beside)
        return -ENAMETOOLONG;
    return slash[1] != '\0' ? 0 : -EISDIR;
}

/* Nobody else has a name like that, so the clean-up may be left before there is such a file. */
static int choose_name(struct mortal_task *task, struct draft *draft) {
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -errno;
    (void)snprintf(draft->beside, sizeof draft->beside, "%.*s.mortal-%016llx", (int)draft->folder_bytes, draft->path,
                   (unsigned long long)number);
    draft->cleanup = cleanup_leave(task, remove_name, draft->beside, strlen(draft->beside) + 1);
    return draft->cleanup < 0 ? draft->cleanup : 0;
}

static void forget_name(struct mortal_task *task, struct draft *draft) {
    cleanup_take_back(task, draft->cleanup);
    draft->cleanup = -1;
}

static int open_named(struct mortal_task *task, struct draft *draft, unsigned mode) {
    for (int tries = 0; tries < NAME_TRIES; tries++) {
        int error = choose_name(task, draft);
        if (error != 0)
            return error;
        int fd = open(draft->beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0)
            return fd;
        error = -errno;
        forget_name(task, draft);
        if (error != -EEXIST)
            return error;
    }
    return -EEXIST;
}

static int open_draft(struct mortal_task *task, struct draft *draft, unsigned mode) {
    char folder[CLEANUP_INPUT_BYTES];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)draft->folder_bytes, draft->path);
    bool can_be_linked = access("/proc/self/fd", X_OK) == 0;
    draft->fd = can_be_linked && !PLANTED(PLANT_NAMED_DRAFT) ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode) : -1;
    if (draft->fd < 0 &&
        (!can_be_linked || PLANTED(PLANT_NAMED_DRAFT) || errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        draft->fd = open_named(task, draft, mode);
    else if (draft->fd < 0)
        draft->fd = -errno;
    struct stat status;
    if (draft->fd < 0)
        return draft->fd;
    (void)fstat(draft->fd, &status);
    draft->device = status.st_dev;
    draft->inode = status.st_ino;
    return 0;
}

static bool is_open(const struct draft *draft) {
    struct stat status;
    return fstat(draft->fd, &status) == 0 && status.st_dev == draft->device && status.st_ino == draft->inode;
}

static int check_task(const struct mortal_task *task, const char *call) {
    if (task == NULL)
        return why(-EINVAL, "%s: the task is null", call);
    if (task->is_cleanup || worker_self() != task->worker)
        return why(-EPERM, "%s: called %s", call,
                   task->is_cleanup ? "in a clean-up" : "on another thread than the task's own");
    return 0;
}

static int explain(int error, const char *call, const char *path) {
    if (error == -ENOBUFS)
        return why(error, "%s: %s needs a clean-up, and %u are left already: take back one", call, path, CLEANUPS);
    if (error == -ENAMETOOLONG)
        return why(error, "%s: %s: the name with all its folders is too long: at most %u bytes with a folder's, or open it "
                          "by a shorter way", call, path, CLEANUP_INPUT_BYTES - 33);
    return why(error, "%s: %s: %s", call, path, strerror(-error));
}

int mortal_task_file_open(mortal_task *task, const char *path, unsigned mode, int *fd) {
    int saved = errno, error = check_task(task, "mortal_task_file_open");
    if (error != 0)
        return error;
    if (path == NULL || path[0] == '\0' || fd == NULL)
        return why(-EINVAL, "mortal_task_file_open: %s", fd == NULL ? "fd is null" : "the path is null or empty");
    struct draft *draft = calloc(1, sizeof *draft);
    if (draft == NULL)
        return why(-ENOMEM, "mortal_task_file_open: no memory");
    draft->cleanup = -1;
    error = set_path(draft, path);
    if (error == 0)
        error = open_draft(task, draft, mode);
    if (error == 0) {
        draft->next = task->worker->drafts;
        task->worker->drafts = draft;
        *fd = draft->fd;
    } else {
        free(draft);
    }
    errno = saved;
    return error == 0 ? 0 : explain(error, "mortal_task_file_open", path);
}

static int give_name(struct mortal_task *task, struct draft *draft) {
    char itself[64];
    (void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", draft->fd);
    for (int tries = 0; tries < NAME_TRIES; tries++) {
        int error = choose_name(task, draft);
        if (error != 0)
            return error;
        if (linkat(AT_FDCWD, itself, AT_FDCWD, draft->beside, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        error = -errno;
        forget_name(task, draft);
        if (error != -EEXIST)
            return error;
    }
    return -EEXIST;
}

static int sync_folder(const struct draft *draft) {
    char folder[CLEANUP_INPUT_BYTES];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)draft->folder_bytes, draft->path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) == 0 || errno == EINVAL ? 0 : -errno; /* EINVAL: such folders cannot be */
    close(fd);
    return error;
}

/* Before the name: what is read under it after a power cut is whole too. */
static int put_in_place(struct mortal_task *task, struct draft *draft) {
    if (fsync(draft->fd) != 0 && errno != EINVAL)
        return -errno;
    bool had_name = draft->cleanup >= 0;
    int error = had_name ? 0 : give_name(task, draft);
    if (error != 0)
        return error;
    if (rename(draft->beside, draft->path) == 0) {
        forget_name(task, draft);
        return 0;
    }
    error = -errno;
    if (!had_name) {
        (void)unlink(draft->beside);
        forget_name(task, draft);
    }
    return error;
}

int mortal_task_file_publish(mortal_task *task, int fd) {
    int saved = errno, error = check_task(task, "mortal_task_file_publish");
    if (error != 0)
        return error;
    struct draft **place = &task->worker->drafts;
    while (*place != NULL && ((*place)->fd != fd || !is_open(*place)))
        place = &(*place)->next;
    struct draft *draft = *place;
    if (draft == NULL) {
        errno = saved;
        return why(-EBADF, "mortal_task_file_publish: %d is not open, or not by mortal_task_file_open in this task", fd);
    }
    error = put_in_place(task, draft);
    if (error != 0) {
        errno = saved;
        return explain(error, "mortal_task_file_publish", draft->path);
    }
    error = sync_folder(draft);
    *place = draft->next;
    close(fd);
    if (error != 0)
        (void)why(error, "mortal_task_file_publish: %s is in place, but its folder could not be synchronized (%s): after a "
                         "power cut it may be the old one again", draft->path, strerror(-error));
    free(draft);
    errno = saved;
    return error;
}

void drafts_drop(struct mortal_task *task) {
    struct draft *draft;
    int saved = errno;
    while ((draft = task->worker->drafts) != NULL) {
        task->worker->drafts = draft->next;
        if (draft->cleanup >= 0) {
            (void)unlink(draft->beside);
            forget_name(task, draft);
        }
        if (is_open(draft))
            close(draft->fd);
        free(draft);
    }
    errno = saved;
}
