/*
 * files.c - files of the owner, held for hosts that ask for them
 *
 * A request that came by the socket is believed as far as the kernel vouches for the sender: it is the process that was
 * made for that berth.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "region/files.h"
#include "supervisor/state.h"
#include "system/futex.h"

#define WISHES_AT_ONCE 64u /* then the turn goes on; who asks without end holds up nobody's kill */

struct file_held {
    uint64_t life; /* 0: none */
    int fd;
};

/* The address is one that the kernel makes up, a zero byte and five more. It is in no file system and ends with us. */
static int open_socket(struct supervisor *s) {
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    socklen_t bytes = sizeof own;
    int yes = 1, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&own, sizeof own.sun_family) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &bytes) < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    uint64_t name = 0;
    bytes -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
    if (bytes != FILES_NAME_BYTES) {
        close(fd);
        return -EPROTO;
    }
    memcpy(&name, own.sun_path, bytes);
    s->files_fd = fd;
    s->files_spare = -1;
    /* ORD(*) who knows of a buffer knows it from the owner, who waited for files_taken; the rest is this process's own. */
    atomic_store(&control_head(s->region)->files_name, name);
    return 0;
}

static int make_ready(struct supervisor *s) {
    if (s->files != NULL)
        return 0;
    struct file_held *files = calloc(BUFFERS_MAX, sizeof *files);
    if (files == NULL)
        return -ENOMEM;
    int error = open_socket(s);
    if (error != 0) {
        free(files);
        return error;
    }
    s->files = files;
    return 0;
}

static void let_go(struct file_held *held) {
    if (held->life != 0)
        close(held->fd);
    held->life = 0;
}

/* Who asks for a file sends a descriptor to be answered by: without room for that one nobody could have any of them. So a
 * place is kept for it, and given up only while questions are served, when nothing else here opens any. */
static int keep_spare(struct supervisor *s) {
    if (s->files_spare < 0)
        s->files_spare = fcntl(0, F_DUPFD_CLOEXEC, 3); /* 0 is always there: supervisor.c plugs it */
    return s->files_spare >= 0 ? 0 : -errno;
}

static void give_up_spare(struct supervisor *s) {
    if (s->files_spare >= 0)
        close(s->files_spare);
    s->files_spare = -1;
}

void files_take(struct supervisor *s, const struct file_message *said, int fd) {
    struct control_head *control = control_head(s->region);
    int error = said->number >= BUFFERS_MAX || said->life == 0 ? -EINVAL : fd < 0 ? -EMFILE : make_ready(s);
    if (error == 0)
        error = keep_spare(s);
    if (error != 0 && fd >= 0) {
        close(fd);
    } else if (error == 0) {
        let_go(&s->files[said->number]); /* an earlier one, not yet looked at */
        s->files[said->number] = (struct file_held){.life = said->life, .fd = fd};
        if (said->number >= s->files_used)
            s->files_used = said->number + 1;
    }
    if (said->number < BUFFERS_MAX)
        atomic_store(&control->file_outcomes[said->number], error);
    atomic_fetch_add(&control->files_taken, 1);
    futex_wake(&control->files_taken, INT_MAX);
}

static pid_t sender_of(struct file_parcel *parcel) {
    struct ucred sender = {0};
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&parcel->message); head != NULL; head = CMSG_NXTHDR(&parcel->message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_CREDENTIALS)
            memcpy(&sender, CMSG_DATA(head), sizeof sender);
    return sender.pid;
}

/* Null: nobody of ours. */
static struct host_record *host_that_asks(struct supervisor *s, const struct file_wish *wish, pid_t sender) {
    if (wish->berth >= s->region->g.berths || wish->number >= BUFFERS_MAX || wish->life == 0)
        return NULL;
    struct host_record *host = &s->hosts[wish->berth];
    return host->state != HOST_EMPTY && host->pid == sender ? host : NULL;
}

static void answer(struct supervisor *s, const struct file_wish *wish, pid_t sender, int to) {
    struct host_record *host = host_that_asks(s, wish, sender);
    const struct file_held *held = host != NULL ? &s->files[wish->number] : NULL;
    bool has = held != NULL && held->life == wish->life;
    struct file_answer said = {.error = has ? 0 : host != NULL ? -ESTALE : -EPERM};
    struct file_parcel parcel;
    file_pack(&parcel, &said, sizeof said, has ? held->fd : -1);
    if (has)
        host->has_files = true; /* before it has it: it is called when that ends */
    (void)sendmsg(to, &parcel.message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool is_asked(const struct supervisor *s) {
    uint8_t first;
    return recv(s->files_fd, &first, sizeof first, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* Where there is no room for what came with a question the kernel throws it away, and who asks sees its end. */
static void serve(struct supervisor *s) {
    for (uint32_t i = 0; i < WISHES_AT_ONCE && is_asked(s); i++) {
        struct file_wish wish = {0};
        struct file_parcel parcel;
        file_unfold(&parcel, &wish, sizeof wish);
        give_up_spare(s);
        ssize_t got = recvmsg(s->files_fd, &parcel.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        int to = got < 0 ? -1 : file_unpack(&parcel);
        if (to >= 0 && got == (ssize_t)sizeof wish)
            answer(s, &wish, sender_of(&parcel), to);
        if (to >= 0)
            close(to);
        (void)keep_spare(s);
    }
}

void files_turn(struct supervisor *s) {
    if (s->files == NULL)
        return;
    serve(s);
    /* ORD(file:sweep) pairs ORD(file:closed): the record has lost its life before. */
    uint32_t closed = atomic_load_explicit(&control_head(s->region)->files_closed, memory_order_acquire);
    if (closed == s->files_closed_seen)
        return;
    s->files_closed_seen = closed;
    for (uint32_t number = 0; number < s->files_used; number++)
        if (atomic_load(&buffer_of(s->region, number)->life) != s->files[number].life)
            let_go(&s->files[number]);
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++)
        if (s->hosts[berth].state != HOST_EMPTY && s->hosts[berth].has_files)
            ask_call_host(s, berth);
}
