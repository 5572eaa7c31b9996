/*
 * A word that a process holds as its life line is marked by the kernel when that process is gone, by whatever end, or has
 * become another program; and who sleeps on it wakes.
 */
#include "unit.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/futex.h"
#include "system/process.h"

enum way { EXIT, KILL, CRASH, EXEC };

static void end_by(enum way way)
{
    switch (way) {
    case EXIT:
        _exit(0);
    case KILL:
        kill(getpid(), SIGKILL);
        break;
    case CRASH:
        signal(SIGABRT, SIG_DFL);
        kill(getpid(), SIGABRT);
        break;
    case EXEC:
        execl("/bin/cat", "cat", (char *)NULL); /* lives on until its input ends */
        break;
    }
    _exit(99);
}

static void check(enum way way)
{
    _Atomic uint32_t *line = harness_shared(sizeof *line), *go = harness_shared(sizeof *go);
    int input[2], pidfd;
    CHECK_EQ(pipe(input), 0);
    pid_t pid = process_fork(SIGCHLD, false, &pidfd);
    if (pid == 0) {
        dup2(input[0], 0);
        close(input[0]);
        close(input[1]);
        process_hold_life_line(line);
        CHECK_EQ(atomic_load(line), (uint32_t)getpid() | FUTEX_WAITERS);
        while (atomic_load(go) == 0)
            futex_wait(go, 0, NEVER);
        end_by(way);
    }
    harness_wait_at_least(line, 1);
    CHECK_EQ(atomic_load(line) & FUTEX_OWNER_DIED, 0);
    atomic_store(go, 1);
    futex_wake(go, 1);
    for (uint32_t seen; ((seen = atomic_load(line)) & FUTEX_OWNER_DIED) == 0;)
        futex_wait(line, seen, NEVER); /* if nobody wakes it, this never ends */
    if (way == EXEC)
        CHECK(!process_pidfd_dead(pidfd));
    close(input[0]);
    close(input[1]);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK(process_pidfd_dead(pidfd));
    close(pidfd);
}

void test(void)
{
    for (enum way way = EXIT; way <= EXEC; way++)
        check(way);
}
