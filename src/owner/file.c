/*
 * file.c - files of the program as buffers: region/files.h
 *
 * What lies in such a file is never read here but by a system call: somebody may cut it off at any time, and then a plain
 * load is a SIGBUS of the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/buffer.h"
#include "owner/seat.h"
#include "region/files.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/why.h"

#define CALL "mortal_buffer_wrap_fd"

struct source {
    int fd, flags;
    uint64_t offset, bytes;
};

static int check_flags(int flags) {
    const int known = MORTAL_BUFFER_GIVEN | MORTAL_BUFFER_WRITABLE | MORTAL_BUFFER_COPY;
    if ((flags & ~known) != 0)
        return why(-EINVAL, CALL ": flags is 0x%x: it can be MORTAL_BUFFER_GIVEN, _WRITABLE and _COPY only", (unsigned)flags);
    if ((flags & MORTAL_BUFFER_GIVEN) != 0 && (flags & MORTAL_BUFFER_WRITABLE) != 0)
        return why(-EINVAL, CALL ": MORTAL_BUFFER_GIVEN and MORTAL_BUFFER_WRITABLE exclude each other");
    return 0;
}

/* That it can be read, and how much of it there is. */
static int look_at(struct source *source) {
    struct stat file;
    int mode = fcntl(source->fd, F_GETFL);
    if (mode < 0 || fstat(source->fd, &file) < 0)
        return why(-EBADF, CALL ": fd is %d, which is not open", source->fd);
    if (!S_ISREG(file.st_mode))
        return why(-ENODEV, CALL ": fd is no regular file: read it into a mortal_buffer_open()");
    if ((mode & O_PATH) != 0 || (mode & O_ACCMODE) == O_WRONLY)
        return why(-EACCES, CALL ": fd is not open for reading");
    bool writes_back = (source->flags & MORTAL_BUFFER_WRITABLE) != 0 && (source->flags & MORTAL_BUFFER_COPY) == 0;
    if (writes_back && (mode & O_ACCMODE) != O_RDWR)
        return why(-EACCES, CALL ": MORTAL_BUFFER_WRITABLE, and fd is not open for reading and writing");
    uint64_t size = (uint64_t)file.st_size;
    if (source->offset >= size)
        return why(-EINVAL, CALL ": nothing lies from %llu on in a file of %llu bytes%s", (unsigned long long)source->offset,
                   (unsigned long long)size, size == 0 ? ": if it has some all the same, as in /proc, read it" : "");
    if (source->bytes > size - source->offset)
        return why(-EINVAL, CALL ": %llu bytes from %llu on do not lie in a file of %llu bytes",
                   (unsigned long long)source->bytes, (unsigned long long)source->offset, (unsigned long long)size);
    if (source->bytes == 0)
        source->bytes = size - source->offset;
    return 0;
}

static int explain_map(int error) {
    switch (error) {
    case -EACCES:
    case -EPERM:
        return why(-EACCES, CALL ": the file cannot be mapped like that (%s): is it sealed, or on a file system without?",
                   strerror(-error));
    case -ENOMEM:
    case -EAGAIN:
        return why(-ENOMEM, CALL ": no memory to map the file, or too many mappings (vm.max_map_count)");
    default:
        return why(-ENODEV, CALL ": the file cannot be mapped (%s): use MORTAL_BUFFER_COPY, or read it", strerror(-error));
    }
}

/* The supervisor has it, or not and says why. Others use the pool meanwhile. */
static int await_taken(struct pool *pool, uint32_t number, uint32_t count) {
    struct control_head *control = control_head(pool->region);
    for (;;) {
        /* ORD(*) the outcome was stored before the count, by a process that is trusted. */
        uint32_t taken = atomic_load(&control->files_taken);
        if ((int32_t)(taken - count) >= 0)
            break;
        if (!watch_supervisor(pool))
            return why(-EOWNERDEAD, CALL ": the supervisor of this pool died: close the pool and open another");
        struct waiting on = {.word = &control->files_taken, .value = taken, .deadline_ns = NEVER};
        if (watch_sleep(pool, &on) == -ESHUTDOWN)
            return -ESHUTDOWN;
    }
    int error = atomic_load(&control->file_outcomes[number]);
    if (error == 0)
        return 0;
    return error == -EMFILE || error == -ENFILE
               ? why(-EMFILE, CALL ": the supervisor has no descriptor left for the file: close some wrapped files, or "
                                   "raise ulimit -n before mortal_pool_open")
               : why(-ENOMEM, CALL ": the supervisor could not take the file (%s)", strerror(-error));
}

static int hand_over(struct pool *pool, uint32_t number, mortal_buffer buffer, int fd) {
    struct file_message said = {.life = buffer.life, .number = number};
    struct file_parcel parcel;
    if (!watch_supervisor(pool))
        return why(-EOWNERDEAD, CALL ": the supervisor of this pool died: close the pool and open another");
    file_pack(&parcel, &said, sizeof said, fd);
    if (sendmsg(pool->link_fd, &parcel.message, MSG_NOSIGNAL) != (ssize_t)sizeof said)
        return why(-EMFILE, CALL ": the file could not be handed to the supervisor (%s)", strerror(errno));
    return await_taken(pool, number, ++pool->files_sent);
}

static int wrap_locked(struct pool *pool, const struct source *source, mortal_buffer *out) {
    struct range range = {.kind = WINDOW_FILES, .bytes = source->bytes, .lead = (uint32_t)(source->offset % PAGE_BYTES),
                          .is_writable = (source->flags & MORTAL_BUFFER_WRITABLE) != 0,
                          .file_offset = source->offset / PAGE_BYTES * PAGE_BYTES};
    mortal_buffer made;
    int error = buffer_range(pool, CALL, &range);
    if (error != 0)
        return error;
    uint8_t *at = pool->region->windows[WINDOW_FILES].base + range.offset;
    error = memory_map_file(source->fd, range.file_offset, range.room, range.is_writable, at);
    if (error != 0)
        return explain_map(error);
    /* Before the supervisor has it, which looks here whether it is to keep it. Tasks cannot know it yet. */
    buffer_settle(pool, &range, &made);
    error = hand_over(pool, range.number, made, source->fd);
    if (error == -ESHUTDOWN)
        return why(error, CALL ": the pool is being closed");
    if (error == 0)
        *out = made;
    else
        buffer_drop(pool, range.number);
    return error;
}

void file_let_go(struct pool *pool, const struct buffer *buffer) {
    memory_unmap_file(pool->region->windows[WINDOW_FILES].base + buffer->offset, buffer->room);
    /* ORD(file:closed) pairs ORD(file:sweep): after the end of its record's life. */
    atomic_fetch_add_explicit(&control_head(pool->region)->files_closed, 1, memory_order_release);
    watch_ring_supervisor(pool);
}

static int read_all(const struct source *source, uint8_t *to) {
    uint64_t done = 0;
    while (done < source->bytes) {
        ssize_t got = pread(source->fd, to + done, source->bytes - done, (off_t)(source->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return why(-EIO, CALL ": reading the file failed (%s)", strerror(errno));
        if (got == 0)
            return why(-EIO, CALL ": the file became shorter while it was read: there are %llu bytes and not %llu",
                       (unsigned long long)done, (unsigned long long)source->bytes);
        done += (uint64_t)got;
    }
    return 0;
}

static int copy_locked(struct pool *pool, const struct source *source, mortal_buffer *out) {
    mortal_buffer made;
    int flags = (source->flags & MORTAL_BUFFER_WRITABLE) != 0 ? 0 : MORTAL_BUFFER_GIVEN;
    int error = buffer_open_locked(pool, CALL, source->bytes, flags, &made);
    if (error != 0)
        return error;
    uint32_t number = (uint32_t)made.place;
    const struct buffer *buffer = &pool->buffers[number];
    uint8_t *to = pool->region->windows[buffer->window].base + buffer->offset;
    watch_stay(pool);
    seat_unlock(pool);
    error = read_all(source, to);
    watch_leave(pool);
    if (pool_is_closed_to_me(pool))
        return why(-ESHUTDOWN, CALL ": the pool is being closed");
    if (error == 0)
        *out = made;
    else
        buffer_drop(pool, number);
    return error;
}

int mortal_buffer_wrap_fd(mortal_buffer *out, mortal_pool *handle, int fd, uint64_t offset, size_t bytes, int flags) {
    struct source source = {.fd = fd, .flags = flags, .offset = offset, .bytes = bytes};
    struct pool *pool;
    int saved = errno;
    if (out == NULL)
        return why(-EINVAL, CALL ": out is null");
    int error = check_flags(flags);
    if (error == 0)
        error = look_at(&source);
    if (error == 0)
        error = seat_enter(handle, CALL, &pool);
    if (error == 0) {
        error = (flags & MORTAL_BUFFER_COPY) != 0 ? copy_locked(pool, &source, out) : wrap_locked(pool, &source, out);
        seat_unlock(pool);
    }
    errno = saved;
    return error;
}
