/*
 * What many tests need: tasks that are held where the test wants them, and short forms of the calls that must succeed.
 *
 * Nothing here sleeps to be right. A task tells where it is through a word in shared memory (harness_shared, made
 * before the pool is opened, so that hosts see it at the same address) and waits on another word until the test lets
 * it go.
 */
#ifndef TASKS_H
#define TASKS_H

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER     static __attribute__((unused))
#define MS(n)      ((uint64_t)(n) * 1000000u)
#define SECONDS(n) ((uint64_t)(n) * 1000000000u)
#define LIMIT      SECONDS(30) /* for what must happen: only a broken library gets near it */
#define COUNT(a)   (sizeof(a) / sizeof(a)[0])

typedef _Atomic uint32_t word;

/* ---- words: counters and flags in shared memory that can be waited for ---- */

HELPER void word_set(word *w, uint32_t value)
{
    atomic_store(w, value);
    syscall(SYS_futex, w, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

HELPER uint32_t word_add(word *w, uint32_t more)
{
    uint32_t before = atomic_fetch_add(w, more);
    syscall(SYS_futex, w, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    return before;
}

/* No limit of its own: a test that waits for ever is ended by the runner. */
HELPER void word_await(word *w, uint32_t at_least)
{
    for (uint32_t seen; (seen = atomic_load(w)) < at_least;)
        syscall(SYS_futex, w, FUTEX_WAIT, seen, NULL, NULL, 0);
}

/* ---- polling, for what the kernel tells nobody about ---- */

#define POLL_UNTIL(condition)    \
    do {                         \
        while (!(condition))     \
            harness_sleep_ms(1); \
    } while (0)

/* The state letter of a process or of a thread of this process ("self/task/12"), 0 when there is none. */
HELPER char state_of(const char *who)
{
    char path[400], line[512] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", who);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, line, sizeof line - 1);
    close(fd);
    char *name_end = got > 0 ? strrchr(line, ')') : NULL;
    return name_end ? name_end[2] : 0;
}

HELPER char state_of_process(pid_t pid)
{
    char who[16];
    snprintf(who, sizeof who, "%d", (int)pid);
    return state_of(who);
}

HELPER unsigned entries_of(const char *folder)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* What only keeps a host's memory alive is neither a host nor left behind. */
HELPER bool is_sitter(pid_t process)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)process);
    FILE *file = fopen(path, "re");
    bool is_one = file && fgets(name, sizeof name, file) && strcmp(name, "mortal-sitter\n") == 0;
    if (file)
        fclose(file);
    return is_one;
}

/* The number behind a field of a file such as /proc/1/status; 0 when there is none. */
HELPER long number_in(const char *path, const char *field)
{
    char line[256];
    long value = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

HELPER long status_of(pid_t pid, const char *field)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return number_in(path, field);
}

HELPER unsigned descriptors_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    return entries_of(path);
}

/* A joined thread may still be counted for a moment, and a pool is opened from a process with a single one. */
HELPER void until_single_threaded(void)
{
    POLL_UNTIL(entries_of("/proc/self/task") == 1);
}

/* ---- gates: a task arrives, and stays until the test opens ---- */

struct gate {
    word arrived, open, passed;
};

HELPER struct gate *gates_make(unsigned count)
{
    return harness_shared(count * sizeof(struct gate));
}

HELPER void gate_pass(struct gate *gate)
{
    word_add(&gate->arrived, 1);
    word_await(&gate->open, 1);
    word_add(&gate->passed, 1);
}

HELPER void gate_open(struct gate *gate)
{
    word_set(&gate->open, 1);
}

/* ---- tasks ---- */

HELPER int task_nothing(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 0;
}

HELPER int task_echo(mortal_task *task, const void *input, size_t input_bytes)
{
    return mortal_task_reply(task, input, input_bytes);
}

HELPER int task_double(mortal_task *task, const void *input, size_t input_bytes)
{
    uint64_t number;
    if (input_bytes != sizeof number)
        return 1;
    memcpy(&number, input, sizeof number);
    number *= 2;
    return mortal_task_reply(task, &number, sizeof number);
}

/* Input: a struct gate pointer. Stays at the gate. */
HELPER int task_held(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    gate_pass(*(struct gate *const *)input);
    return 0;
}

HELPER _Noreturn void compute_for_ever(void)
{
    for (volatile unsigned long turns = 0;; turns++)
        ;
}

/* Input: a struct gate pointer. Arrives, then computes for ever and hears nothing. */
HELPER int task_endless(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    compute_for_ever();
}

/* Input: a word pointer. Adds one and returns. */
HELPER int task_count(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(*(word *const *)input, 1);
    return 0;
}

HELPER int task_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    abort();
}

/* ---- calls that must succeed ---- */

HELPER mortal_pool *pool_with(uint32_t workers)
{
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = sizeof options, .workers = workers};
    CHECK_OK(mortal_pool_open(&pool, &options));
    return pool;
}

HELPER mortal_pool *pool_like(mortal_pool_options options)
{
    mortal_pool *pool = NULL;
    options.size = sizeof options;
    CHECK_OK(mortal_pool_open(&pool, &options));
    return pool;
}

HELPER mortal_future submit_like(mortal_pool *pool, mortal_function *function, const void *input, size_t bytes,
                                 mortal_task_options options)
{
    mortal_future future = {0, 0};
    options.size = sizeof options;
    CHECK_OK(mortal_pool_submit(pool, function, input, bytes, &options, &future));
    return future;
}

HELPER mortal_future submit(mortal_pool *pool, mortal_function *function, const void *input, size_t bytes)
{
    mortal_future future = {0, 0};
    CHECK_OK(mortal_pool_submit(pool, function, input, bytes, NULL, &future));
    return future;
}

/* A task whose input is one pointer: to a gate or to a word. */
HELPER mortal_future submit_at(mortal_pool *pool, mortal_function *function, void *place)
{
    return submit(pool, function, &place, sizeof place);
}

HELPER mortal_verdict wait_for(mortal_future future)
{
    mortal_verdict verdict;
    memset(&verdict, 0, sizeof verdict);
    CHECK_OK(mortal_future_wait(future, LIMIT, &verdict));
    return verdict;
}

HELPER int outcome_of(mortal_future future)
{
    return wait_for(future).outcome;
}

/* The verdict is in, and the future is over. */
HELPER int outcome_and_release(mortal_future future)
{
    int outcome = wait_for(future).outcome;
    CHECK_OK(mortal_future_release(future));
    return outcome;
}

/* A task that doubles a number comes back right: the pool works. */
HELPER void check_pool_works(mortal_pool *pool)
{
    uint64_t number = 21, answer = 0;
    mortal_future future = submit(pool, task_double, &number, sizeof number);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, sizeof answer);
    memcpy(&answer, verdict.result, sizeof answer);
    CHECK_EQ(answer, 42);
    CHECK_OK(mortal_future_release(future));
}

HELPER mortal_look look_at(mortal_future future)
{
    mortal_look look;
    memset(&look, 0, sizeof look);
    CHECK_OK(mortal_future_look(future, &look));
    return look;
}

/* True: the task has come to where it says so. False: it was ended before, by a limit that is too short for this machine.
 * Whoever needs more than that it ends tries again, with twice the time. */
HELPER bool comes_to(mortal_future future, const word *arrived)
{
    POLL_UNTIL(atomic_load(arrived) != 0 || look_at(future).phase == MORTAL_ENDED);
    return atomic_load(arrived) != 0;
}

/* Processes to send signals to: never 0, which would be this process's own group. */
HELPER pid_t host_of(mortal_future running)
{
    pid_t host = look_at(running).host;
    CHECK(host > 0);
    return host;
}

/* The host that runs what comes next, of a pool with one worker: it has nothing to do when this returns. */
HELPER pid_t host_when_idle(mortal_pool *pool, struct gate *gate)
{
    atomic_store(&gate->arrived, 0);
    atomic_store(&gate->open, 0);
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    pid_t host = host_of(held);
    gate_open(gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    return host;
}

HELPER mortal_stats stats_of(mortal_pool *pool)
{
    mortal_stats stats;
    memset(&stats, 0, sizeof stats);
    CHECK_OK(mortal_pool_stats(pool, &stats));
    return stats;
}

HELPER pid_t supervisor_of(mortal_pool *pool)
{
    pid_t supervisor = stats_of(pool).supervisor;
    CHECK(supervisor > 0);
    return supervisor;
}

HELPER void drain(mortal_pool *pool)
{
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL));
}

HELPER void end(mortal_pool *pool)
{
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
}

#endif
