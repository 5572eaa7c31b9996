/*
 * When the supervisor itself is killed, daemons of tasks die too: in a namespace of processes at once, in a control group
 * when the pool is closed, whose directories are gone then; or when the next such pool opens there.
 * Broken by: a first process that outlives the supervisor; a group that nobody kills, or removes.
 */
#include "rungs.h"

#include <sys/prctl.h>

static mortal_future start_held(mortal_pool *pool, struct rung_scene *scene, int *fd)
{
    *fd = make_pipe(scene);
    mortal_future future = submit_at(pool, start_daemons, scene);
    word_await(&scene->arrived, DAEMONS + 1);
    CHECK(is_held(*fd));
    return future;
}

/* The directory of the group that a process is in, and of all of its pool's; "": it is in none of a pool. */
static void group_of(pid_t process, char *path, size_t path_bytes)
{
    char name[64], line[512] = "";
    snprintf(name, sizeof name, "/proc/%d/cgroup", (int)process);
    FILE *file = fopen(name, "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL && strncmp(line, "0::", 3) != 0)
        ;
    fclose(file);
    const char *group = strstr(line, "/mortal-");
    CHECK(group != NULL);
    char mount[256] = "";
    file = fopen("/proc/self/mountinfo", "re");
    char mounted[1024];
    while (fgets(mounted, sizeof mounted, file) != NULL && strstr(mounted, " - cgroup2 ") == NULL)
        ;
    fclose(file);
    CHECK_EQ(sscanf(mounted, "%*s %*s %*s %*s %255s", mount), 1);
    snprintf(path, path_bytes, "%s%.200s", mount, line + 3);
    *strrchr(path, '/') = '\0';
}

static void check_in_namespace(struct rung_scene *scene)
{
    int fd;
    mortal_pool *pool = pool_on(MORTAL_CONTAIN_NAMESPACE, (mortal_pool_options){.workers = 1});
    mortal_future future = start_held(pool, scene, &fd);
    CHECK_EQ(kill(supervisor_of(pool), SIGKILL), 0);
    CHECK_EQ(outcome_of(future), MORTAL_LOST);
    POLL_UNTIL(!is_held(fd));
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
    end_pipe(scene, fd);
}

static void check_in_group(struct rung_scene *scene)
{
    int fd;
    char group[1024];
    mortal_pool *pool = pool_on(MORTAL_CONTAIN_CGROUP, (mortal_pool_options){.workers = 1});
    mortal_future future = start_held(pool, scene, &fd);
    group_of(host_of(future), group, sizeof group);
    CHECK(access(group, F_OK) == 0);
    CHECK_EQ(kill(supervisor_of(pool), SIGKILL), 0);
    CHECK_EQ(outcome_of(future), MORTAL_LOST);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
    CHECK(!is_held(fd));
    CHECK(access(group, F_OK) != 0);
    end_pipe(scene, fd);
}

/* The owner is killed too, and the supervisor before it: there is nobody left to clear up. */
static void check_left_behind(struct rung_scene *scene)
{
    char *group = harness_shared(1024);
    word *ready = harness_shared(sizeof *ready);
    int fd = make_pipe(scene);
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t owner = fork();
    if (owner == 0) {
        mortal_pool *pool = pool_on(MORTAL_CONTAIN_CGROUP, (mortal_pool_options){.workers = 1});
        mortal_future future = submit_at(pool, start_daemons, scene);
        word_await(&scene->arrived, DAEMONS + 1);
        group_of(host_of(future), group, 1024);
        kill(supervisor_of(pool), SIGKILL);
        word_add(ready, 1);
        for (;;)
            pause();
    }
    word_await(ready, 1);
    CHECK_EQ(kill(owner, SIGKILL), 0);
    CHECK_EQ(waitpid(owner, NULL, 0), owner);
    CHECK(is_held(fd));
    mortal_pool *pool = pool_on(MORTAL_CONTAIN_CGROUP, (mortal_pool_options){.workers = 1});
    POLL_UNTIL(!is_held(fd));
    POLL_UNTIL(access(group, F_OK) != 0);
    drain(pool);
    end_pipe(scene, fd);
    while (waitpid(-1, NULL, __WALL) > 0) /* what its death left to us */
        ;
}

void test(void)
{
    struct rung_scene *scenes = harness_shared(3 * sizeof *scenes);
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = sizeof options, .containment = MORTAL_CONTAIN_CGROUP};
    bool has_groups = mortal_pool_open(&pool, &options) == 0;
    if (has_groups)
        drain(pool);
    if (has_groups) {
        check_in_group(&scenes[0]);
        check_left_behind(&scenes[1]);
    } else {
        harness_note("no control groups here: %s", mortal_why());
    }
    check_in_namespace(&scenes[2]);
}
