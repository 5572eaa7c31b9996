/*
 * A supervisor whose last descriptor is in use still gives files to hosts that ask. If not even the one that it keeps for
 * that is left, since somebody lowered its limit, the task is told so, by the right name, and gets its file when there are
 * some again.
 * Broken by: a question that is thrown away with the descriptor that came with it; an answer that says the task did wrong.
 */
#include "tasks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILES = 3 };

static int find(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    return mortal_task_buffer(task, *(const mortal_buffer *)input, NULL, NULL);
}

static int be_told(mortal_task *task, const void *input, size_t input_bytes)
{
    CHECK_ERR(find(task, input, input_bytes), -EMFILE);
    CHECK(strstr(mortal_why(), "the supervisor of this pool had no descriptor left") != NULL);
    return 0;
}

static void ask(mortal_pool *pool, mortal_function *function, mortal_buffer buffer)
{
    mortal_future future = submit(pool, function, &buffer, sizeof buffer);
    CHECK_EQ(wait_for(future).status, 0);
    CHECK_OK(mortal_future_release(future));
}

/* The first number that it could give to something new. */
static rlim_t first_free(pid_t process)
{
    char   path[64];
    rlim_t number = 0;
    do {
        snprintf(path, sizeof path, "/proc/%d/fd/%u", (int)process, (unsigned)number++);
    } while (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    return number - 1;
}

static void limit(pid_t process, rlim_t descriptors)
{
    struct rlimit now;
    CHECK_OK(prlimit(process, RLIMIT_NOFILE, NULL, &now));
    now.rlim_cur = descriptors;
    CHECK_OK(prlimit(process, RLIMIT_NOFILE, &now, NULL));
}

void test(void)
{
    mortal_pool  *pool = pool_with(1);
    mortal_buffer buffers[FILES];
    struct rlimit before;
    pid_t         supervisor = supervisor_of(pool);
    int           fd = memfd_create("wrapped", MFD_CLOEXEC);
    CHECK_OK(ftruncate(fd, 10000));
    for (unsigned i = 0; i < FILES; i++)
        CHECK_OK(mortal_buffer_wrap_fd(&buffers[i], pool, fd, 0, 0, 0));
    CHECK_OK(prlimit(supervisor, RLIMIT_NOFILE, NULL, &before));
    limit(supervisor, first_free(supervisor));
    ask(pool, find, buffers[0]);
    limit(supervisor, 3);
    ask(pool, be_told, buffers[1]);
    ask(pool, be_told, buffers[1]); /* and is not taken for mapped */
    ask(pool, find, buffers[0]);
    CHECK_ERR(mortal_buffer_wrap_fd(&buffers[0], pool, fd, 0, 0, 0), -EMFILE);
    limit(supervisor, before.rlim_cur);
    ask(pool, find, buffers[1]);
    limit(supervisor, first_free(supervisor));
    ask(pool, find, buffers[2]); /* it keeps one again */
    limit(supervisor, before.rlim_cur);
    close(fd);
    end(pool);
}
