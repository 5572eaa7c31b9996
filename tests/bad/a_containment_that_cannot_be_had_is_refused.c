/*
 * Containment that does not exist is an error that names it; one that this user or this place refuses is one that says
 * what, why, and what to do; and neither leaves anything behind. Nobody who did not ask for it is refused.
 * Broken by: a pool that opens on a lower rung than was asked for; a supervisor that stays.
 */
#include "tasks.h"

#include <grp.h>
#include <sched.h>
#include <sys/resource.h>

enum { NOBODY = 65534 };

static void check_refused(int rung, const char *word_of_it, const char *remedy)
{
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .containment = rung};
    int error = mortal_pool_open(&pool, &options);
    CHECK(error == -EPERM || error == -ENOTSUP);
    CHECK(pool == NULL);
    CHECK(strstr(mortal_why(), word_of_it) != NULL);
    CHECK(strstr(mortal_why(), remedy) != NULL);
    CHECK(harness_children() <= 0); /* -1: nobody tells, without /proc */
    pool = pool_with(1);
    CHECK_EQ(stats_of(pool).containment, MORTAL_CONTAIN_SUBREAPER);
    check_pool_works(pool);
    drain(pool);
}

/* Nobody, in a root directory of its own: there the kernel allows no user namespace. */
static void be_nobody_elsewhere(void)
{
    CHECK_EQ(chroot("/usr"), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setgid(NOBODY), 0);
    CHECK_EQ(setuid(NOBODY), 0);
}

static void in_a_child(void (*check)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        check();
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void check_elsewhere(void)
{
    be_nobody_elsewhere();
    check_refused(MORTAL_CONTAIN_NAMESPACE, "MORTAL_CONTAIN_NAMESPACE", "user.max_user_namespaces");
    check_refused(MORTAL_CONTAIN_CGROUP, "MORTAL_CONTAIN_CGROUP", "cgroup2"); /* there is no /proc */
}

static void check_nobody(void)
{
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setgid(NOBODY), 0);
    CHECK_EQ(setuid(NOBODY), 0);
    check_refused(MORTAL_CONTAIN_CGROUP, "MORTAL_CONTAIN_CGROUP", "");
}

void test(void)
{
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = sizeof options, .containment = 4};
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
    CHECK(strstr(mortal_why(), "containment is 4") != NULL);
    options.containment = -1;
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
    options.containment = 0;
    options.reserved4 = 1;
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
    if (geteuid() != 0) {
        harness_note("what is refused to others is looked at by root only");
        return;
    }
    in_a_child(check_nobody);
    in_a_child(check_elsewhere);
}
