/*
 * trouble.c - what goes wrong in other people's code, on demand, to see what becomes of it
 *
 *     mortal map --deadline 500ms trouble hello hang crash exit 'sleep 100' world
 *
 * The item names the trouble; what is no trouble is given back as the result. "WORD REST" gives the trouble the rest.
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

mortal_function mortal_main;

static int reply(mortal_task *task, const char *text) {
    return mortal_task_reply(task, text, strlen(text));
}

static void sleep_ms(unsigned long ms) {
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

/* Never returns, and burns a processor. */
static int hang(mortal_task *task, const char *rest) {
    volatile bool is_going = true;
    (void)rest;
    while (is_going) {
    }
    return reply(task, "never");
}

/* Never returns, waits in the kernel, and no signal that can be blocked gets through. */
static int block(mortal_task *task, const char *rest) {
    sigset_t all;
    (void)rest;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        pause();
    }
    return reply(task, "never");
}

static int crash(mortal_task *task, const char *rest) {
    int *volatile nowhere = (int *)16;
    (void)rest;
    *nowhere = 1;
    return reply(task, "never");
}

/* A library that ends the process because it thinks it may: with 0, as if all were well. */
static int end_process(mortal_task *task, const char *rest) {
    (void)task;
    exit(atoi(rest));
}

static int end_thread(mortal_task *task, const char *rest) {
    (void)task;
    (void)rest;
    pthread_exit(NULL);
}

static int abort_process(mortal_task *task, const char *rest) {
    (void)task;
    (void)rest;
    abort();
}

/* The C library's own compiler of regular expressions recurses for each bracket. */
static int overflow_stack(mortal_task *task, const char *rest) {
    enum { BRACKETS = 1000000 };
    char *pattern = malloc(2 * BRACKETS + 2);
    regex_t regex;
    (void)rest;
    if (!pattern) {
        return reply(task, "no memory") ? 2 : 1;
    }
    memset(pattern, '(', BRACKETS);
    pattern[BRACKETS] = 'a';
    memset(pattern + BRACKETS + 1, ')', BRACKETS);
    pattern[2 * BRACKETS + 1] = '\0';
    int error = regcomp(&regex, pattern, REG_EXTENDED);
    free(pattern);
    return error ? 1 : 0;
}

static int fail(mortal_task *task, const char *rest) {
    reply(task, *rest ? rest : "asked to fail");
    return 3;
}

/* Crashes at its first start only. */
/* Takes all memory that it gets, and dies of the first refusal; or REST MiB of it, and is content. */
static int eat(mortal_task *task, const char *rest) {
    unsigned long most = *rest ? strtoul(rest, NULL, 10) : (unsigned long)-1;
    char *last = NULL;
    for (unsigned long mib = 0; mib < most; mib++) {
        char *more = malloc((1 << 20) + sizeof last);
        memcpy(more, &last, sizeof last);
        memset(more + sizeof last, 1, 1 << 20);
        last = more;
    }
    while (last) {
        char *next;
        memcpy(&next, last, sizeof next);
        free(last);
        last = next;
    }
    return reply(task, "full");
}

/* Starts REST processes that stay, and stays. */
static int multiply(mortal_task *task, const char *rest) {
    for (unsigned long left = strtoul(rest, NULL, 10); left > 0; left--) {
        if (fork() == 0) {
            alarm(60); /* whatever becomes of it */
            pause();
            _exit(0);
        }
    }
    return block(task, rest);
}

static int crash_once(mortal_task *task, const char *rest) {
    char text[32];
    if (mortal_task_attempt(task) < 2) {
        return crash(task, rest);
    }
    snprintf(text, sizeof text, "attempt %u", mortal_task_attempt(task));
    return reply(task, text);
}

static int sleep_for(mortal_task *task, const char *rest) {
    sleep_ms(strtoul(rest, NULL, 10));
    return reply(task, "slept");
}

/* Appends a line to the file REST: what was started, even if it leaves no result. */
static int mark(const char *path, const char *what) {
    char line[64];
    int length = snprintf(line, sizeof line, "%s\n", what);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    bool is_written = fd >= 0 && write(fd, line, (size_t)length) == length;
    return fd >= 0 && close(fd) == 0 && is_written ? 0 : 1;
}

/* Says in the file REST.started that it runs, and runs until the file REST exists. */
static int wait_for(mortal_task *task, const char *rest) {
    char path[4096];
    snprintf(path, sizeof path, "%s.started", rest);
    if (mark(path, "started")) {
        return reply(task, "cannot write the file") ? 2 : 1;
    }
    while (access(rest, F_OK) != 0) {
        sleep_ms(1);
    }
    return reply(task, "waited");
}

/* The same, but a good citizen: ends when it is asked to. */
static int wait_politely(mortal_task *task, const char *rest) {
    char path[4096];
    snprintf(path, sizeof path, "%s.started", rest);
    if (mark(path, "started")) {
        return reply(task, "cannot write the file") ? 2 : 1;
    }
    while (!mortal_task_should_stop(task)) {
        sleep_ms(1);
    }
    return reply(task, "was asked to stop");
}

/* Fails until it was started three times, which the file REST remembers. */
static int fail_twice(mortal_task *task, const char *rest) {
    if (mark(rest, "x")) {
        return reply(task, "cannot write the file") ? 2 : 1;
    }
    FILE *file = fopen(rest, "re");
    int starts = 0;
    for (int byte; file && (byte = getc(file)) != EOF;) {
        starts += byte == '\n';
    }
    if (file) {
        fclose(file);
    }
    return reply(task, starts < 3 ? "not yet" : "at last") || starts < 3;
}

static int reply_much(mortal_task *task, const char *rest) {
    size_t bytes = strtoul(rest, NULL, 10);
    char *result = mortal_task_result(task, bytes);
    if (!result) {
        return reply(task, "no room for the result") ? 2 : 1;
    }
    memset(result, 'x', bytes);
    return 0;
}

static int reply_nothing(mortal_task *task, const char *rest) {
    (void)task;
    (void)rest;
    return 0;
}

static const struct trouble {
    const char *name;
    int (*make)(mortal_task *task, const char *rest);
} troubles[] = {
    {"hang", hang}, {"block", block}, {"crash", crash}, {"exit", end_process}, {"end-thread", end_thread},
    {"abort", abort_process}, {"overflow", overflow_stack}, {"fail", fail}, {"crash-once", crash_once},
    {"sleep", sleep_for}, {"wait-for", wait_for}, {"wait-politely", wait_politely}, {"fail-twice", fail_twice},
    {"much", reply_much}, {"nothing", reply_nothing},
    {"eat", eat}, {"multiply", multiply},
};

int mortal_main(mortal_task *task, const void *input, size_t input_bytes) {
    const char *item = input;
    size_t length = strcspn(item, " ");
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        if (strlen(troubles[i].name) == length && memcmp(item, troubles[i].name, length) == 0) {
            return troubles[i].make(task, item + length + (item[length] == ' '));
        }
    }
    return mortal_task_reply(task, item, input_bytes - 1);
}
