/* boarding.c - what a fresh image of the program does first: find out whether it is to be a supervisor, and become one */
#include "region/boarding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/image.h"
#include "system/memory.h"
#include "system/process.h"

static int link_to_owner = -1;

/* Made by our parent, as the same user, with a note in it: nobody can forge that who could not do worse anyway. */
static bool is_link(int fd) {
    int type = 0, domain = 0;
    struct ucred maker = {0};
    socklen_t type_bytes = sizeof type, domain_bytes = sizeof domain, maker_bytes = sizeof maker;
    struct boarding_note note;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes) == 0 && type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_bytes) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &maker_bytes) == 0 && maker.pid == getppid() &&
           maker.uid == geteuid() && recv(fd, &note, sizeof note, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof note &&
           note.magic == BOARDING_MAGIC;
}

/* Before main, and before the constructors of the program, which may close what they do not know: if a pool's owner
 * started this image, main shall not run in it, whatever happens on the way there. */
__attribute__((constructor(101))) static void look_for_owner(void) {
    const char *mark = getenv(BOARDING_MARK);
    int owner = 0, fd = 0, end = 0;
    if (mark == NULL || getauxval(AT_SECURE) != 0)
        return;
    if (sscanf(mark, "%d.%d%n", &owner, &fd, &end) != 2 || mark[end] != '\0' || owner != getppid() || fd < 3)
        return; /* somebody else's, or made up */
    int is_same = image_is_same_as(owner);
    if (is_same == 0)
        return;
    if (!is_link(fd)) {
        if (is_same == 1)
            _exit(HOST_EXIT_BROKEN); /* its own program started it as a supervisor, and then it is no other */
        return;
    }
    (void)unsetenv(BOARDING_MARK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    process_say_hosted();
    link_to_owner = fd;
}

static void __attribute__((noreturn)) refuse(enum boarding_fault fault, int value) {
    struct boarding_refusal refusal = {.fault = (int32_t)fault, .value = value};
    (void)send(link_to_owner, &refusal, sizeof refusal, MSG_NOSIGNAL);
    _exit(HOST_EXIT_BROKEN);
}

static uint64_t receive(int numbers[BOARDING_FDS]) {
    struct boarding_note note = {0};
    union {
        struct cmsghdr head;
        uint8_t room[CMSG_SPACE(BOARDING_FDS * sizeof(int))];
    } control;
    struct iovec text = {.iov_base = &note, .iov_len = sizeof note};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    ssize_t got = recvmsg(link_to_owner, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = got == (ssize_t)sizeof note ? CMSG_FIRSTHDR(&message) : NULL;
    if (head == NULL || (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0 || head->cmsg_type != SCM_RIGHTS ||
        head->cmsg_len != CMSG_LEN(BOARDING_FDS * sizeof(int)) || note.magic != BOARDING_MAGIC)
        refuse(BOARDING_UNREADABLE, got < 0 ? -errno : -EMFILE); /* descriptors that find no room are left out */
    memcpy(numbers, CMSG_DATA(head), BOARDING_FDS * sizeof *numbers);
    for (uint32_t i = 0; i < BOARDING_FDS; i++)
        if ((numbers[i] = process_lift_fd(numbers[i])) < 0)
            refuse(BOARDING_UNREADABLE, -errno);
    return note.bytes;
}

static const struct boarding_card *open_card(int fd, uint64_t bytes) {
    struct stat file;
    if (fcntl(fd, F_GET_SEALS) != BOARDING_SEALS || fstat(fd, &file) < 0 || (uint64_t)file.st_size != bytes ||
        bytes < sizeof(struct boarding_card) || bytes > BOARDING_MOST_BYTES)
        refuse(BOARDING_UNREADABLE, -EINVAL);
    const struct boarding_card *card = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (card == MAP_FAILED)
        refuse(BOARDING_NO_MEMORY, -errno);
    struct image_part own;
    if (card->magic != BOARDING_MAGIC || card->card_bytes != sizeof *card || card->version != mortal_version() ||
        !image_find((uintptr_t)open_card, &own) || own.print != card->library_print)
        refuse(BOARDING_OTHER_LIBRARY, 0);
    const struct heritage *h = &card->heritage;
    if (h->keep_fd_count > KEEP_FDS_MOST || card->context_offset < sizeof *card + 2 * h->keep_fd_count * sizeof(int) ||
        card->context_offset > bytes || h->context_bytes != bytes - card->context_offset)
        refuse(BOARDING_UNREADABLE, -EINVAL);
    return card;
}

static void map(int fd, uint64_t bytes, bool writable, uint8_t **at) {
    *at = memory_map(fd, 0, bytes, writable, NULL);
    if (*at == NULL)
        refuse(BOARDING_NO_MEMORY, -ENOMEM);
}

static void map_all(struct heritage *h) {
    struct region *r = &h->region;
    uint8_t *table;
    map(r->orders_fd, r->g.orders_bytes, true, &r->orders);
    map(r->claims_fd, r->g.claims_bytes, true, &r->claims);
    map(r->control_fd, r->g.control_bytes, true, &r->control);
    map(r->answers_fd, (uint64_t)r->g.lives * r->g.arena_bytes, false, &r->answers);
    if (r->cells != NULL)
        map(r->cells_fd, r->g.cells_bytes, true, &r->cells);
    for (int i = 0; i < WINDOW_KINDS; i++)
        if (r->windows[i].bytes != 0 && window_map(&r->windows[i]) != 0)
            refuse(BOARDING_NO_MEMORY, -ENOMEM);
    map(h->modules_fd, sizeof(struct module_table), false, &table);
    h->modules = (const struct module_table *)(const void *)table;
}

void boarding_enter(void) {
    static struct heritage heritage;
    int numbers[BOARDING_FDS], *fds[BOARDING_FDS];
    if (link_to_owner < 0)
        return;
    sigset_t all;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    __fpurge(stdout); /* what constructors wrote, they wrote in the owner too */
    uint64_t bytes = receive(numbers); /* first: a link that is closed over unread words takes our own with it */
    int threads = process_threads();
    if (threads > 1)
        refuse(BOARDING_THREADS, threads);
    const struct boarding_card *card = open_card(numbers[0], bytes);
    heritage = card->heritage;
    boarding_fds(&heritage, fds);
    for (uint32_t i = 1; i < BOARDING_FDS; i++)
        *fds[i] = numbers[i];
    heritage.link_fd = link_to_owner;
    heritage.keep_fds = (const int *)(const void *)(card + 1);
    for (size_t i = 0; i < heritage.keep_fd_count; i++)
        (void)fcntl(heritage.keep_fds[i], F_SETFD, heritage.keep_fds[heritage.keep_fd_count + i]);
    heritage.context = heritage.context_bytes != 0 ? (const uint8_t *)card + card->context_offset : NULL;
    map_all(&heritage);
    heritage_entries(&heritage);
    heritage.preload = card->has_preload ? heritage.module_preload : NULL;
    heritage.init = card->has_init ? heritage.module_init : NULL;
    heritage.supervisor_run(&heritage);
}
