/* expect: left process */
#include "../harness/harness.h"

#include <sys/wait.h>
#include <unistd.h>

/* Two forks and a session of its own: out of reach of process groups, sessions and parents, but not of a subreaper. */
void test(void)
{
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
}
