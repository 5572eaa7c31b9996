/*
 * process_fork() is a fork without fork's manners: no handlers run, the parent's wait() sees nothing of the child, its
 * end sends no signal; and the child is a proper process all the same: raise() hits itself, and locks of the kind that
 * look at who asks know that it is not its parent.
 * Broken by: leaving out that the kernel writes the new thread's id where glibc keeps its copy.
 */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/process.h"

static volatile sig_atomic_t signals_seen;
static bool handlers_ran;
static pthread_mutex_t checked;

static void on_signal(int number)
{
    (void)number;
    signals_seen++;
}

static void on_fork(void)
{
    handlers_ran = true;
}

/* The parent holds this lock. glibc compares the holder with its own idea of who runs. */
static void check_identity(void)
{
    CHECK_EQ(pthread_mutex_unlock(&checked), EPERM);
    CHECK_EQ(pthread_mutex_trylock(&checked), EBUSY);
    signals_seen = 0;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(signals_seen, 1);
    CHECK_EQ(pthread_kill(pthread_self(), SIGUSR1), 0);
    CHECK_EQ(signals_seen, 2);
    CHECK_EQ(syscall(SYS_gettid), getpid());
}

static void end_of(int pidfd)
{
    CHECK(process_pidfd_wait(pidfd, NEVER));
    CHECK(process_pidfd_dead(pidfd));
    CHECK_EQ(process_reap(pidfd), 0);
    CHECK_EQ(process_reap(pidfd), 0); /* nothing left to reap is as good */
    close(pidfd);
}

static void check_unseen_child(void)
{
    int pidfd = -1, status;
    signals_seen = 0;
    pid_t pid = process_fork(0, false, &pidfd);
    if (pid == 0) {
        check_identity();
        CHECK(!handlers_ran);
        CHECK(!process_is_hosted());
        process_say_hosted();
        CHECK(process_is_hosted());
        _exit(0);
    }
    CHECK(pid > 0 && pidfd >= 0);
    CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(waitpid(-1, &status, WNOHANG), -1); /* whether it lives or not */
    CHECK_EQ(errno, ECHILD);
    CHECK(process_pidfd_wait(pidfd, NEVER));
    CHECK_EQ(wait(&status), -1);
    CHECK_EQ(errno, ECHILD);
    end_of(pidfd);
    CHECK_EQ(signals_seen, 0);
    CHECK(!process_is_hosted());
}

static void check_plain_child(void)
{
    int status = 0;
    pid_t pid = process_fork(SIGCHLD, false, NULL);
    if (pid == 0) {
        check_identity();
        _exit(7);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 7);
}

/* Forked by a child, yet a child of this process. */
static void check_sibling(void)
{
    pid_t *sibling = harness_shared(sizeof *sibling);
    pid_t parent = getpid();
    int status = 0;
    pid_t pid = process_fork(SIGCHLD, false, NULL);
    if (pid == 0) {
        pid_t made = process_fork(SIGCHLD, true, NULL);
        if (made == 0) {
            CHECK_EQ(getppid(), parent);
            check_identity();
            _exit(9);
        }
        *sibling = made;
        CHECK_EQ(waitpid(made, &status, __WALL | WNOHANG), -1); /* none of its own */
        _exit(8);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 8);
    CHECK_EQ(waitpid(*sibling, &status, __WALL), *sibling);
    CHECK_EQ(WEXITSTATUS(status), 9);
}

void test(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}; /* a sibling may end during a wait */
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGCHLD, &action, NULL);
    pthread_atfork(on_fork, on_fork, on_fork);
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &kind);
    pthread_mutex_lock(&checked);
    check_unseen_child();
    CHECK_EQ(signals_seen, 0);
    check_plain_child();
    check_sibling();
    CHECK(!handlers_ran);
    CHECK_EQ(pthread_mutex_unlock(&checked), 0);
    signal(SIGCHLD, SIG_DFL);
}
