/*
 * Under ulimit -f a pool opens and works, or open says -EFBIG; the signal SIGXFSZ never ends the program.
 * Broken by: a region whose growth runs into the limit, in the owner or later in a host.
 */
#include "tasks.h"

#include <sys/resource.h>

static int reply_much(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    void *result = mortal_task_result(task, 1 << 20);
    if (!result)
        return 1;
    memset(result, 1, 1 << 20);
    return 0;
}

static _Noreturn void open_with_files_of(uint64_t bytes)
{
    struct rlimit limit = {bytes, bytes};
    mortal_pool *pool = NULL;
    CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
    int error = mortal_pool_open(&pool, NULL);
    if (error) {
        CHECK_ERR(error, -EFBIG);
        CHECK(pool == NULL);
        CHECK_EQ(harness_children(), 0);
        _exit(1);
    }
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(outcome_of(submit(pool, reply_much, NULL, 0)), MORTAL_DONE);
    drain(pool);
    _exit(0);
}

void test(void)
{
    static const uint64_t sizes_kib[] = {0, 1, 64, 512, 1024, 4096, 16384, 65536, 131072, 1 << 20, 16 << 20};
    unsigned opened = 0;
    for (unsigned i = 0; i < COUNT(sizes_kib); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0)
            open_with_files_of(sizes_kib[i] << 10);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        opened += WEXITSTATUS(status) == 0;
    }
    harness_note("opened under %u of %zu limits", opened, COUNT(sizes_kib));
    CHECK(opened > 0);
}
