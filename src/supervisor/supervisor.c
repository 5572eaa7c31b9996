#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "region/fence.h"
#include "supervisor/state.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"
#include "system/process.h"
#include "system/unwind.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* Or what is opened here would come to be at the number of a stream that the program has closed, and hosts keep those. */
static void plug_closed_streams(struct heritage *h) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && eventfd(0, EFD_CLOEXEC) == fd)
            h->plugged_streams |= 1u << fd;
}

static void become_supervisor(struct supervisor *s) {
    struct heritage *h = s->heritage;
    process_say_hosted();
    h->supervisor_pid = getpid();
    setpgid(0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_NAME, "mortal-super");
    /* Everything is blocked before this process exists, so no handler of the owner ever runs in it. What was handled gets
     * its default back, as exec would do it; hosts inherit that. So does SIGCHLD in any case: its flags can mean, with the
     * default too, that the kernel reaps children by itself and tells of no stop. */
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (number == SIGCHLD || (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL &&
                                  action.sa_handler != SIG_IGN))
            signal(number, SIG_DFL);
    }
    int keep[KEEP_FDS_MOST + 8] = {0};
    size_t count = 0;
    for (size_t i = 0; i < h->keep_fd_count && i < KEEP_FDS_MOST; i++)
        keep[count++] = h->keep_fds[i];
    const int ours[] = {h->region.answers_fd, h->owner_pidfd, h->link_fd, h->bell_fd};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        size_t at = count++;
        for (; at > 0 && keep[at - 1] > ours[i]; at--)
            keep[at] = keep[at - 1];
        keep[at] = ours[i];
    }
    /* What the owner alone writes, nobody below it ever can. */
    (void)memory_map_read_only(h->region.orders_fd, h->region.g.orders_bytes, h->region.orders);
    (void)window_give_up_writing(h->region.windows);
    process_close_all_but(keep, count);
    plug_closed_streams(h);
}

static bool watch_fd(struct supervisor *s, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_ears(struct supervisor *s) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGNAL_NOTICE);
    s->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->children_fd = process_children_open(getpid()); /* now: later files may have taken all descriptors but one */
    return s->signal_fd >= 0 && s->epoll_fd >= 0 && watch_fd(s, s->signal_fd) && watch_fd(s, s->heritage->owner_pidfd) &&
           watch_fd(s, s->heritage->link_fd) && watch_fd(s, s->heritage->bell_fd);
}

static bool make_tables(struct supervisor *s) {
    const struct geometry *g = &s->region->g;
    s->hosts = calloc(g->berths, sizeof *s->hosts);
    s->positions = calloc(g->hosts, sizeof *s->positions);
    s->returned = calloc(RETURNED_ENTRIES, sizeof *s->returned);
    s->group_fds = calloc(GROUPS_MAX, sizeof *s->group_fds);
    s->group_seen = calloc(GROUPS_MAX, sizeof *s->group_seen);
    if (s->hosts == NULL || s->positions == NULL || s->returned == NULL || s->group_fds == NULL || s->group_seen == NULL)
        return false;
    for (uint32_t i = 0; i < g->berths; i++) {
        s->hosts[i].watches = calloc(g->workers_per_host, sizeof *s->hosts[i].watches);
        s->hosts[i].life = NO_LIFE;
        s->hosts[i].position = NO_POSITION;
        if (s->hosts[i].watches == NULL)
            return false;
    }
    for (uint32_t i = 0; i < g->hosts; i++)
        s->positions[i] = NO_POSITION;
    for (uint32_t i = 0; i < GROUPS_MAX; i++)
        s->group_fds[i] = -1;
    return lives_open(s) == 0 && breaker_open_tables(s) == 0 && cap_open_tables(s) == 0 && cleanup_open(s) == 0;
}

/* Everything below ends: hosts, template, and what their tasks left. Waits as long as the kernel needs. */
static void end_all(struct supervisor *s) {
    pid_t children[256];
    containment_strike_all(s);
    for (;;) {
        int count = process_children(children, sizeof children / sizeof *children);
        if (count < 0) { /* no /proc: at least the ones we know */
            for (uint32_t i = 0; i < s->region->g.berths; i++)
                if (s->hosts[i].state != HOST_EMPTY)
                    kill(s->hosts[i].pid, SIGKILL);
            if (s->template_pid > 0)
                kill(s->template_pid, SIGKILL);
            sitters_kill_all(s);
        }
        for (int i = 0; i < count; i++)
            kill(children[i], SIGKILL);
        /* All that have ended before the next look: one look for each of thousands takes seconds. */
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | __WALL) < 0 && errno == ECHILD)
            return;
        do {
            info.si_pid = 0;
        } while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid != 0);
    }
}

/* True: the owner is dead, executed another program, or asked for the end. */
static bool owner_is_gone(struct supervisor *s) {
    if (process_pidfd_dead(s->heritage->owner_pidfd))
        return true;
    char byte;
    ssize_t got = recv(s->heritage->link_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void drain_bell(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) > 0) {
    }
}

static void drain_signals(struct supervisor *s) {
    struct signalfd_siginfo info;
    s->noticed = s->may_have_died = false;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        s->noticed = s->noticed || info.ssi_signo == SIGNAL_NOTICE; /* a host wants to be looked at */
        s->may_have_died = s->may_have_died || info.ssi_signo == SIGCHLD;
    }
}

/* A kill and a death come first of all: their time is measured. What comes in from here on until the descriptors are
 * drained is met by the turn that follows, which looks for everything once more. */
static void hurry(struct supervisor *s, const struct epoll_event *events, long count) {
    bool asked = false, died = false;
    for (long i = 0; i < count; i++) {
        asked = asked || events[i].data.fd == s->heritage->bell_fd;
        died = died || events[i].data.fd == s->signal_fd;
    }
    if (asked) {
        groupfd_receive(s); /* a request may speak of what comes over the link */
        condemn_requests(s);
    }
    if (died)
        death_reap(s);
}

static void sleep_until(struct supervisor *s, uint64_t wake_ns) {
    struct epoll_event events[8];
    struct timespec wait = {0};
    uint64_t now = clock_ns();
    if (wake_ns != NEVER && wake_ns > now) {
        wait.tv_sec = (time_t)((wake_ns - now) / 1000000000u);
        wait.tv_nsec = (long)((wake_ns - now) % 1000000000u);
    }
    long ready = syscall(SYS_epoll_pwait2, s->epoll_fd, events, 8, wake_ns == NEVER ? NULL : &wait, NULL, 0);
    if (ready < 0 && errno == ENOSYS) {
        uint64_t ms = wake_ns == NEVER ? 0 : wake_ns > now ? (wake_ns - now + 999999) / 1000000 : 0;
        ready = epoll_wait(s->epoll_fd, events, 8, wake_ns == NEVER ? -1 : ms > INT_MAX ? INT_MAX : (int)ms);
    }
    hurry(s, events, ready);
    drain_signals(s);
    s->noticed = containment_noticed(s) || s->noticed;
    drain_bell(s->heritage->bell_fd);
}

#define AUDIT_NS 500000000ull

/* While there is work, look around twice a second: a stopped process may have swallowed a wake-up, a task may have
 * overwritten a hint. Without work sleep until called; whoever brings work sees `asleep` and calls. */
static uint64_t audit_when_due(struct supervisor *s, uint64_t now) {
    struct control_head *control = control_head(s->region);
    if (now >= s->audit_at) {
        audit(s);
        s->audit_at = now + AUDIT_NS;
        if (!audit_finds_work(s)) {
            /* ORD(supervisor:sleep) pairs ORD(submit:asleep): a full barrier before the last look, ORD(queue:length). */
            atomic_store(&control->asleep, 1);
            if (fence_before_sleep(s->region) && !audit_finds_work(s)) {
                s->audit_at = NEVER;
                return NEVER;
            }
            atomic_store(&control->asleep, 0);
        }
    } else if (s->audit_at == NEVER && atomic_load(&control->asleep) == 0) {
        s->audit_at = now + AUDIT_NS;
    }
    return s->audit_at;
}

static uint64_t min_ns(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void turn(struct supervisor *s) {
    groupfd_receive(s);
    files_turn(s);
    condemn_requests(s);
    trace_check(s);
    breaker_heed(s);
    if (s->noticed) {
        ask_heed_yields(s);
        audit_parked(s);
    }
    if (s->may_have_died)
        death_reap(s);
    spawn_check_ready(s);
    spawn_fill(s);
    groupfd_ring(s);
    uint64_t now = clock_ns();
    uint64_t wake = cleanup_turn(s, now);
    wake = min_ns(wake, deadline_check(s, now));
    wake = min_ns(wake, audit_when_due(s, now));
    wake = min_ns(wake, cap_check(s, now));
    wake = min_ns(wake, recycle_check(s, now));
    wake = min_ns(wake, spawn_next_ns(s));
    wake = min_ns(wake, trace_next_ns(s));
    wake = min_ns(wake, sitters_kill(s, now));
    wake = min_ns(wake, containment_turn(s, now));
    descendants_prepare(s);
    if (!s->quitting)
        sleep_until(s, wake);
}

#define SLICE_NS 100000u

void supervisor_run(struct heritage *heritage) {
    static struct supervisor supervisor;
    struct supervisor *s = &supervisor;
    s->heritage = heritage;
    s->region = &heritage->region;
    s->template_link = -1;
    become_supervisor(s);
    /* With slices as long as everybody's, its wake-up may wait for the next tick behind a thread that never sleeps, and the
     * task that is to be killed is such a thread: 2.5 ms at the median instead of 0.2. */
    heritage->slice_ns = process_want_slice(SLICE_NS);
    process_hold_life_line(&control_head(s->region)->supervisor_lives);
    s->backtrace = heritage->backtrace;
    if (s->backtrace != 0)
        unwind_prepare(); /* for all hosts */
    obituary_prepare(s);
    if (!make_tables(s) || !open_ears(s)) {
        spawn_failed(s, clock_ns(), STAGE_SUPERVISOR, DETAIL_SYSTEM, 0, -ENOMEM);
        _exit(HOST_EXIT_BROKEN);
    }
    (void)containment_open(s);
    while (!s->quitting && !owner_is_gone(s))
        turn(s);
    end_all(s);
    containment_close(s);
    _exit(0);
}
