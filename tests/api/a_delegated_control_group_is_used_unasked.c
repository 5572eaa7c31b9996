/*
 * Where a control group was left to this program, a pool takes it without being asked, and leaves nothing in it; where
 * none was, it does not, though root could. In the group a pool has one directory, and in that one for each host.
 * Broken by: a root that divides groups which somebody else manages; a directory that stays.
 */
#include "tasks.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { NOBODY = 65534, KILLS = 20 };

static bool find_mount(char *mount)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strstr(line, " - cgroup2 ") != NULL && sscanf(line, "%*s %*s %*s %*s %255s", mount) == 1;
    if (file != NULL)
        fclose(file);
    return found;
}

static unsigned groups_in(const char *group)
{
    unsigned count = 0;
    DIR *dir = opendir(group);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void enter(const char *group)
{
    char path[512], pid[16];
    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, pid, strlen(pid)), (ssize_t)strlen(pid));
    close(fd);
}

static int run_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(*(word *const *)input, 1);
    compute_for_ever();
}

static void use(const char *group, int expected)
{
    void *shared = harness_shared(KILLS * sizeof(word));
    mortal_pool *pool = pool_with(2);
    CHECK_EQ(stats_of(pool).containment, expected);
    CHECK_EQ(groups_in(group), expected == MORTAL_CONTAIN_CGROUP);
    for (unsigned i = 0; i < KILLS; i++) {
        word *begun = &((word *)shared)[i];
        mortal_future future = submit_at(pool, run_for_ever, begun);
        word_await(begun, 1);
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
        CHECK_OK(mortal_future_release(future));
    }
    check_pool_works(pool);
    drain(pool);
    CHECK_EQ(groups_in(group), 0);
}

static void give(const char *group)
{
    static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"};
    char path[512];
    for (unsigned i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s%s", group, files[i]);
        CHECK_EQ(chown(path, NOBODY, NOBODY), 0);
    }
}

static void become_nobody(void)
{
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setgid(NOBODY), 0);
    CHECK_EQ(setuid(NOBODY), 0);
}

static void in_a_child(const char *group, bool as_nobody, int expected)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        enter(group);
        if (as_nobody)
            become_nobody();
        use(group, expected);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

void test(void)
{
    char mount[256] = "", group[400];
    if (!find_mount(mount))
        SKIP("control groups of version 2 are not mounted here");
    snprintf(group, sizeof group, "%s/test-of-mortal-%d", mount, (int)getpid());
    if (geteuid() != 0 || mkdir(group, 0755) != 0)
        SKIP("only root can leave a group to somebody, and it may not here");
    bool has_systemd = access("/run/systemd/system", F_OK) == 0;
    in_a_child(group, false, MORTAL_CONTAIN_SUBREAPER);
    give(group);
    if (!has_systemd)
        in_a_child(group, true, MORTAL_CONTAIN_CGROUP);
    CHECK_EQ(setxattr(group, "user.delegate", "1", 1, 0), 0);
    in_a_child(group, false, MORTAL_CONTAIN_CGROUP);
    in_a_child(group, true, MORTAL_CONTAIN_CGROUP);
    CHECK_EQ(rmdir(group), 0);
}
