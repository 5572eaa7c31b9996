/* expect: in a child process: CHECK(1 > 2) */
/* expect: exit code 1 */
/* expect: the parent went on */
/* never: the child went on */
#include "../harness/harness.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The parent does not look at how its child ended, and still the test must fail. */
void test(void)
{
    pid_t child = fork();
    if (child == 0) {
        CHECK(1 > 2);
        puts("the child went on");
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
    puts("the parent went on");
}
