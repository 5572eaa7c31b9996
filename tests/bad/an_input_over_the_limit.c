/*
 * The largest input that stats names works; one byte more is refused at once with -EMSGSIZE, not left waiting for
 * ever.
 * Broken by: a submit that waits for room which can never come.
 */
#include "tasks.h"

static int count_bytes(mortal_task *task, const void *input, size_t input_bytes)
{
    const unsigned char *bytes = input;
    uint64_t sum = 0;
    for (size_t i = 0; i < input_bytes; i++)
        sum += bytes[i];
    return mortal_task_reply(task, &sum, sizeof sum);
}

static void check(size_t inputs_bytes)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .inputs_bytes = inputs_bytes});
    uint64_t most = stats_of(pool).input_bytes_max, sum = 0;
    unsigned char *bytes = malloc(most + 1);
    CHECK(most >= 64);
    CHECK(bytes != NULL);
    memset(bytes, 1, most + 1);
    for (unsigned i = 0; i < 3; i++) {
        mortal_future future = submit(pool, count_bytes, bytes, most);
        mortal_verdict verdict = wait_for(future);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        memcpy(&sum, verdict.result, sizeof sum);
        CHECK_EQ(sum, most);
        CHECK_OK(mortal_future_release(future));
        CHECK_ERR(mortal_pool_submit(pool, count_bytes, bytes, most + 1, NULL, NULL), -EMSGSIZE);
        CHECK_ERR(mortal_pool_try_submit(pool, count_bytes, bytes, most + 1, NULL, NULL), -EMSGSIZE);
        CHECK_ERR(mortal_pool_submit(pool, count_bytes, bytes, SIZE_MAX, NULL, NULL), -EMSGSIZE);
        CHECK_ERR(mortal_pool_submit(pool, count_bytes, bytes, SIZE_MAX - 63, NULL, NULL), -EMSGSIZE);
    }
    free(bytes);
    drain(pool);
}

void test(void)
{
    check(0); /* the default */
    check(1 << 20);
    check(4096);
}
