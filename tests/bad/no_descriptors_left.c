/*
 * With too few descriptors left open and group_fd say -EMFILE, leave none behind, and work once there is room.
 * Broken by: a half-made pool that keeps what it had got, or a supervisor that fails where the owner did not.
 */
#include "tasks.h"

#include <sys/resource.h>

static void leave_room_for(unsigned room)
{
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    int next = dup(0); /* the lowest that is free */
    close(next);
    limit.rlim_cur = (rlim_t)next + room;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
}

static bool try_to_open(mortal_pool **pool)
{
    unsigned descriptors = entries_of("/proc/self/fd");
    int error = mortal_pool_open(pool, &(mortal_pool_options){.size = sizeof(mortal_pool_options), .workers = 2});
    if (error == 0)
        return true;
    CHECK_ERR(error, -EMFILE);
    CHECK_EQ(entries_of("/proc/self/fd"), descriptors);
    CHECK_EQ(harness_children(), 0);
    return false;
}

void test(void)
{
    struct rlimit before;
    mortal_pool *pool = NULL;
    mortal_group *group = NULL;
    unsigned room = 0;
    int fd = -7;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &before));
    for (;; room++) { /* entries_of itself needs one */
        leave_room_for(room + 1);
        if (try_to_open(&pool))
            break;
        CHECK(room < 200);
    }
    harness_note("a pool opens with room for %u descriptors", room + 1);
    CHECK(room > 0);
    check_pool_works(pool);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    check_pool_works(pool);

    CHECK_OK(mortal_group_open(&group, pool));
    leave_room_for(0);
    CHECK_ERR(mortal_group_fd(group, &fd), -EMFILE);
    CHECK_EQ(fd, -7);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &before));
    CHECK_OK(mortal_group_fd(group, &fd));
    drain(pool);
}
