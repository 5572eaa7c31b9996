/*
 * A program that has closed a standard stream gets nothing of the library's at that number, in no host either: what a task
 * prints there goes nowhere.
 * Broken by: an event descriptor that the supervisor receives, or a file that a host asks for, as descriptor 2.
 */
#include "tasks.h"

#include <sys/mman.h>

static int is_closed(mortal_task *task, const void *input, size_t input_bytes)
{
    mortal_buffer file = {0};
    void *at;
    (void)input_bytes;
    if (input != NULL)
        memcpy(&file, input, sizeof file);
    if (input != NULL && mortal_task_buffer(task, file, &at, NULL) != 0)
        return -1;
    return fcntl(STDERR_FILENO, F_GETFD) < 0 ? 0 : 1;
}

void test(void)
{
    int fd;
    mortal_group *group;
    mortal_buffer file;
    int own = memfd_create("own", MFD_CLOEXEC);
    CHECK(own > 2);
    CHECK_OK(ftruncate(own, 4096));
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    CHECK_OK(close(STDERR_FILENO));
    mortal_pool *pool = pool_with(1);
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    CHECK(fd > 2);
    CHECK_OK(mortal_buffer_wrap_fd(&file, pool, own, 0, 4096, 0));
    for (int i = 0; i < 4; i++) { /* hosts that were there before, and later ones */
        CHECK_EQ(wait_for(submit(pool, is_closed, NULL, 0)).status, 0);
        CHECK_EQ(wait_for(submit(pool, is_closed, &file, sizeof file)).status, 0);
        CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    }
    CHECK_OK(mortal_group_close(group));
    CHECK_OK(mortal_buffer_close(file));
    drain(pool);
    CHECK_EQ(fcntl(STDERR_FILENO, F_GETFD), -1);
    CHECK_EQ(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
    close(own);
}
