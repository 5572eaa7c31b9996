#include "../harness/harness.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

void test(void)
{
    atomic_uint *word = harness_shared(sizeof *word);
    CHECK_EQ(atomic_load(word), 0);
    pid_t child = fork();
    if (child == 0) {
        atomic_store(word, 1);
        harness_wait_until(word, 2);
        atomic_store(word, 10);
        _exit(7);
    }
    harness_wait_until(word, 1);
    atomic_store(word, 2);
    harness_wait_at_least(word, 5);
    int status = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 7);
}
