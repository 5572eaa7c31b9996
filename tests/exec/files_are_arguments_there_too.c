/*
 * In a pool that starts by exec a file of the program is memory of its tasks too, before and after a death, though it was
 * wrapped long after the image was started and nobody but the program could open it.
 *
 * Broken by: a window that the new image does not keep free, or a descriptor that is looked for under a number of the owner.
 */
#include "board.h"

static int look(mortal_task *task, const void *input, size_t input_bytes)
{
    void *base;
    size_t bytes;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, &bytes));
    CHECK_EQ(bytes, 5000);
    CHECK_EQ(((const unsigned char *)base)[4999], 7);
    return mortal_task_reply(task, &base, sizeof base);
}

static int scribble(mortal_task *task, const void *input, size_t input_bytes)
{
    void *at;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &at, NULL));
    *(volatile char *)at = 1;
    return 0;
}

void test(void)
{
    mortal_pool_options options = {.workers = 2};
    mortal_pool *pool = exec_pool(&options);
    for (unsigned i = 0; i < 20; i++) {
        mortal_buffer buffer;
        int fd = memfd_create("wrapped", MFD_CLOEXEC);
        CHECK_EQ(pwrite(fd, "\7", 1, 4999), 1);
        CHECK_OK(mortal_buffer_wrap_fd(&buffer, pool, fd, 0, 0, i % 2 == 0 ? 0 : MORTAL_BUFFER_WRITABLE));
        CHECK_EQ(run_one(pool, look, &buffer, sizeof buffer).outcome, MORTAL_DONE);
        char first = 9;
        CHECK_EQ(run_one(pool, scribble, &buffer, sizeof buffer).outcome, i % 2 == 0 ? MORTAL_CRASHED : MORTAL_DONE);
        CHECK_EQ(pread(fd, &first, 1, 0), 1);
        CHECK_EQ(first, i % 2);
        CHECK_EQ(run_one(pool, look, &buffer, sizeof buffer).outcome, MORTAL_DONE);
        CHECK_OK(mortal_buffer_close(buffer));
        CHECK_OK(close(fd));
    }
    drain(pool);
}
