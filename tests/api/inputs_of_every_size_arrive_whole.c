/*
 * Inputs of 0 bytes to 1 MiB, from any alignment, arrive byte for byte and aligned to 16, and are copied before
 * submit returns.
 * Broken by: a boundary between small and large inputs that loses a byte, or a task that sees the caller's later
 * changes.
 */
#include "tasks.h"

static const size_t sizes[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 65536, 1 << 20};

static uint64_t digest(const unsigned char *bytes, size_t count)
{
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash ^ count;
}

static int reply_digest(mortal_task *task, const void *input, size_t input_bytes)
{
    if ((uintptr_t)input % 16)
        return 1;
    uint64_t found = digest(input, input_bytes);
    return mortal_task_reply(task, &found, sizeof found);
}

static void check_from_alignment(mortal_pool *pool, unsigned char *bytes)
{
    mortal_future futures[COUNT(sizes)];
    uint64_t expected[COUNT(sizes)], found;
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            bytes[k] = (unsigned char)(k * 31 + i + k / 255);
        expected[i] = digest(bytes, sizes[i]);
        futures[i] = submit(pool, reply_digest, sizes[i] ? bytes : NULL, sizes[i]);
        memset(bytes, 0xee, sizes[i]);
    }
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.status, 0);
        CHECK_EQ(verdict.result_bytes, sizeof found);
        memcpy(&found, verdict.result, sizeof found);
        CHECK_EQ(found, expected[i]);
        CHECK_OK(mortal_future_release(futures[i]));
    }
}

void test(void)
{
    unsigned char *bytes = malloc((1 << 20) + 16);
    mortal_pool *pool = pool_with(2);
    CHECK(bytes != NULL);
    for (unsigned offset = 0; offset < 4; offset++)
        check_from_alignment(pool, bytes + offset);
    free(bytes);
    drain(pool);
}
