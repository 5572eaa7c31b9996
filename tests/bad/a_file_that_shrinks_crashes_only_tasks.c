/*
 * A file that becomes shorter under its buffer crashes the task that touches what is gone, with signal and address, and
 * no other; the library itself never touches it in the program: an input that lies there is an error of the submit, which
 * leaves nothing behind.
 * Broken by: a memcpy from the caller's memory under the lock, a slot or a buffer that the error does not give back.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 64 << 10 };

static int touch(mortal_task *task, const void *input, size_t input_bytes)
{
    void *base;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, NULL));
    return ((volatile unsigned char *)base)[BYTES - 1] == 5 ? 0 : 1;
}

static int reply_from(mortal_task *task, const void *input, size_t input_bytes)
{
    void *base;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, NULL));
    return mortal_task_reply(task, (unsigned char *)base + BYTES - 8000, 8000);
}

static int sum(mortal_task *task, const void *input, size_t input_bytes)
{
    unsigned total = 0;
    for (size_t i = 0; i < input_bytes; i++)
        total += ((const unsigned char *)input)[i];
    return mortal_task_reply(task, &total, sizeof total);
}

static void check_sum(mortal_pool *pool, const unsigned char *at, size_t bytes)
{
    unsigned       expected = 5 * (unsigned)bytes, total;
    mortal_future  future = submit(pool, sum, at, bytes);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    memcpy(&total, verdict.result, sizeof total);
    CHECK_EQ(total, expected);
    CHECK_OK(mortal_future_release(future));
}

static void crashes(mortal_pool *pool, mortal_function *function, mortal_buffer buffer)
{
    void          *base;
    mortal_future  future = submit(pool, function, &buffer, sizeof buffer);
    mortal_verdict verdict = wait_for(future);
    CHECK_OK(mortal_buffer_view(buffer, &base, NULL));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGBUS);
    CHECK(verdict.fault_address >= (uintptr_t)base + 4096 && verdict.fault_address < (uintptr_t)base + BYTES);
    CHECK_OK(mortal_future_release(future));
}

static int first_byte(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    return *(const unsigned char *)item;
}

/* What is gone was not put, and the next one is. */
static void items_of_it(mortal_pool *pool, const unsigned char *all)
{
    mortal_map        *map;
    mortal_map_entry   entry;
    mortal_map_options options = {.size = sizeof options, .item_bytes = 100, .window = 1};
    CHECK_OK(mortal_map_open(&map, pool, first_byte, &options));
    CHECK_ERR(mortal_map_put(map, all + 5000, NULL, 0), -EFAULT);
    CHECK_ERR(mortal_map_put(map, all + 4000, NULL, 0), -EFAULT);
    CHECK_OK(mortal_map_put(map, all, NULL, 0));
    CHECK_OK(mortal_map_next(map, LIMIT, &entry));
    CHECK_EQ(entry.number, 0);
    CHECK_EQ(entry.verdict.status, 5);
    CHECK_OK(mortal_map_close(map));
}

void test(void)
{
    static unsigned char bytes[BYTES];
    mortal_pool         *pool = pool_with(1);
    mortal_buffer        buffer;
    void                *base;
    int                  fd = memfd_create("shrinks", MFD_CLOEXEC);
    memset(bytes, 5, sizeof bytes);
    CHECK_EQ(write(fd, bytes, BYTES), BYTES);
    CHECK_OK(mortal_buffer_wrap_fd(&buffer, pool, fd, 0, 0, 0));
    CHECK_OK(mortal_buffer_view(buffer, &base, NULL));
    unsigned char *all = base;
    check_sum(pool, all, BYTES);
    check_sum(pool, all + 3, 50); /* so small that it travels with the order */
    CHECK_EQ(outcome_and_release(submit(pool, touch, &buffer, sizeof buffer)), MORTAL_DONE);

    CHECK_OK(ftruncate(fd, 4096));
    crashes(pool, touch, buffer);
    crashes(pool, reply_from, buffer);
    mortal_task_options options = {.size = sizeof options, .name = "gone", .buffer_count = 1, .buffers = &buffer};
    uint64_t            held = stats_of(pool).held, submitted = stats_of(pool).submitted;
    for (unsigned i = 0; i < 200; i++) {
        CHECK_ERR(mortal_pool_submit(pool, sum, all + 5000, 50, &options, NULL), -EFAULT);
        CHECK_ERR(mortal_pool_submit(pool, sum, all, BYTES, NULL, NULL), -EFAULT);
        CHECK_ERR(mortal_pool_try_submit(pool, sum, all + 4000, 100, NULL, NULL), -EFAULT);
    }
    CHECK_EQ(stats_of(pool).held, held);
    CHECK_EQ(stats_of(pool).submitted, submitted);
    check_sum(pool, all, 4096);
    items_of_it(pool, all);

    CHECK_OK(ftruncate(fd, BYTES)); /* it is there again, and is zero */
    CHECK_EQ(outcome_and_release(submit(pool, touch, &buffer, sizeof buffer)), MORTAL_FAILED);
    CHECK_OK(mortal_buffer_close(buffer));
    CHECK_EQ(stats_of(pool).buffers, 0); /* the refused tasks do not hold it */
    CHECK_OK(close(fd));
    end(pool);
}
