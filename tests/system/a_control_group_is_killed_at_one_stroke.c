/*
 * A process that is born beside its sitter into a control group is in it, and so is all that it starts; one stroke ends
 * all of that, without any other kill, and nothing of the sitter. What a dead supervisor left is found by its mark and
 * its lock, and what only has such a name is not touched.
 * Broken by: a group that is not killed; a sitter in it; a directory that is taken for left behind while it is locked,
 * or since it has a name like ours.
 */
#include "births.h"

#include <sys/xattr.h>

#include "system/cgroup.h"

static void check_stroke(const char *parent)
{
    char group[CGROUP_PATH_BYTES], leaf[CGROUP_PATH_BYTES];
    int lock = -1, fd;
    CHECK_EQ(cgroup_make(parent, group, &lock), 0);
    CHECK_EQ(cgroup_make_leaf(group, 3), 0);
    CHECK_EQ(cgroup_try_leaf(group, 3), 0);
    cgroup_leaf(group, 3, leaf);
    struct rung_scene *scene = harness_shared(sizeof *scene);
    pid_t host = 0, sitter = bear((struct birth){.cgroup = leaf}, scene, &host, &fd);
    CHECK_EQ(cgroup_remove_leaf(group, 3), -EBUSY);
    cgroup_sweep(parent); /* it is locked */
    CHECK(is_held(fd));
    cgroup_kill(leaf);
    reap(host);
    await_not_held(fd);
    CHECK(kill(sitter, 0) == 0 && state_of_process(sitter) == 'S');
    end_sitter(sitter);
    CHECK_EQ(cgroup_remove_leaf(group, 3), 0);
    /* Whoever is born into a group that was killed before dies of that; so each is used once. */
    cgroup_remove(group);
    CHECK(access(group, F_OK) != 0);
    close(lock);
    end_pipe(scene, fd);
}

static void check_sweep(const char *parent)
{
    char left[CGROUP_PATH_BYTES], other[CGROUP_PATH_BYTES + 64];
    int lock = -1;
    CHECK_EQ(cgroup_make(parent, left, &lock), 0);
    CHECK_EQ(cgroup_make_leaf(left, 1), 0);
    snprintf(other, sizeof other, "%s/mortal-%d.99", parent, (int)getpid());
    CHECK_EQ(mkdir(other, 0755), 0); /* nobody locked it, and nobody marked it */
    close(lock);
    cgroup_sweep(parent);
    CHECK(access(left, F_OK) != 0);
    CHECK(access(other, F_OK) == 0);
    CHECK_EQ(rmdir(other), 0);
}

void test(void)
{
    char parent[CGROUP_PATH_BYTES], group[CGROUP_PATH_BYTES];
    int lock = -1;
    if (!birth_is_possible())
        SKIP("no process can be born beside its sitter here");
    if (cgroup_own(parent) != 0)
        SKIP("control groups of version 2 are not mounted here");
    if (cgroup_make(parent, group, &lock) != 0)
        SKIP("this user may not make control groups here");
    cgroup_remove(group);
    close(lock);
    become_parent();
    check_stroke(parent);
    check_sweep(parent);
}
