/* expect: returned from test() */
#include "../harness/harness.h"

#include <sys/wait.h>
#include <unistd.h>

void test(void)
{
    pid_t child = fork();
    if (child > 0)
        CHECK_EQ(waitpid(child, NULL, 0), child);
}
