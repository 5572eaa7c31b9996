#include "host/ear.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/files.h"
#include "host/worker.h"
#include "region/asked.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/process.h"
#include "system/why.h"

/* ORD(*) the ear is private to the host, and so are all plain atomics here. */

#define YIELDS 1000u  /* telling takes a few system calls */
#define PAUSES 2000u  /* then a millisecond each, counted and not timed: while the host is stopped nobody waits */

static void pause_ms(void) {
    struct timespec pause = {.tv_nsec = 1000000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

void ear_settle(struct worker *worker) { worker->ear.thread = (pid_t)syscall(SYS_gettid); }

/* From one state to another, or false: it is shut, or whoever makes it busy does not come to an end. */
static bool turn(struct ear *ear, uint32_t from, uint32_t to) {
    for (unsigned turns = 0; turns < YIELDS + PAUSES; turns++) {
        uint32_t seen = from;
        if (atomic_compare_exchange_strong(&ear->state, &seen, to))
            return true;
        if (seen != EAR_BUSY)
            return false;
        if (turns < YIELDS)
            sched_yield();
        else
            pause_ms();
    }
    return false;
}

/* ---- the signal ---- */

static void hear_nothing(int signal_number) { (void)signal_number; }

/* A signal that nobody handles would end the host, which nobody asked for. Without SA_RESTART: it is there to interrupt. */
static void take_default_away(int signal_number) {
    struct sigaction action;
    if (sigaction(signal_number, NULL, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0 ||
        action.sa_handler != SIG_DFL)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = hear_nothing;
    (void)sigaction(signal_number, &action, NULL);
}

static void send_signal(const struct ear *ear) {
    take_default_away(ear->signal); /* a task may have given it back */
    (void)syscall(SYS_tgkill, getpid(), ear->thread, ear->signal);
}

/* The task blocked it, or returned in the very instant: it is not for the next one. */
static void take_signal_back(const struct ear *ear) {
    sigset_t set;
    struct timespec now = {0};
    sigemptyset(&set);
    sigaddset(&set, ear->signal);
    (void)sigtimedwait(&set, NULL, &now);
}

/* ---- the descriptor ---- */

/* Sockets and not a pipe: what is sent to a descriptor that has become a file since the look is refused, not written. */
static bool is_ours(const struct ear *ear, unsigned end) {
    struct stat stat;
    return ear->inodes[end] != 0 && fstat(ear->fds[end], &stat) == 0 && S_ISSOCK(stat.st_mode) &&
           stat.st_ino == ear->inodes[end];
}

static void close_pair(struct ear *ear) {
    for (unsigned end = 0; end < 2; end++) {
        if (is_ours(ear, end))
            close(ear->fds[end]);
        ear->inodes[end] = 0;
    }
}

static int make_pair(struct ear *ear) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ear->fds) != 0)
        return -errno;
    int error = 0;
    for (unsigned end = 0; end < 2; end++) {
        struct stat stat;
        ear->fds[end] = process_lift_fd(ear->fds[end]);
        if (ear->fds[end] < 0 || fstat(ear->fds[end], &stat) != 0)
            error = -errno;
        else
            ear->inodes[end] = stat.st_ino;
    }
    if (error != 0)
        close_pair(ear);
    return error;
}

/* As it is to be at the start of a task: there, and with nothing in it. */
static int clear_pair(struct ear *ear) {
    if (!is_ours(ear, 0) || !is_ours(ear, 1)) {
        close_pair(ear);
        return make_pair(ear);
    }
    char bytes[16];
    while (recv(ear->fds[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
    return 0;
}

static void fill(const struct ear *ear) {
    if (is_ours(ear, 1))
        (void)send(ear->fds[1], "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- telling ---- */

/* A clean-up has the word of the task that was cut, and is not what was asked. */
static uint32_t asked_now(const struct worker *worker) {
    const struct mortal_task *task = &worker->task;
    return task->is_cleanup ? 0 : asked_by(worker->region, task->slot, task->word);
}

/* What its task was asked and not yet told. The ear is busy, so that task is still there. */
static void pass_on(struct worker *worker) {
    struct ear *ear = &worker->ear;
    uint32_t news = asked_now(worker) & ~ear->heard;
    if (news == 0)
        return;
    ear->heard |= news;
    if (ear->signal != 0)
        send_signal(ear);
    if (atomic_load(&ear->has_fd))
        fill(ear);
}

void ear_tell(struct worker *worker) {
    if (!turn(&worker->ear, EAR_OPEN, EAR_BUSY))
        return;
    pass_on(worker);
    atomic_store(&worker->ear.state, EAR_OPEN);
}

void ear_open(struct worker *worker, int32_t signal) {
    struct ear *ear = &worker->ear;
    if (atomic_load(&ear->state) == EAR_DEAF)
        return;
    ear->heard = 0;
    ear->signal = signal;
    _Atomic uint64_t *installed = &worker->host->soft_signals;
    if (signal != 0 && (atomic_load(installed) >> (signal - 1) & 1) == 0) {
        take_default_away(signal); /* now, while no task that could handle it is held up by us */
        atomic_fetch_or(installed, 1ull << (signal - 1));
    }
    /* A full barrier before the look: who was asked before this is told here, who is asked after it by the main thread. */
    atomic_store(&ear->state, EAR_OPEN);
    if (signal != 0 && asked_now(worker) != 0)
        ear_tell(worker);
}

void ear_shut(struct worker *worker) {
    struct ear *ear = &worker->ear;
    if (!turn(ear, EAR_OPEN, EAR_SHUT))
        atomic_store(&ear->state, EAR_DEAF);
    if (ear->heard != 0 && ear->signal != 0)
        take_signal_back(ear);
    ear->heard = 0;
    atomic_store(&ear->has_fd, false);
}

void ear_serve(struct host *host, struct worker *workers, uint32_t count) {
    const _Atomic uint32_t *calls = &berth_of(host->region, host->place.berth)->calls;
    for (;;) {
        /* ORD(ear:called) pairs ORD(ask:call): before the look at what was asked. */
        uint32_t seen = atomic_load_explicit(calls, memory_order_acquire);
        for (uint32_t i = 0; i < count; i++)
            ear_tell(&workers[i]);
        files_heed(host);
        futex_wait(calls, seen, NEVER);
        if (atomic_load(calls) == seen)
            pause_ms(); /* a task may have made the kernel refuse the sleep */
    }
}

static int explain(int error) {
    return why(error, "mortal_task_stop_fd: no descriptor could be made: %s", strerror(-error));
}

int mortal_task_stop_fd(mortal_task *task, int *fd) {
    if (task == NULL || fd == NULL)
        return why(-EINVAL, "mortal_task_stop_fd: %s is null", task == NULL ? "the task" : "fd");
    struct worker *worker = task->worker;
    struct ear *ear = &worker->ear;
    if (worker != worker_self())
        return why(-EINVAL, "mortal_task_stop_fd: called on another thread than the task's own");
    if (atomic_load(&ear->state) == EAR_SHUT)
        ear_open(worker, 0);
    if (!turn(ear, EAR_OPEN, EAR_BUSY))
        return explain(-EAGAIN);
    int error = atomic_load(&ear->has_fd) && is_ours(ear, 0) && is_ours(ear, 1) ? 0 : clear_pair(ear);
    if (error == 0) {
        atomic_store(&ear->has_fd, true);
        if (asked_now(worker) != 0)
            fill(ear);
    }
    atomic_store(&ear->state, EAR_OPEN);
    /* Asked in between, and called while it was busy: the main thread waits for its turn, so nothing is missed. */
    if (error != 0)
        return explain(error);
    *fd = ear->fds[0];
    return 0;
}
