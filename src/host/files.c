#include "host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/un.h>
#include <unistd.h>

#include "region/files.h"
#include "system/memory.h"
#include "system/process.h"
#include "system/why.h"

/* ORD(*) the plain atomics here are private to the host, or words of a record that the lock and its life guard. */

struct mapped_file {
    _Atomic uint64_t life; /* 0: none. Stored last */
    uint64_t at, room;     /* in the window */
};
#define TABLE_BYTES round_up(BUFFERS_MAX * sizeof(struct mapped_file), PAGE_BYTES)

/* ---- asking the supervisor ---- */

static int send_wish(const struct host *host, uint32_t number, uint64_t life, int answer_to) {
    uint64_t name = atomic_load(&control_head(host->region)->files_name);
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    struct file_wish wish = {.life = life, .number = number, .berth = host->place.berth};
    struct file_parcel parcel;
    int error, fd = process_lift_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return -errno;
    memcpy(there.sun_path, &name, FILES_NAME_BYTES);
    file_pack(&parcel, &wish, sizeof wish, answer_to);
    parcel.message.msg_name = &there;
    parcel.message.msg_namelen = offsetof(struct sockaddr_un, sun_path) + FILES_NAME_BYTES;
    do {
        error = sendmsg(fd, &parcel.message, MSG_NOSIGNAL) == (ssize_t)sizeof wish ? 0 : -errno;
    } while (error == -EINTR);
    close(fd);
    return error;
}

#define NO_ANSWER (-ENOLINK)

/* The end of the pair, which is closed with an answer or without one, ends the wait in any case. Without one if the
 * supervisor had no descriptor to receive it by, or has died. */
static int receive(int from, int *fd) {
    struct file_answer said = {0};
    struct file_parcel parcel;
    ssize_t got;
    do {
        file_unfold(&parcel, &said, sizeof said);
        got = recvmsg(from, &parcel.message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    *fd = file_unpack(&parcel);
    if (got != (ssize_t)sizeof said)
        return NO_ANSWER;
    if (said.error == 0 && *fd < 0)
        return -EMFILE; /* there was no room for it here */
    return said.error;
}

static int fetch(const struct host *host, uint32_t number, uint64_t life, int *fd) {
    int pair[2];
    *fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    pair[0] = process_lift_fd(pair[0]);
    pair[1] = process_lift_fd(pair[1]);
    int error = pair[0] < 0 || pair[1] < 0 ? -EMFILE : send_wish(host, number, life, pair[1]);
    if (pair[1] >= 0)
        close(pair[1]);
    if (error == 0)
        error = receive(pair[0], fd);
    if (pair[0] >= 0)
        close(pair[0]);
    return error;
}

/* ---- what is mapped ---- */

static uint64_t life_now(const struct host *host, uint32_t number) {
    return atomic_load(&buffer_of(host->region, number)->life);
}

static void sweep(struct host *host) {
    struct mapped_file *files = atomic_load(&host->files);
    for (uint32_t number = 0; number < host->files_used; number++) {
        struct mapped_file *file = &files[number];
        uint64_t life = atomic_load(&file->life);
        if (life == 0 || life == life_now(host, number))
            continue;
        atomic_store(&file->life, 0);
        memory_unmap_file(host->region->windows[WINDOW_FILES].base + file->at, file->room);
    }
}

/* Whoever calls while the lock is held leaves a mark, and who holds it looks for that when it has let go: one of the two
 * sees the other. */
static void heed_calls(struct host *host) {
    while (atomic_load(&host->files_call) != 0 && pthread_mutex_trylock(&host->files_lock) == 0) {
        atomic_store(&host->files_call, 0);
        sweep(host);
        pthread_mutex_unlock(&host->files_lock);
        atomic_thread_fence(memory_order_seq_cst); /* ORD(files:unlocked) */
    }
}

void files_heed(struct host *host) {
    if (atomic_load(&host->files) == NULL)
        return;
    atomic_store(&host->files_call, 1);
    /* ORD(files:called) pairs ORD(files:unlocked): the mark is visible before the look whether the lock is free. */
    atomic_thread_fence(memory_order_seq_cst);
    heed_calls(host);
}

/* With the lock. The range may have been another file's, which has not been unmapped yet: so that comes first. */
static int map(struct host *host, struct mapped_file *file, uint32_t number, uint64_t life) {
    const struct buffer_record *record = buffer_of(host->region, number);
    const struct window *window = &host->region->windows[WINDOW_FILES];
    sweep(host);
    if (atomic_load(&file->life) == life)
        return 0;
    uint64_t at = record->offset / PAGE_BYTES * PAGE_BYTES, offset = record->file_offset;
    uint64_t room = round_up(record->offset - at + record->bytes, PAGE_BYTES);
    bool writable = record->is_writable != 0;
    if (life_now(host, number) != life || record->window != WINDOW_FILES || at > window->bytes || room > window->bytes - at)
        return -ESTALE;
    int fd, error = fetch(host, number, life, &fd);
    if (error == 0)
        error = memory_map_file(fd, offset, room, writable, window->base + at);
    if (fd >= 0)
        close(fd);
    if (error != 0)
        return error;
    file->at = at;
    file->room = room;
    if (number >= host->files_used)
        host->files_used = number + 1;
    atomic_store(&file->life, life);
    return 0;
}

static int explain(int error) {
    switch (error) {
    case 0:
        return 0;
    case -ESTALE:
        return why(error, "mortal_task_buffer: this buffer was closed: name it in mortal_task_options.buffers to keep it");
    case -EMFILE:
    case -ENFILE:
        return why(-EMFILE, "mortal_task_buffer: no descriptor is left to get the file by, for an instant: close some");
    case NO_ANSWER:
        return why(-EMFILE, "mortal_task_buffer: the supervisor of this pool had no descriptor left to be asked by, or is gone: "
                            "close buffers around files, or raise ulimit -n before the pool is opened");
    case -EPERM:
        return why(error, "mortal_task_buffer: the supervisor gives files to hosts only, and this process is not one");
    case -ENOMEM:
        return why(error, "mortal_task_buffer: no memory to map the file");
    default:
        return why(-EIO, "mortal_task_buffer: the file could not be mapped here (%s): has this task changed its network "
                         "namespace, or shut itself in?", strerror(-error));
    }
}

static struct mapped_file *table_of(struct host *host) {
    struct mapped_file *files = atomic_load(&host->files);
    if (files == NULL) {
        files = memory_private(TABLE_BYTES);
        atomic_store(&host->files, files);
    }
    return files;
}

int files_find(struct host *host, uint32_t number, uint64_t life) {
    struct mapped_file *files = atomic_load(&host->files);
    if (files != NULL && atomic_load(&files[number].life) == life)
        return 0;
    pthread_mutex_lock(&host->files_lock);
    files = table_of(host);
    int error = files == NULL ? -ENOMEM : map(host, &files[number], number, life);
    pthread_mutex_unlock(&host->files_lock);
    /* ORD(files:unlocked) pairs ORD(files:called): the lock is free before the look whether somebody came meanwhile. */
    atomic_thread_fence(memory_order_seq_cst);
    heed_calls(host);
    return explain(error);
}
