/*
 * A task that puts itself under seccomp: strict (its thread dies at the next call that is not read or write), with a
 * filter that kills the process at a futex call or an exit, or with one that makes those fail. Whatever becomes of its
 * own host, no wait is lost, a kill ends it, and others go on.
 * Broken by: a worker whose end nobody notices, a waiter whom only that host could have woken.
 */
#include "hostile.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static int filter(uint32_t action)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, action),
    };
    struct sock_fprog program = {.len = COUNT(code), .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int fail_calls(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return filter(SECCOMP_RET_ERRNO | EPERM);
}

static int die_of_calls(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    if (filter(SECCOMP_RET_KILL_PROCESS))
        return 1;
    _exit(0);
}

static int be_strict(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0;
}

static int be_strict_and_call(mortal_task *task, const void *input, size_t input_bytes)
{
    if (be_strict(task, input, input_bytes) == 0)
        (void)getppid();
    return 1;
}

/* Nothing is promised for what comes after it in that host; but it all ends, and then there is another host. */
static void until_it_works(mortal_pool *pool)
{
    while (outcome_and_release(submit(pool, task_nothing, NULL, 0)) != MORTAL_DONE)
        ;
    check_pool_works(pool);
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);

    mortal_verdict verdict = wait_for(submit(pool, be_strict_and_call, NULL, 0));
    if (verdict.outcome == MORTAL_FAILED)
        SKIP("the kernel has no seccomp");
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_THREAD_EXIT);
    check_pool_works(pool);

    CHECK_EQ(outcome_of(submit(pool, be_strict, NULL, 0)), MORTAL_DONE);
    until_it_works(pool);

    verdict = wait_for(submit(pool, die_of_calls, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGSYS);
    check_pool_works(pool);

    CHECK_EQ(outcome_of(submit(pool, fail_calls, NULL, 0)), MORTAL_DONE);
    for (unsigned i = 0; i < 3; i++)
        check_pool_works(pool); /* slowly: it wakes nobody */
    mortal_future endless = submit_at(pool, task_endless, gate);
    POLL_UNTIL(atomic_load(&gate->arrived) == 1);
    CHECK_EQ(kill_and_read(endless), MORTAL_KILLED);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
