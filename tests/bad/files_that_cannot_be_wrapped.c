/*
 * What is no file, or not open as it should be, ranges that do not lie in it, flags that exclude each other, and a
 * supervisor without descriptors or life are errors with a reason. Nothing is kept by them, and the pool goes on. What is
 * wrapped in one pool is no buffer of another, and what was closed is stale in tasks too.
 * Broken by: a sum that wraps around, a descriptor that an error leaves with somebody, a wait for a supervisor that died.
 */
#include "tasks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int find(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    return mortal_task_buffer(task, *(const mortal_buffer *)input, NULL, NULL);
}

static int find_without_room(mortal_task *task, const void *input, size_t input_bytes)
{
    struct rlimit limit = {3, 3};
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_ERR(find(task, input, input_bytes), -EMFILE);
    return 0;
}

static int answer_of(mortal_pool *pool, mortal_function *function, mortal_buffer buffer)
{
    mortal_future future = submit(pool, function, &buffer, sizeof buffer);
    int           status = wait_for(future).status;
    CHECK_OK(mortal_future_release(future));
    return status;
}

static void arguments(mortal_pool *pool)
{
    mortal_buffer out = {5, 5};
    int           fd = memfd_create("good", MFD_CLOEXEC), ends[2], other;
    char          path[40];
    CHECK_OK(ftruncate(fd, 10000));
    CHECK_ERR(mortal_buffer_wrap_fd(NULL, pool, fd, 0, 0, 0), -EINVAL);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, NULL, fd, 0, 0, 0), -EINVAL);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, -1, 0, 0, 0), -EBADF);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, 999, 0, 0, 0), -EBADF);
    for (int copied = 0; copied <= MORTAL_BUFFER_COPY; copied += MORTAL_BUFFER_COPY) {
        CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 10000, 0, copied), -EINVAL);
        CHECK(strstr(mortal_why(), "from 10000 on") != NULL); /* and not that 0 bytes do not lie there */
        CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 0, 10001, copied), -EINVAL);
        CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 9999, 2, copied), -EINVAL);
        CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 9999, SIZE_MAX, copied), -EINVAL);
        CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, UINT64_MAX, 1, copied), -EINVAL);
        CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 1, SIZE_MAX, copied), -EINVAL);
    }
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 0, 0, MORTAL_BUFFER_LAZY), -EINVAL);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 0, 0, 16), -EINVAL);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, fd, 0, 0, MORTAL_BUFFER_GIVEN | MORTAL_BUFFER_WRITABLE), -EINVAL);
    CHECK_ERR(mortal_buffer_open(&out, pool, 1, MORTAL_BUFFER_WRITABLE), -EINVAL);
    CHECK_ERR(mortal_buffer_open(&out, pool, 1, MORTAL_BUFFER_COPY), -EINVAL);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    other = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, other, 0, 0, MORTAL_BUFFER_WRITABLE), -EACCES);
    CHECK_OK(close(other));
    other = open(path, O_WRONLY | O_CLOEXEC);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, other, 0, 0, 0), -EACCES);
    CHECK_OK(close(other));
    other = open(path, O_PATH | O_CLOEXEC);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, other, 0, 0, 0), -EACCES);
    CHECK_OK(close(other));
    CHECK_OK(pipe(ends));
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, ends[0], 0, 0, 0), -ENODEV);
    CHECK_OK(close(ends[0]));
    CHECK_OK(close(ends[1]));
    other = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, other, 0, 0, 0), -EINVAL);
    CHECK(strstr(mortal_why(), "read it") != NULL);
    CHECK_OK(close(other));
    other = open("/", O_RDONLY | O_CLOEXEC);
    CHECK_ERR(mortal_buffer_wrap_fd(&out, pool, other, 0, 0, 0), -ENODEV);
    CHECK_OK(close(other));
    CHECK_EQ(out.place, 5);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_OK(close(fd));
}

static void others(mortal_pool *pool, mortal_pool *other)
{
    int           fd = memfd_create("good", MFD_CLOEXEC);
    mortal_buffer here, there;
    CHECK_OK(ftruncate(fd, 10000));
    CHECK_OK(mortal_buffer_wrap_fd(&here, pool, fd, 0, 0, 0));
    CHECK_OK(mortal_buffer_wrap_fd(&there, other, fd, 0, 0, 0));
    CHECK_EQ(answer_of(pool, find, here), 0);
    CHECK_EQ(answer_of(pool, find, there), -ESTALE);
    mortal_buffer made_up = {here.place, here.life + 1};
    CHECK_EQ(answer_of(pool, find, made_up), -ESTALE);
    CHECK_EQ(answer_of(other, find_without_room, there), 0);
    CHECK_OK(mortal_buffer_close(here));
    CHECK_EQ(answer_of(pool, find, here), -ESTALE);
    CHECK_OK(mortal_buffer_close(there));
    CHECK_OK(close(fd));
}

/* Its limit is this program's as it was at open. */
static void more_than_descriptors(void)
{
    struct rlimit before, few = {40, 40};
    mortal_buffer buffers[60], more;
    int           fd = memfd_create("good", MFD_CLOEXEC);
    unsigned      count = 0;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &before));
    few.rlim_max = before.rlim_max;
    CHECK_OK(ftruncate(fd, 10000));
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &few));
    mortal_pool *pool = pool_with(1);
    while (count < 60 && mortal_buffer_wrap_fd(&buffers[count], pool, fd, 0, 0, 0) == 0)
        count++;
    CHECK(count >= 10 && count < 40);
    for (unsigned i = 0; i < 100; i++)
        CHECK_ERR(mortal_buffer_wrap_fd(&more, pool, fd, 0, 0, 0), -EMFILE);
    CHECK_EQ(stats_of(pool).buffers, count);
    CHECK_OK(mortal_buffer_wrap_fd(&more, pool, fd, 0, 0, MORTAL_BUFFER_COPY));
    CHECK_OK(mortal_buffer_close(more));
    CHECK_EQ(answer_of(pool, find, buffers[count - 1]), 0);
    CHECK_EQ(answer_of(pool, find, buffers[0]), 0);
    for (unsigned i = 0; i < count; i++)
        CHECK_OK(mortal_buffer_close(buffers[i]));
    CHECK_OK(mortal_buffer_wrap_fd(&more, pool, fd, 0, 0, 0));
    CHECK_EQ(answer_of(pool, find, more), 0);
    end(pool);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &before));
    CHECK_OK(close(fd));
}

static void without_supervisor(mortal_pool *pool)
{
    mortal_buffer buffer;
    int           fd = memfd_create("good", MFD_CLOEXEC);
    CHECK_OK(ftruncate(fd, 10000));
    CHECK_OK(mortal_buffer_wrap_fd(&buffer, pool, fd, 0, 0, 0));
    pid_t supervisor = stats_of(pool).supervisor;
    CHECK_OK(kill(supervisor, SIGKILL));
    while (!harness_process_gone(supervisor)) /* this program's child, which waits for nobody */
        harness_sleep_ms(1);
    CHECK_ERR(mortal_buffer_wrap_fd(&buffer, pool, fd, 0, 0, 0), -EOWNERDEAD);
    CHECK_OK(mortal_buffer_view(buffer, NULL, NULL));
    CHECK_OK(mortal_buffer_close(buffer));
    CHECK_OK(close(fd));
    end(pool);
}

void test(void)
{
    mortal_pool *pool = pool_with(1), *other = pool_with(1);
    arguments(pool);
    others(pool, other);
    end(other);
    more_than_descriptors();
    without_supervisor(pool);
}
