/*
 * Under ulimit -v a pool opens and works, or open says -ENOMEM; never a crash, never a task that dies of it later.
 * Broken by: a mapping whose failure nobody looks at, in the owner, the supervisor or a host.
 */
#include "tasks.h"

#include <sys/resource.h>

static _Noreturn void open_with_room_for(uint64_t room_bytes)
{
    struct rlimit limit = {0, 0};
    mortal_pool *pool = NULL;
    limit.rlim_cur = limit.rlim_max = (uint64_t)status_of(getpid(), "VmSize:") * 1024 + room_bytes;
    CHECK_OK(setrlimit(RLIMIT_AS, &limit));
    int error = mortal_pool_open(&pool, NULL);
    if (error) {
        CHECK_ERR(error, -ENOMEM);
        CHECK(pool == NULL);
        CHECK_EQ(harness_children(), 0);
        _exit(1);
    }
    for (unsigned i = 0; i < 20; i++)
        check_pool_works(pool);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    check_pool_works(pool);
    drain(pool);
    _exit(0);
}

void test(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    SKIP("a sanitizer needs its own terabytes of address space");
#endif
    static const uint64_t rooms_mib[] = {0,  1,  2,  4,   8,   12,  16,  24,  32,   48,
                                         64, 96, 128, 192, 256, 384, 512, 1024, 4096, 16384};
    unsigned opened = 0;
    for (unsigned i = 0; i < COUNT(rooms_mib); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0)
            open_with_room_for(rooms_mib[i] << 20);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        opened += WEXITSTATUS(status) == 0;
    }
    harness_note("opened under %u of %zu limits", opened, COUNT(rooms_mib));
    CHECK(opened > 0);
}
