/*
 * A pidfd tells that a process is certainly dead, as soon as it is and not before, waited for or not; and a wait for it is
 * over when its time is.
 */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/process.h"

void test(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    int pidfd = process_pidfd(pid);
    CHECK(pidfd >= 0);
    CHECK(!process_pidfd_dead(pidfd));
    CHECK(!process_pidfd_wait(pidfd, 0));
    CHECK(!process_pidfd_wait(pidfd, clock_ns() - 1));
    uint64_t until = clock_after(3000000);
    CHECK(!process_pidfd_wait(pidfd, until));
    CHECK(clock_ns() >= until);
    kill(pid, SIGKILL);
    CHECK(process_pidfd_wait(pidfd, NEVER));
    CHECK(process_pidfd_dead(pidfd));
    CHECK(process_pidfd_wait(pidfd, 0)); /* dead is dead, late or not */
    CHECK_EQ(process_reap(pidfd), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), -1);
    CHECK(process_pidfd_dead(pidfd));
    close(pidfd);
    CHECK_EQ(process_pidfd(pid), -ESRCH);
}
