/*
 * stop.c - Ctrl-C and SIGTERM
 *
 * The first signal only wakes the loop, which then starts nothing more and gives what runs its grace. The second kills
 * from within the handler, wherever the loop may be stuck, and hands both signals back to the system: a third one ends
 * the tool itself, and its hosts with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tool.h"

static volatile sig_atomic_t signal_count, first_signal;
static mortal_pool *volatile watched_pool;
static int wake_fd = -1;

static void on_signal(int signal_number) {
    int saved_errno = errno;
    if (signal_count == 0) {
        first_signal = signal_number;
    }
    signal_count = signal_count + 1;
    if (signal_count > 1) {
        mortal_pool *pool = watched_pool;
        if (pool) {
            mortal_pool_kill_now(pool, MORTAL_UNENDED);
        }
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    uint64_t one = 1;
    ssize_t ignored = write(wake_fd, &one, sizeof one);
    (void)ignored;
    errno = saved_errno;
}

/* Who started the tool with a signal ignored (nohup, a script's background) wants it ignored. */
static int watch(int signal_number) {
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    if (sigaction(signal_number, NULL, &before) < 0) {
        return -errno;
    }
    return before.sa_handler == SIG_IGN || sigaction(signal_number, &action, NULL) == 0 ? 0 : -errno;
}

/* After mortal_pool_open(), so that hosts do not inherit any of it. */
int stop_watch(mortal_pool *pool) {
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) {
        return -errno;
    }
    watched_pool = pool;
    int error = watch(SIGINT);
    if (!error) {
        error = watch(SIGTERM);
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of write, told with the rest */
    return error ? error : wake_fd;
}

void stop_forget(void) {
    watched_pool = NULL;
}

int stop_signals(void) {
    return signal_count;
}

int stop_signal(void) {
    return first_signal;
}
