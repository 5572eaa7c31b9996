/*
 * groupfd.c - ringing the descriptors that the owner's event loops watch
 *
 * Hosts must not hold them: a task may close any number and open something else there. So a worker only tells the
 * supervisor, and the supervisor writes.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "supervisor/state.h"

/* ORD(*) the bell is read after a signal that was sent after it was rung. */

static void ring(int fd) {
    uint64_t one = 1;
    (void)!write(fd, &one, sizeof one);
}

static void set_fd(struct supervisor *s, uint32_t group, uint32_t bell, int fd) {
    if (group >= GROUPS_MAX) {
        if (fd >= 0)
            close(fd);
        return;
    }
    if (s->group_fds[group] >= 0)
        close(s->group_fds[group]);
    s->group_fds[group] = fd;
    s->group_seen[group] = bell;
    s->groups_with_fds = true;
    if (fd >= 0 && s->breaker_is_open) /* it came too late to be rung for that */
        ring(fd);
}

/* A message is a group's number, with its descriptor, or without one when the group is closed, and the bell's value from
 * before the owner looked what there is: what rings later differs from it. */
void groupfd_receive(struct supervisor *s) {
    for (;;) {
        struct group_fd_message said = {0};
        struct iovec part = {.iov_base = &said, .iov_len = sizeof said};
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                 .msg_controllen = sizeof control};
        if (recvmsg(s->heritage->link_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof said)
            return;
        int fd = -1;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header != NULL && header->cmsg_type == SCM_RIGHTS)
            memcpy(&fd, CMSG_DATA(header), sizeof fd);
        set_fd(s, said.group, said.bell, fd);
    }
}

void groupfd_ring(struct supervisor *s) {
    if (!s->groups_with_fds)
        return;
    for (uint32_t group = 0; group < GROUPS_MAX; group++) {
        if (s->group_fds[group] < 0)
            continue;
        uint32_t bell = atomic_load(&claims_head(s->region)->group_bell[group]);
        if (bell == s->group_seen[group])
            continue;
        s->group_seen[group] = bell;
        ring(s->group_fds[group]);
    }
}

void groupfd_ring_all(struct supervisor *s) {
    for (uint32_t group = 0; s->groups_with_fds && group < GROUPS_MAX; group++)
        if (s->group_fds[group] >= 0)
            ring(s->group_fds[group]);
}
