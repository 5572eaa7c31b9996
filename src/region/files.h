/*
 * files.h - how a file that the program has becomes memory of hosts
 *
 * No host holds a descriptor that a task could close and open anew as something else, and hosts that live already cannot
 * inherit one. So the owner gives it to the supervisor over the link, and a host asks there when a task first wants the
 * buffer: by a datagram, with one end of a pair of sockets for the answer in it. What comes back is mapped and closed at
 * once. Nothing but the mapping remains, in the third window, where the owner has it too.
 *
 * It ends with the life in the buffer's record: the supervisor then closes its descriptor and calls the hosts that asked
 * for one, and their main threads unmap whatever has lost its life.
 */
#ifndef REGION_FILES_H
#define REGION_FILES_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "region/layout.h"

#define FILES_NAME_BYTES 6u /* of the address, the first of them zero */

/* Owner to supervisor, with the descriptor. As large as no other message over the link: that tells them apart. */
struct file_message {
    uint64_t life; /* of the buffer's record */
    uint32_t number, reserved;
};

/* Host to supervisor, with a socket. It believes the kernel who sent it. */
struct file_wish {
    uint64_t life;
    uint32_t number, berth;
};

/* The answer, with a descriptor if there is no error. */
struct file_answer {
    int32_t error;
};

/* A message with one descriptor, or none. */
struct file_parcel {
    struct iovec part;
    struct msghdr message;
    alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct { int pid, uid, gid; }))];
};

static inline void file_pack(struct file_parcel *parcel, void *bytes, size_t count, int fd) {
    memset(parcel, 0, sizeof *parcel);
    parcel->part = (struct iovec){.iov_base = bytes, .iov_len = count};
    parcel->message = (struct msghdr){.msg_iov = &parcel->part, .msg_iovlen = 1};
    if (fd < 0)
        return;
    parcel->message.msg_control = parcel->control;
    parcel->message.msg_controllen = CMSG_SPACE(sizeof fd);
    struct cmsghdr *head = CMSG_FIRSTHDR(&parcel->message);
    head->cmsg_len = CMSG_LEN(sizeof fd);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
}

/* Ready to receive. */
static inline void file_unfold(struct file_parcel *parcel, void *bytes, size_t count) {
    file_pack(parcel, bytes, count, -1);
    parcel->message.msg_control = parcel->control;
    parcel->message.msg_controllen = sizeof parcel->control;
}

/* The descriptor that came, or -1. */
static inline int file_unpack(struct file_parcel *parcel) {
    int fd = -1;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&parcel->message); head != NULL; head = CMSG_NXTHDR(&parcel->message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; CMSG_LEN(at + sizeof fd) <= head->cmsg_len; at += sizeof fd) {
            if (fd >= 0)
                close(fd);
            memcpy(&fd, CMSG_DATA(head) + at, sizeof fd);
        }
    }
    return fd;
}

#endif
