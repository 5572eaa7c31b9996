/*
 * A task that gives up its rights, takes another user's and group's, or another root directory: it publishes, is killed,
 * and does not outlive the pool; event loops hear of what its host completes although it may not signal the supervisor.
 * Broken by: a supervisor that needs a host's signals, or a host that needs files or rights.
 */
#include "hostile.h"

#include <grp.h>
#include <poll.h>
#include <sys/stat.h>

static int change(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return chroot("/proc/self/fdinfo") || chdir("/") || setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
           setresuid(65534, 65534, 65534);
}

void test(void)
{
    if (geteuid() != 0)
        SKIP("only root can change what it is");
    struct bystanders bystanders = bystanders_make();
    struct gate *gate = gates_make(1);
    mortal_group *group;
    mortal_verdict verdict;
    int fd;
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);
    verdict = wait_for(submit(pool, change, NULL, 0));
    if (verdict.outcome == MORTAL_FAILED)
        SKIP("this root may not change its root or user");
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    check_pool_works(pool);

    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    (void)submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.group = group});
    struct pollfd ear = {.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&ear, 1, 30000), 1);
    CHECK_OK(mortal_group_next(group, 0, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_OK(mortal_group_close(group));

    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    pid_t host = host_of(endless);
    CHECK_EQ(status_of(host, "Uid:"), 65534);
    CHECK_EQ(kill_and_read(endless), MORTAL_KILLED);
    CHECK(harness_process_gone(host));
    CHECK_EQ(outcome_of(submit(pool, change, NULL, 0)), MORTAL_DONE);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
