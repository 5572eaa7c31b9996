/* launch.c - making the supervisor, and outliving it */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "owner/pool.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"
#include "system/process.h"
#include "system/why.h"

/* ORD(*) process ids of hosts are looked at here after the supervisor's death only. */

static int open_channels(struct pool *pool) {
    struct heritage *h = &pool->heritage;
    int ends[2] = {-1, -1};
    h->bell_fd = process_lift_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    h->owner_pidfd = process_lift_fd(process_pidfd(getpid()));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
        pool->link_fd = process_lift_fd(ends[0]);
        h->link_fd = process_lift_fd(ends[1]);
    }
    if (h->bell_fd >= 0 && h->owner_pidfd >= 0 && pool->link_fd >= 0 && h->link_fd >= 0)
        return 0;
    if (h->owner_pidfd == -ENOSYS || h->owner_pidfd == -EPERM)
        return why(-ENOTSUP, "mortal_pool_open: pidfd_open is refused (%s), and without it no death is certain: it takes Linux 5.3, "
                             "a sandbox that lets it through, and a valgrind that knows it (3.19 does not)",
                   strerror(-h->owner_pidfd));
    return why(errno == ENFILE || errno == EMFILE ? -EMFILE : -EAGAIN,
               "mortal_pool_open: a channel to the supervisor could not be made (%s): raise ulimit -n, or close some files",
               strerror(errno));
}

uint64_t signals_as_bits(const sigset_t *set) {
    uint64_t bits = 0;
    for (int number = 1; number < 64; number++)
        if (sigismember(set, number) == 1)
            bits |= 1ull << (number - 1);
    return bits;
}

/* Signals are blocked around the fork, so that no handler of this program ever runs in the supervisor. */
static pid_t fork_supervisor(struct pool *pool) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pool->heritage.signal_mask = signals_as_bits(&before);
    /* No exit signal: the program's own wait() must neither see this child nor wait for it, and no SIGCHLD comes. */
    pid_t pid = process_fork(0, false, &pool->supervisor_fd);
    if (pid == 0)
        pool->heritage.supervisor_run(&pool->heritage);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static int explain_start(const struct pool *pool, const struct control_head *control) {
    const char *what = control->start_stage == STAGE_PRELOAD ? "preload" : "init";
    if (control->start_stage == STAGE_CONTAINMENT)
        return containment_explain(control);
    int value = control->start_value;
    switch ((enum start_detail)control->start_detail) {
    case DETAIL_STATUS:
        return control->start_stage == STAGE_INIT
                   ? why(-ECANCELED, "mortal_pool_open: init failed: it returned a status other than 0")
                   : why(-ECANCELED, "mortal_pool_open: %s returned %d: 0 is success", what, value);
    case DETAIL_THREADS:
        return why(-ECANCELED, "mortal_pool_open: preload left %d threads: hosts are forked from its process and would not "
                               "have them; end them before it returns", value);
    case DETAIL_TIMED_OUT:
        return why(-ECANCELED, "mortal_pool_open: %s did not end within start_ns", what);
    case DETAIL_CRASHED:
        return why(-ECANCELED, "mortal_pool_open: %s ended its process (status or signal %d)", what, value);
    case DETAIL_CAP:
        return why(-EINVAL, "mortal_pool_open: memory_bytes is %llu and a host without any task needs %llu already: allow "
                            "more, or have less in memory when the pool is opened",
                   (unsigned long long)pool->heritage.caps.memory_bytes,
                   (unsigned long long)atomic_load(&control->empty_host_bytes));
    case DETAIL_UNKNOWN_SIZE:
        return why(-ENOTSUP, "mortal_pool_open: memory_bytes, recycle_bytes or processes is set, and /proc does not tell what "
                             "hosts use: mount it, or do without");
    case DETAIL_SYSTEM:
    case DETAIL_NONE:
    default:
        break;
    }
    int error = control->start_error != 0 ? control->start_error : -EAGAIN;
    return why(error == -ENOMEM ? -ENOMEM : -EAGAIN, "mortal_pool_open: a process could not be made (%s): look at ulimit -u "
               "and at the memory that is left", strerror(-error));
}

static int await_ready(struct pool *pool) {
    struct control_head *control = control_head(pool->region);
    uint64_t since = clock_ns();
    for (;;) {
        /* ORD(pool:opened) pairs ORD(pool:state) */
        uint32_t state = atomic_load(&control->state);
        if (state == POOL_READY)
            return 0;
        if (state == POOL_FAILED)
            return explain_start(pool, control);
        (void)futex_wait(&control->state, state, clock_after(50000000u));
        if (pool->modules != NULL && image_check_arrival(pool, since) != 0)
            return -ECANCELED;
        if (atomic_load(&control->state) != state || !process_pidfd_dead(pool->supervisor_fd))
            continue;
        if (pool->modules != NULL && atomic_load(&control->supervisor_lives) == 0)
            return image_explain_end(pool);
        return why(-EAGAIN, "mortal_pool_open: the supervisor ended before it was ready: was it killed?");
    }
}

int launch(struct pool *pool) {
    struct heritage *h = &pool->heritage;
    h->owner_pid = getpid();
    heritage_entries(h);
    int error = open_channels(pool);
    if (error != 0)
        return error;
    pid_t pid;
    if (pool->modules == NULL) {
        (void)fflush(NULL); /* or hosts would print it a second time */
        pid = fork_supervisor(pool);
    } else { /* no flush: another thread may hold a stream for as long as it likes */
        pid = image_supervisor(pool);
    }
    close(h->owner_pidfd);
    close(h->link_fd);
    h->owner_pidfd = h->link_fd = -1;
    if (pid == -ENOEXEC)
        return pid; /* told already */
    if (pid < 0)
        return why(pid == -ENOMEM ? -ENOMEM : pid == -EMFILE || pid == -ENFILE ? -EMFILE : -EAGAIN,
                   pool->modules == NULL ? "mortal_pool_open: the supervisor could not be forked (%s)"
                                         : "mortal_pool_open: this program could not be started again as supervisor "
                                           "(%s): /proc must be mounted, and look at ulimit -u",
                   strerror(-(int)pid));
    pool->supervisor_pid = pid;
    /* A process that this program forks later has none of the region, and can do it no harm. */
    memory_not_in_children(pool->region->orders, pool->region->g.orders_bytes);
    memory_not_in_children(pool->region->claims, pool->region->g.claims_bytes);
    memory_not_in_children(pool->region->control, pool->region->g.control_bytes);
    memory_not_in_children(pool->region->cells, pool->region->g.cells_bytes);
    memory_not_in_children(pool->region->answers, (uint64_t)pool->region->g.lives * pool->region->g.arena_bytes);
    window_not_in_children(pool->region->windows);
    return await_ready(pool);
}

static void await_process(pid_t pid, uint64_t deadline_ns) {
    int fd = pid > 0 ? process_pidfd(pid) : -1;
    if (fd < 0)
        return;
    (void)process_pidfd_wait(fd, deadline_ns);
    close(fd);
}

/* After the supervisor hosts die by their parent-death signal, at once but not before it. Look until they are gone. */
static void await_hosts(struct pool *pool, uint64_t deadline_ns) {
    for (uint32_t i = 0; i < pool->region->g.berths; i++) {
        await_process(atomic_load(&berth_of(pool->region, i)->pid), deadline_ns);
        await_process(atomic_load(&berth_of(pool->region, i)->first), deadline_ns);
    }
    containment_sweep(pool);
}

void launch_end(struct pool *pool, uint64_t deadline_ns, bool *dead) {
    *dead = true;
    if (pool->supervisor_pid > 0) {
        bool was_broken = pool->broken || process_pidfd_dead(pool->supervisor_fd);
        if (!was_broken)
            (void)request_send(pool, REQUEST_QUIT, 0, 0, 0, 0);
        *dead = process_pidfd_wait(pool->supervisor_fd, deadline_ns);
        if (*dead)
            (void)process_reap(pool->supervisor_fd);
        if (was_broken)
            await_hosts(pool, clock_after(1000000000u));
    }
    const int fds[] = {pool->supervisor_fd, pool->link_fd, pool->heritage.bell_fd, pool->heritage.link_fd,
                       pool->heritage.owner_pidfd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}
