/*
 * A buffer that is closed stays for the unended tasks that named it, and goes back to the system when the last of them has
 * ended, however. What comes into its place is empty.
 * Broken by: a count that a kill, a cancel or a crash leaves wrong, or memory that is only forgotten.
 */
#include "tasks.h"

#include <sys/stat.h>

enum { BYTES = 1 << 20, BEGINS = 1 };

static word *steps;

static int hold(mortal_task *task, const void *input, size_t input_bytes)
{
    void *base;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, NULL));
    word_set(&steps[0], BEGINS);
    word_await(&steps[1], 1); /* meanwhile it is closed */
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, NULL));
    CHECK_EQ(((unsigned char *)base)[BYTES - 1], 9);
    word_set(&steps[0], BEGINS + 1);
    word_await(&steps[1], 2);
    return 0;
}

/* What the system really spends on the buffers of this program. */
static long long blocks(void)
{
    long long sum = 0;
    for (int fd = 0; fd < 64; fd++) {
        char        path[40], name[64];
        struct stat status;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, name, sizeof name - 1);
        name[length > 0 ? length : 0] = 0;
        if (strstr(name, "mortal:buffers") && fstat(fd, &status) == 0)
            sum += status.st_blocks * 512;
    }
    return sum;
}

static mortal_buffer filled(mortal_pool *pool)
{
    mortal_buffer buffer;
    void         *base;
    CHECK_OK(mortal_buffer_open(&buffer, pool, BYTES, 0));
    CHECK_OK(mortal_buffer_view(buffer, &base, NULL));
    for (size_t i = 0; i < BYTES; i++)
        CHECK_EQ(((unsigned char *)base)[i], 0);
    memset(base, 9, BYTES);
    CHECK(blocks() >= BYTES);
    return buffer;
}

static mortal_future start(mortal_pool *pool, mortal_buffer buffer)
{
    mortal_task_options options = {.size = sizeof options, .buffer_count = 1, .buffers = &buffer};
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    mortal_future future = submit_like(pool, hold, &buffer, sizeof buffer, options);
    word_await(&steps[0], BEGINS);
    CHECK_OK(mortal_buffer_close(buffer));
    CHECK_ERR(mortal_buffer_close(buffer), -ESTALE);
    CHECK_ERR(mortal_buffer_view(buffer, NULL, NULL), -ESTALE);
    word_set(&steps[1], 1);
    word_await(&steps[0], BEGINS + 1);
    CHECK(blocks() >= BYTES);
    CHECK_EQ(stats_of(pool).buffers, 1);
    return future;
}

void test(void)
{
    steps = harness_shared(2 * sizeof *steps);
    mortal_pool  *pool = pool_with(1);
    mortal_future future = start(pool, filled(pool));
    word_set(&steps[1], 2);
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    CHECK_EQ(blocks(), 0);
    CHECK_EQ(stats_of(pool).buffers, 0);

    future = start(pool, filled(pool));
    CHECK_OK(mortal_future_kill(future, 0, LIMIT, NULL));
    CHECK_EQ(blocks(), 0);

    mortal_future running = start(pool, filled(pool));
    mortal_buffer buffer = filled(pool);
    mortal_task_options options = {.size = sizeof options, .buffer_count = 1, .buffers = &buffer};
    mortal_future waiting = submit_like(pool, hold, &buffer, sizeof buffer, options);
    CHECK_OK(mortal_buffer_close(buffer));
    CHECK_EQ(stats_of(pool).buffers, 2);
    CHECK_OK(mortal_future_cancel(waiting));
    CHECK_EQ(stats_of(pool).buffers, 1);
    word_set(&steps[1], 2);
    CHECK_EQ(outcome_and_release(running), MORTAL_DONE);
    CHECK_EQ(blocks(), 0);
    end(pool);
}
