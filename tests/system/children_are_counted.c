#include "../harness/harness.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void test(void)
{
    CHECK_EQ(harness_children(), 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK_EQ(harness_children(), 1);
    CHECK(!harness_process_gone(child));

    CHECK_EQ(kill(child, SIGKILL), 0);
    harness_wait_gone(child);
    CHECK_EQ(harness_children(), 1); /* a zombie is still a child */
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_EQ(harness_children(), 0);
    CHECK(harness_process_gone(child));
}
