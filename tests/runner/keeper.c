#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long what the test started may take to be gone after it: reaping through several parents is not instant. */
enum { STRAY_GRACE_MS = 200 };

struct watch {
    pid_t    test;
    int      status;
    bool     has_ended;   /* the test's own process */
    bool     has_children; /* anything, itself or strays that came home */
    bool     is_stopped;  /* somebody wants the whole run to end */
    sigset_t signals;
};

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void reap(struct watch *watch)
{
    int   status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (pid != watch->test)
            continue;
        watch->has_ended = true;
        watch->status = status;
    }
    watch->has_children = pid == 0;
}

static void wait_a_little(struct watch *watch, long milliseconds)
{
    struct timespec rest = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    int             signal = sigtimedwait(&watch->signals, NULL, &rest);
    if (signal > 0 && signal != SIGCHLD)
        watch->is_stopped = true;
    reap(watch);
}

/* A /dev/shm of its own, where that is allowed: what is in it afterwards was certainly left by this test. */
static void take_own_shm(void)
{
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

static void become_test(const struct test *test, const struct settings *settings, const char *directory)
{
    static const int reset[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE, SIGCHLD, SIGTTOU, SIGTTIN};
    char             path[4096];
    sigset_t         none;
    setsid();
    for (size_t i = 0; i < sizeof reset / sizeof *reset; i++)
        signal(reset[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    snprintf(path, sizeof path, "%s/output", directory);
    int output = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), input = open("/dev/null", O_RDONLY);
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    close_range(3, ~0U, 0);
    snprintf(path, sizeof path, "%s/work", directory);
    if (chdir(path) == 0 && setenv("TMPDIR", path, 1) == 0)
        command_exec(test, settings);
    _exit(127);
}

/* True if the test's process ended within the limit. */
static bool wait_for_test(struct watch *watch, long limit_ms)
{
    long end = now_ms() + limit_ms;
    reap(watch);
    while (!watch->has_ended && !watch->is_stopped) {
        long left = end - now_ms();
        if (left <= 0)
            return false;
        wait_a_little(watch, left);
    }
    return watch->has_ended;
}

/* Returns how many strays outlived the grace. Afterwards none is left. */
static int judge_strays(struct watch *watch, FILE *reason)
{
    int  strays = 0;
    long end = now_ms() + STRAY_GRACE_MS;
    reap(watch);
    for (long left; watch->has_children && (left = end - now_ms()) > 0;)
        wait_a_little(watch, left);
    if (watch->has_children) {
        strays = descendants_print(reason, "left process");
        if (!descendants_kill())
            fprintf(reason, "a process would not die\n");
    }
    return strays;
}

static int judge_ending(const struct watch *watch, const struct settings *settings, bool is_in_time, FILE *reason)
{
    if (watch->is_stopped)
        fprintf(reason, "the run was interrupted\n");
    else if (!is_in_time)
        fprintf(reason, "timed out after %d s\n", settings->limit_seconds);
    else if (WIFSIGNALED(watch->status))
        fprintf(reason, "died by signal %d (%s)\n", WTERMSIG(watch->status), strsignal(WTERMSIG(watch->status)));
    else if (WEXITSTATUS(watch->status) == RESULT_SKIPPED)
        return RESULT_SKIPPED;
    else if (WEXITSTATUS(watch->status) != 0)
        fprintf(reason, "exit code %d\n", WEXITSTATUS(watch->status));
    else
        return RESULT_PASSED;
    return RESULT_FAILED;
}

static int judge_files(const char *work, const struct names *shm_before, FILE *reason)
{
    static struct names none, left;
    leftovers_list(&left, work);
    int count = leftovers_print(reason, "left file ", &none, &left);
    leftovers_list(&left, "/dev/shm");
    return count + leftovers_print(reason, "left file /dev/shm/", shm_before, &left);
}

static void start(struct watch *watch, const struct test *test, const struct settings *settings, const char *directory)
{
    sigemptyset(&watch->signals);
    sigaddset(&watch->signals, SIGCHLD);
    sigaddset(&watch->signals, SIGINT);
    sigaddset(&watch->signals, SIGTERM);
    sigaddset(&watch->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &watch->signals, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    watch->test = fork();
    if (watch->test == 0)
        become_test(test, settings, directory);
}

int keeper_run(const struct test *test, const struct settings *settings, const char *directory)
{
    static struct names shm_before;
    struct watch        watch = {0};
    char                path[4096], work[4096];
    snprintf(path, sizeof path, "%s/reason", directory);
    snprintf(work, sizeof work, "%s/work", directory);
    FILE *reason = fopen(path, "we");
    if (reason == NULL || mkdir(work, 0700) != 0)
        return RESULT_FAILED;
    take_own_shm();
    leftovers_list(&shm_before, "/dev/shm");
    start(&watch, test, settings, directory);
    bool is_in_time = wait_for_test(&watch, settings->limit_seconds * 1000L);
    int  result = judge_ending(&watch, settings, is_in_time, reason);
    if (!is_in_time) {
        descendants_print(reason, "was running:");
        descendants_kill();
    } else if (judge_strays(&watch, reason) > 0) {
        result = RESULT_FAILED;
    }
    if (judge_files(work, &shm_before, reason) > 0 && is_in_time)
        result = RESULT_FAILED;
    fclose(reason);
    return result;
}
