/*
 * The supervisor asks the scheduler for short slices, so that a kill does not wait for the next tick; tasks, also those
 * behind a preload, get what the owner has.
 * Broken by: hosts that inherit what is good for the supervisor only.
 */
#include "tasks.h"

#include <sys/syscall.h>

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline_ns, period_ns;
    uint32_t util_min, util_max;
};

static uint64_t slice_of(pid_t pid)
{
    struct attributes now = {.size = sizeof now};
    return syscall(SYS_sched_getattr, pid, &now, sizeof now, 0) == 0 ? now.slice_ns : 0;
}

static int tell_slices(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    uint64_t slices[2] = {slice_of(0), slice_of(getppid())};
    return mortal_task_reply(task, slices, sizeof slices);
}

static int preload_nothing(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    return 0;
}

static void check(uint64_t own_ns, mortal_prepare *preload)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .preload = preload});
    mortal_verdict verdict = wait_for(submit(pool, tell_slices, NULL, 0));
    uint64_t slices[2];
    CHECK_EQ(verdict.result_bytes, sizeof slices);
    memcpy(slices, verdict.result, sizeof slices);
    CHECK_EQ(slices[0], own_ns);
    CHECK(slices[1] < own_ns);
    drain(pool);
}

void test(void)
{
    struct attributes mine = {.size = sizeof mine};
    CHECK_EQ(syscall(SYS_sched_getattr, 0, &mine, sizeof mine, 0), 0);
    uint64_t usual_ns = mine.slice_ns;
    mine.slice_ns = 3000000;
    if (usual_ns == 0 || syscall(SYS_sched_setattr, 0, &mine, 0) != 0 || slice_of(0) != mine.slice_ns)
        SKIP("this kernel knows no slices of one's own (Linux 6.12)");
    check(mine.slice_ns, NULL);
    check(mine.slice_ns, preload_nothing);
    mine.slice_ns = usual_ns;
    CHECK_EQ(syscall(SYS_sched_setattr, 0, &mine, 0), 0);
    check(usual_ns, NULL);
}
