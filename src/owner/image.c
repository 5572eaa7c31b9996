/* image.c - making the supervisor out of a fresh image of this program, whatever threads there are in it now */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "owner/modules.h"
#include "region/boarding.h"
#include "system/clock.h"
#include "system/image.h"
#include "system/memory.h"
#include "system/why.h"

/* ORD(*) one look each at a word that the supervisor stores once. */

int image_check(void) {
    if (!process_is_enterable())
        return why(-ENOTSUP, "mortal_pool_open: this program cannot be started as a supervisor: call mortal_host_main() "
                             "first of all in main, or link it with `pkg-config --libs mortal-entry`");
    if (image_is_privileged())
        return why(-EACCES, "mortal_pool_open: MORTAL_START_EXEC is not for programs that are setuid, setgid or have file "
                            "capabilities: use MORTAL_START_FORK, before starting threads");
    return 0;
}

static int refer(struct pool *pool, mortal_prepare *function, uint64_t *ref) {
    struct module_found found;
    if (function == NULL || modules_know(pool, (uintptr_t)function, ref))
        return 0;
    int error = modules_find("mortal_pool_open", (uintptr_t)function, &found);
    if (error == 0)
        error = modules_add(pool, "mortal_pool_open", &found);
    if (error == 0 && !modules_know(pool, (uintptr_t)function, ref))
        error = why(-ENOEXEC, "mortal_pool_open: preload or init is in no loaded file");
    return error;
}

static bool write_all(int fd, const void *bytes, size_t count, uint64_t offset) {
    while (count > 0) {
        ssize_t wrote = pwrite(fd, bytes, count, (off_t)offset);
        if (wrote <= 0 && errno != EINTR)
            return false;
        if (wrote > 0) {
            bytes = (const uint8_t *)bytes + wrote;
            count -= (size_t)wrote;
            offset += (uint64_t)wrote;
        }
    }
    return true;
}

/* The heritage as bytes. Whoever gets it is the same program with the same library, or refuses. */
static int write_card(struct pool *pool, uint64_t *bytes) {
    struct heritage *h = &pool->heritage;
    struct image_part own;
    size_t keep_bytes = h->keep_fd_count * sizeof *h->keep_fds;
    int flags[KEEP_FDS_MOST] = {0}; /* execve takes only what has none, and hosts shall find them as they were */
    for (size_t i = 0; i < h->keep_fd_count; i++)
        flags[i] = fcntl(h->keep_fds[i], F_GETFD);
    struct boarding_card *card = calloc(1, sizeof *card);
    if (card == NULL || !image_find((uintptr_t)write_card, &own)) {
        free(card);
        return -ENOMEM;
    }
    *card = (struct boarding_card){.magic = BOARDING_MAGIC, .library_print = own.print, .card_bytes = sizeof *card,
                                   .version = mortal_version(), .has_preload = h->preload != NULL,
                                   .has_init = h->init != NULL};
    card->context_offset = round_up(sizeof *card + 2 * keep_bytes, 64);
    card->heritage = *h;
    *bytes = card->context_offset + h->context_bytes;
    int fd = memory_segment("mortal:heritage", *bytes);
    bool good = fd >= 0 && write_all(fd, card, sizeof *card, 0) &&
                write_all(fd, h->keep_fds, keep_bytes, sizeof *card) &&
                write_all(fd, flags, keep_bytes, sizeof *card + keep_bytes) &&
                write_all(fd, h->context, h->context_bytes, card->context_offset) &&
                fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0;
    int error = fd < 0 ? fd : -errno;
    free(card);
    if (good)
        return fd;
    if (fd >= 0)
        close(fd);
    return error;
}

/* Before there is anybody to read it: it waits in the link. */
static int send_note(struct pool *pool, int card_fd, uint64_t bytes) {
    struct boarding_note note = {.magic = BOARDING_MAGIC, .bytes = bytes};
    int *fds[BOARDING_FDS], numbers[BOARDING_FDS];
    union {
        struct cmsghdr head;
        uint8_t room[CMSG_SPACE(sizeof numbers)];
    } control;
    memset(&control, 0, sizeof control);
    boarding_fds(&pool->heritage, fds);
    for (uint32_t i = 0; i < BOARDING_FDS; i++)
        numbers[i] = fds[i] == NULL || *fds[i] < 0 ? card_fd : *fds[i]; /* a pool may have no cells */
    struct iovec text = {.iov_base = &note, .iov_len = sizeof note};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof numbers);
    memcpy(CMSG_DATA(head), numbers, sizeof numbers);
    return sendmsg(pool->link_fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof note ? 0 : -errno;
}

/* Ours, and a mark more. */
static char **make_environment(char *mark) {
    extern char **environ;
    size_t count = 0, kept = 0;
    while (environ != NULL && environ[count] != NULL)
        count++;
    char **copy = calloc(count + 2, sizeof *copy);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (environ[i] != NULL && strncmp(environ[i], BOARDING_MARK "=", sizeof BOARDING_MARK) != 0)
            copy[kept++] = environ[i];
    copy[kept] = mark;
    return copy;
}

static pid_t start(struct pool *pool) {
    const struct heritage *h = &pool->heritage;
    char mark[64];
    char *arguments[] = {program_invocation_name, NULL};
    int keep[KEEP_FDS_MOST + 1];
    size_t count = 0;
    while (count < h->keep_fd_count && h->keep_fds[count] < h->link_fd) {
        keep[count] = h->keep_fds[count];
        count++;
    }
    keep[count] = h->link_fd;
    for (size_t i = count; i < h->keep_fd_count; i++)
        keep[i + 1] = h->keep_fds[i];
    (void)snprintf(mark, sizeof mark, BOARDING_MARK "=%d.%d", (int)getpid(), h->link_fd);
    char **environment = make_environment(mark);
    if (environment == NULL)
        return -ENOMEM;
    pid_t pid = image_start(arguments, environment, keep, h->keep_fd_count + 1, &pool->supervisor_fd);
    free(environment);
    return pid;
}

pid_t image_supervisor(struct pool *pool) {
    struct heritage *h = &pool->heritage;
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    h->signal_mask = signals_as_bits(&now);
    if (refer(pool, h->preload, &h->preload_ref) != 0 || refer(pool, h->init, &h->init_ref) != 0)
        return -ENOEXEC;
    uint64_t bytes;
    int card_fd = write_card(pool, &bytes);
    if (card_fd < 0)
        return card_fd;
    int error = send_note(pool, card_fd, bytes);
    close(card_fd);
    return error != 0 ? error : start(pool);
}

static int explain_refusal(const struct boarding_refusal *refusal) {
    switch ((enum boarding_fault)refusal->fault) {
    case BOARDING_OTHER_LIBRARY:
        return why(-ECANCELED, "mortal_pool_open: the library's file was replaced since this program started: start the "
                               "program again");
    case BOARDING_THREADS:
        return why(-ECANCELED, "mortal_pool_open: the new image of this program had %d threads before main: a constructor "
                               "starts them, and hosts forked from it would not have them", refusal->value);
    case BOARDING_NO_MEMORY:
        return why(-ENOMEM, "mortal_pool_open: no memory or address space for the pool in the new image of this program (%s)",
                   strerror(-refusal->value));
    case BOARDING_UNREADABLE:
        break;
    }
    return why(-ECANCELED, "mortal_pool_open: the new image of this program could not read what it was handed (%s)",
               strerror(refusal->value < 0 ? -refusal->value : EINVAL));
}

int image_explain_end(struct pool *pool) {
    struct boarding_refusal refusal;
    if (recv(pool->link_fd, &refusal, sizeof refusal, MSG_DONTWAIT) == (ssize_t)sizeof refusal)
        return explain_refusal(&refusal);
    return why(-ECANCELED, "mortal_pool_open: the new image of this program ended before it came to mortal_host_main(): "
                           "call that first of all in main, and see what constructors do before");
}

int image_check_arrival(struct pool *pool, uint64_t since_ns) {
    uint64_t patience = pool->heritage.start_ns;
    if (atomic_load(&control_head(pool->region)->supervisor_lives) != 0 || clock_ns() - since_ns < patience)
        return 0;
    (void)syscall(SYS_pidfd_send_signal, pool->supervisor_fd, SIGKILL, NULL, 0);
    (void)process_pidfd_wait(pool->supervisor_fd, clock_after(1000000000u));
    return why(-ECANCELED, "mortal_pool_open: the new image of this program did not come to mortal_host_main() within "
                           "start_ns: call that first of all in main, and see what constructors do before");
}
