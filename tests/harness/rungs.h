/*
 * What one rung of containment must do, whichever it is: tasks start processes of every kind that gets away elsewhere,
 * and hold a pipe open in all of them. When a kill has returned nobody holds it any more.
 */
#ifndef RUNGS_H
#define RUNGS_H

#include "tasks.h"

#include <poll.h>
#include <sys/stat.h>

enum { DAEMONS = 5, COMETS = 8, BOMB = 200 };

struct rung_scene {
    word arrived, born, flights;
    char pipe[64];
};

/* Opened by a task itself: no other host has it. It is there after exec, too. */
HELPER void hold(struct rung_scene *scene)
{
    CHECK(open(scene->pipe, O_WRONLY) >= 0);
}

HELPER _Noreturn void stay(struct rung_scene *scene)
{
    word_add(&scene->arrived, 1);
    for (;;)
        pause();
}

/* Twice forked, in a session of its own, deaf to everything that can be blocked. */
HELPER int start_daemons(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct rung_scene *scene = *(struct rung_scene *const *)input;
    hold(scene);
    for (unsigned i = 0; i < DAEMONS; i++) {
        pid_t child = fork();
        if (child == 0) {
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, NULL);
            setsid();
            if (fork() == 0)
                stay(scene);
            _exit(0);
        }
        CHECK_EQ(waitpid(child, NULL, 0), child);
    }
    word_add(&scene->arrived, 1);
    compute_for_ever();
}

HELPER int start_daemons_and_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct rung_scene *scene = *(struct rung_scene *const *)input;
    hold(scene);
    if (fork() == 0) {
        setsid();
        stay(scene);
    }
    word_await(&scene->arrived, 1);
    abort();
}

HELPER int start_bomb(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct rung_scene *scene = *(struct rung_scene *const *)input;
    hold(scene);
    pid_t root = getpid();
    for (unsigned i = 0; i < 3; i++) {
        if (atomic_fetch_add(&scene->born, 1) >= BOMB)
            break;
        if (fork() == 0) {
            setsid();
            i = (unsigned)-1;
        }
    }
    if (getpid() != root)
        stay(scene);
    compute_for_ever();
}

/* Each forks, ends, and is followed by one that runs this program anew: see below. The byte tells of it. */
HELPER _Noreturn void fly(const char *number)
{
    char *const arguments[] = {(char *)"comet", (char *)"--comet", (char *)number, NULL};
    if (write(atoi(number), "!", 1) != 1 || fork() != 0)
        _exit(0);
    setsid();
    execv("/proc/self/exe", arguments);
    _exit(1);
}

/* Before main, and before any sanitizer could find that time is lost. */
__attribute__((constructor)) static void be_comet(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--comet") == 0)
        fly(argv[2]);
}

HELPER int launch_comets(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct rung_scene *scene = *(struct rung_scene *const *)input;
    char number[16];
    int fd = open(scene->pipe, O_WRONLY);
    CHECK(fd >= 0);
    snprintf(number, sizeof number, "%d", fd);
    for (unsigned i = 0; i < COMETS; i++)
        if (fork() == 0)
            fly(number);
    compute_for_ever();
}

HELPER int make_pipe(struct rung_scene *scene)
{
    snprintf(scene->pipe, sizeof scene->pipe, "/tmp/mortal-rung-%d-%p", (int)getpid(), (void *)scene);
    CHECK_EQ(mkfifo(scene->pipe, 0600), 0);
    int fd = open(scene->pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/* Bytes may be left in it, but nobody who could write any. */
HELPER bool is_held(int fd)
{
    char bytes[4096];
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        ;
    CHECK(got == 0 || errno == EAGAIN);
    return got != 0;
}

HELPER void read_flights(int fd, unsigned count)
{
    char byte;
    while (count > 0) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        (void)poll(&entry, 1, 10);
        if (read(fd, &byte, 1) == 1)
            count--;
    }
}

HELPER void end_pipe(struct rung_scene *scene, int fd)
{
    CHECK_EQ(unlink(scene->pipe), 0);
    close(fd);
}

HELPER void check_killed(mortal_pool *pool, mortal_function *function, struct rung_scene *scene, unsigned arrived)
{
    int fd = make_pipe(scene);
    mortal_future future = submit_at(pool, function, scene);
    word_await(&scene->arrived, arrived);
    if (arrived == 0)
        read_flights(fd, 10 * COMETS);
    CHECK(is_held(fd));
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    CHECK(!is_held(fd));
    CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
    end_pipe(scene, fd);
}

/* A crash is told as what it was, and nobody need kill anything: what it left goes by itself. */
HELPER void check_crashed(mortal_pool *pool, struct rung_scene *scene)
{
    int fd = make_pipe(scene);
    mortal_future future = submit_at(pool, start_daemons_and_crash, scene);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGABRT);
    POLL_UNTIL(!is_held(fd));
    CHECK_OK(mortal_future_release(future));
    end_pipe(scene, fd);
}

/* A pool on that rung. Where the machine refuses it, the test ends as skipped with what the library says. */
HELPER mortal_pool *pool_on(int rung, mortal_pool_options options)
{
    mortal_pool *pool = NULL;
    options.size = sizeof options;
    options.containment = rung;
    int error = mortal_pool_open(&pool, &options);
    if (error == -EPERM || error == -ENOTSUP)
        SKIP(mortal_why());
    CHECK_OK(error);
    CHECK_EQ(stats_of(pool).containment, rung);
    return pool;
}

HELPER void check_rung(int rung)
{
    unsigned rounds = TEST_LONG ? 50 : 3;
    struct rung_scene *scenes = harness_shared(4 * rounds * sizeof *scenes);
    mortal_pool *pool = pool_on(rung, (mortal_pool_options){.workers = 2});
    for (unsigned i = 0; i < rounds; i++) {
        check_killed(pool, start_daemons, &scenes[4 * i], DAEMONS + 1);
        check_killed(pool, start_bomb, &scenes[4 * i + 1], BOMB);
        check_killed(pool, launch_comets, &scenes[4 * i + 2], 0);
        check_crashed(pool, &scenes[4 * i + 3]);
        check_pool_works(pool);
    }
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}

#endif
