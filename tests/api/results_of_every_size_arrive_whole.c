/*
 * Results of 0 bytes to 1 MiB arrive byte for byte, aligned to 16, however they were made: replied, grown, shrunk,
 * replaced.
 * Broken by: a boundary between small and large results that loses a byte, or a growth that forgets what was there.
 */
#include "tasks.h"

static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097, 65536, 1 << 20};

static void fill(unsigned char *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251 + 1);
}

static bool is_filled(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (unsigned char)(i * 7 + i / 251 + 1))
            return false;
    return true;
}

static int reply_at_once(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    size_t bytes = *(const size_t *)input;
    unsigned char *own = malloc(bytes + 1);
    fill(own, 0, bytes);
    int error = mortal_task_reply(task, own, bytes);
    free(own);
    return error;
}

static int write_in_place(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    size_t bytes = *(const size_t *)input;
    unsigned char *result = mortal_task_result(task, bytes);
    if ((result == NULL) != (bytes == 0) || (uintptr_t)result % 16)
        return 1;
    fill(result, 0, bytes);
    return 0;
}

/* Through all sizes up to the one asked for, each time with more written behind what must still be there. */
static int grow(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    size_t bytes = *(const size_t *)input, before = 0;
    for (unsigned i = 1; i < COUNT(sizes) && sizes[i] <= bytes; i++) {
        unsigned char *result = mortal_task_result(task, sizes[i]);
        if (!result || (uintptr_t)result % 16 || !is_filled(result, before))
            return 1;
        fill(result, before, sizes[i]);
        before = sizes[i];
    }
    return 0;
}

static int shrink(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    size_t bytes = *(const size_t *)input;
    unsigned char *result = mortal_task_result(task, 1 << 20);
    if (!result)
        return 1;
    fill(result, 0, 1 << 20);
    mortal_task_result(task, bytes);
    return 0;
}

static int replace(mortal_task *task, const void *input, size_t input_bytes)
{
    static unsigned char other[1 << 20];
    if (mortal_task_reply(task, other, sizeof other) || mortal_task_reply(task, "short", 5))
        return 1;
    return reply_at_once(task, input, input_bytes);
}

static void check_each_size(mortal_pool *pool, mortal_function *function)
{
    mortal_future futures[COUNT(sizes)];
    for (unsigned i = 0; i < COUNT(sizes); i++)
        futures[i] = submit(pool, function, &sizes[i], sizeof sizes[i]);
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.status, 0);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, sizes[i]);
        CHECK((verdict.result == NULL) == (sizes[i] == 0));
        CHECK_EQ((uintptr_t)verdict.result % 16, 0);
        CHECK(is_filled(verdict.result, sizes[i]));
    }
    for (unsigned i = 0; i < COUNT(sizes); i++)
        CHECK_OK(mortal_future_release(futures[i]));
}

void test(void)
{
    mortal_pool *pool = pool_with(2);
    check_each_size(pool, reply_at_once);
    check_each_size(pool, write_in_place);
    check_each_size(pool, grow);
    check_each_size(pool, shrink);
    check_each_size(pool, replace);
    drain(pool);
}
