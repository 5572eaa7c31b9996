/*
 * groupfd.c - ringing the descriptors that the owner's event loops watch
 *
 * Hosts must not hold them: a task may close any number and open something else there. So a worker only tells the
 * supervisor, and the supervisor writes.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "region/files.h"
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
        union {
            struct group_fd_message of_group;
            struct file_message of_file;
        } said = {0};
        struct file_parcel parcel;
        file_unfold(&parcel, &said, sizeof said);
        ssize_t got = recvmsg(s->heritage->link_fd, &parcel.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got == (ssize_t)sizeof said.of_group)
            set_fd(s, said.of_group.group, said.of_group.bell, file_unpack(&parcel));
        else if (got == (ssize_t)sizeof said.of_file)
            files_take(s, &said.of_file, file_unpack(&parcel));
        else
            return;
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
