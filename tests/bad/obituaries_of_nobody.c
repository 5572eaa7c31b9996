/*
 * Asking for an obituary without a pool, without a place for it, of a closed pool, in a task or in a forked child is an
 * error in words, and the place is left as it was. Options for backtraces that do not exist are refused.
 * Broken by: a null that is written to, or an output that is changed on failure.
 */
#include "tasks.h"

#include <errno.h>
#include <sys/wait.h>

static mortal_obituary obituary, before;

static int ask_inside(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    return -mortal_pool_obituary(*(mortal_pool *const *)input, 0, &obituary);
}

void test(void)
{
    memset(&before, 0x5a, sizeof before);
    obituary = before;
    mortal_pool *pool = pool_with(1), *refused = NULL;
    CHECK_ERR(mortal_pool_obituary(NULL, 0, &obituary), -EINVAL);
    CHECK_ERR(mortal_pool_obituary(pool, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_obituary((mortal_pool *)&before, 0, &obituary), -EINVAL);
    CHECK_ERR(mortal_pool_obituary(pool, 0, &obituary), -ENOENT);
    CHECK_ERR(mortal_pool_obituary(pool, 1, &obituary), -ENOENT);
    mortal_verdict verdict = wait_for(submit_at(pool, ask_inside, pool));
    CHECK_EQ(verdict.outcome, MORTAL_FAILED);
    CHECK_EQ(verdict.status, EPERM);
    pid_t child = fork();
    if (child == 0)
        _exit(mortal_pool_obituary(pool, 0, &obituary) == -EPERM ? 0 : 1);
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    drain(pool);
    CHECK_ERR(mortal_pool_obituary(pool, 0, &obituary), -EINVAL);
    CHECK(memcmp(&obituary, &before, sizeof before) == 0);

    mortal_pool_options options = {.size = sizeof options, .backtrace = 16};
    CHECK_ERR(mortal_pool_open(&refused, &options), -EINVAL);
    CHECK(strstr(mortal_why(), "backtrace") != NULL);
    options = (mortal_pool_options){.size = sizeof options, .reserved2 = 1};
    CHECK_ERR(mortal_pool_open(&refused, &options), -EINVAL);
    CHECK(refused == NULL);
}
