/*
 * A task that does not know how large its answer is may grow it, step by step, to the largest result of the pool: where
 * nothing lies behind it, it stays where it is. All of it exists when the call returns, however it grew.
 * Broken by: a result that needs room for its old and its new place at once; memory behind what was asked for first.
 */
#include "tasks.h"

enum { HEAP = 8 << 20 };

static int grow(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint64_t most = *(const uint64_t *)input, bytes = 100;
    unsigned char *first = mortal_task_result(task, bytes), *result = first;
    for (uint64_t had = 0; result != NULL; had = bytes, bytes = bytes * 3 / 2 < most ? bytes * 3 / 2 : most) {
        if (bytes != had)
            result = mortal_task_result(task, bytes);
        if (result != first || (had != 0 && (result[0] != 9 || result[had - 1] != 9)))
            return 1;
        memset(result + had, 9, bytes - had);
        if (had == most)
            return 0;
    }
    return 2;
}

static int grow_untouched(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint64_t most = *(const uint64_t *)input;
    return mortal_task_result(task, most / 2 + 1) == NULL || mortal_task_result(task, most) == NULL;
}

static void answer(mortal_pool *pool, mortal_function *function, uint64_t most)
{
    mortal_future future = submit(pool, function, &most, sizeof most);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.status, 0);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, most);
    CHECK(stats_of(pool).results_used_bytes >= most);
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .results_bytes = HEAP});
    uint64_t most = stats_of(pool).result_bytes_max;
    answer(pool, grow_untouched, most);
    CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
    answer(pool, grow, most);
    answer(pool, grow, most); /* and again, in what was released */
    drain(pool);
}
