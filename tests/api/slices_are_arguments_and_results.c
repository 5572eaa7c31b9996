/*
 * A part of a buffer is an argument, another the place of a result: each task has the bytes that it was told, writes its own
 * and no other's, in buffers and in files. What does not lie in its buffer is refused, whatever the sum of its numbers.
 * Every buffer begins at a multiple of 64, whatever the sizes of those before it.
 * Broken by: a sum that wraps around, an address from the beginning of a window, a buffer in what another left of a page.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PARTS = 16, PART_BYTES = 1001 };

struct job {
    mortal_slice from, to;
};

static int add_one(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct job *job = input;
    void             *from, *to;
    (void)input_bytes;
    CHECK_OK(mortal_task_slice(task, job->from, &from));
    CHECK_OK(mortal_task_slice(task, job->to, &to));
    for (uint64_t i = 0; i < job->from.bytes; i++)
        ((unsigned char *)to)[i] = (unsigned char)(((unsigned char *)from)[i] + 1);
    return 0;
}

static int try_ranges(mortal_task *task, const void *input, size_t input_bytes)
{
    mortal_buffer buffer = *(const mortal_buffer *)input;
    const uint64_t good[][2] = {{0, 100}, {100, 0}, {99, 1}, {0, 0}};
    const uint64_t wrong[][2] = {{0, 101}, {101, 0}, {100, 1}, {1, UINT64_MAX}, {UINT64_MAX, 1}, {UINT64_MAX, UINT64_MAX}};
    void *base, *address;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, buffer, &base, NULL));
    for (unsigned i = 0; i < COUNT(good); i++) {
        CHECK_OK(mortal_task_slice(task, (mortal_slice){buffer, good[i][0], good[i][1]}, &address));
        CHECK((unsigned char *)address == (unsigned char *)base + good[i][0]);
        CHECK_OK(mortal_task_slice(task, (mortal_slice){buffer, good[i][0], good[i][1]}, NULL));
    }
    for (unsigned i = 0; i < COUNT(wrong); i++)
        CHECK_ERR(mortal_task_slice(task, (mortal_slice){buffer, wrong[i][0], wrong[i][1]}, &address), -ERANGE);
    CHECK_ERR(mortal_task_slice(task, (mortal_slice){{0, 0}, 0, 0}, &address), -EINVAL);
    CHECK_ERR(mortal_task_slice(NULL, (mortal_slice){buffer, 0, 0}, &address), -EINVAL);
    CHECK(strncmp(mortal_why(), "mortal_task_slice: ", 19) == 0);
    return 0;
}

static void add_to_all(mortal_pool *pool, mortal_buffer from, mortal_buffer to)
{
    mortal_future futures[PARTS];
    for (unsigned i = 0; i < PARTS; i++) {
        struct job job = {.from = {from, i * PART_BYTES, PART_BYTES}, .to = {to, (PARTS - 1 - i) * PART_BYTES, PART_BYTES}};
        futures[i] = submit(pool, add_one, &job, sizeof job);
    }
    for (unsigned i = 0; i < PARTS; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    void *source, *made;
    CHECK_OK(mortal_buffer_view(from, &source, NULL));
    CHECK_OK(mortal_buffer_view(to, &made, NULL));
    for (unsigned i = 0; i < PARTS * PART_BYTES; i++) {
        unsigned part = PARTS - 1 - i / PART_BYTES;
        CHECK_EQ(((unsigned char *)made)[i],
                 (unsigned char)(((unsigned char *)source)[part * PART_BYTES + i % PART_BYTES] + 1));
    }
}

static void alignment(mortal_pool *pool)
{
    static const size_t sizes[] = {1, 63, 4095, 4097, (2 << 20) - 1, (2 << 20) + 1};
    mortal_buffer       buffers[COUNT(sizes) * 2];
    for (unsigned i = 0; i < COUNT(buffers); i++) {
        void *base;
        CHECK_OK(mortal_buffer_open(&buffers[i], pool, sizes[i / 2], i % 2 ? MORTAL_BUFFER_GIVEN : 0));
        CHECK_OK(mortal_buffer_view(buffers[i], &base, NULL));
        CHECK_EQ((uintptr_t)base % 64, 0);
    }
    for (unsigned i = 0; i < COUNT(buffers); i++)
        CHECK_OK(mortal_buffer_close(buffers[i]));
}

void test(void)
{
    mortal_pool  *pool = pool_with(2);
    mortal_buffer from, to, file;
    void         *base;
    CHECK_OK(mortal_buffer_open(&from, pool, PARTS * PART_BYTES, MORTAL_BUFFER_GIVEN));
    CHECK_OK(mortal_buffer_open(&to, pool, PARTS * PART_BYTES, 0));
    CHECK_OK(mortal_buffer_view(from, &base, NULL));
    for (unsigned i = 0; i < PARTS * PART_BYTES; i++)
        ((unsigned char *)base)[i] = (unsigned char)(i * 13);
    add_to_all(pool, from, to);

    int fd = memfd_create("slices", MFD_CLOEXEC);
    CHECK_OK(ftruncate(fd, 128 + PARTS * PART_BYTES));
    CHECK_OK(mortal_buffer_wrap_fd(&file, pool, fd, 128, 0, MORTAL_BUFFER_WRITABLE));
    CHECK_OK(close(fd));
    CHECK_OK(mortal_buffer_view(file, &base, NULL));
    CHECK_EQ((uintptr_t)base % 64, 0);
    add_to_all(pool, from, file);
    add_to_all(pool, file, to);

    mortal_buffer hundred;
    CHECK_OK(mortal_buffer_open(&hundred, pool, 100, 0));
    CHECK_EQ(outcome_and_release(submit(pool, try_ranges, &hundred, sizeof hundred)), MORTAL_DONE);
    alignment(pool);
    end(pool);
}
