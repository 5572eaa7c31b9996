/*
 * A result over the limit, or one for which the host has no room left, is refused to the task; the old result stays.
 * Broken by: a task that dies of a full heap, a limit that does not hold, room that is not given back on release.
 */
#include "tasks.h"

enum { PIECE = 300 * 1024, ROUNDS = 20, TASKS = 16 };

static int ask_for_more_than_allowed(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint64_t most = *(const uint64_t *)input;
    if (mortal_task_reply(task, "kept", 5))
        return 1;
    if (mortal_task_result(task, most + 1) || mortal_task_result(task, SIZE_MAX))
        return 2;
    if (mortal_task_reply(task, "x", most + 1) != -ENOMEM || mortal_task_reply(task, "x", SIZE_MAX) != -ENOMEM)
        return 3;
    if (mortal_task_reply(task, NULL, 1) != -EINVAL)
        return 4;
    return 0;
}

static int ask_for_all(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint64_t most = *(const uint64_t *)input;
    unsigned char *result = mortal_task_result(task, most);
    if (!result)
        return 1;
    memset(result, 5, most);
    return 0;
}

static int reply_a_piece(mortal_task *task, const void *input, size_t input_bytes)
{
    static const unsigned char piece[PIECE];
    (void)input, (void)input_bytes;
    return mortal_task_reply(task, piece, sizeof piece);
}

static void the_limit_holds(mortal_pool *pool)
{
    uint64_t most = stats_of(pool).result_bytes_max;
    CHECK(most >= PIECE);
    mortal_future refused = submit(pool, ask_for_more_than_allowed, &most, sizeof most);
    mortal_verdict verdict = wait_for(refused);
    CHECK_EQ(verdict.status, 0);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_STR((const char *)verdict.result, "kept");
    CHECK_OK(mortal_future_release(refused));

    mortal_future whole = submit(pool, ask_for_all, &most, sizeof most);
    verdict = wait_for(whole);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, most);
    CHECK_EQ(((const unsigned char *)verdict.result)[most - 1], 5);
    CHECK_OK(mortal_future_release(whole));
}

/* Held results fill the host's room; each round the same number fits, since release gives it back. */
static unsigned pieces_that_fit(mortal_pool *pool)
{
    mortal_future futures[TASKS];
    unsigned fit = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        futures[i] = submit(pool, reply_a_piece, NULL, 0);
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK(verdict.outcome == MORTAL_DONE || (verdict.outcome == MORTAL_FAILED && verdict.status == -ENOMEM));
        fit += verdict.outcome == MORTAL_DONE;
    }
    for (unsigned i = 0; i < TASKS; i++)
        CHECK_OK(mortal_future_release(futures[i]));
    return fit;
}

void test(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .results_bytes = 2 << 20});
    the_limit_holds(pool);
    unsigned fit = pieces_that_fit(pool);
    CHECK(fit >= 1);
    CHECK(fit < TASKS);
    for (unsigned i = 0; i < ROUNDS; i++)
        CHECK_EQ(pieces_that_fit(pool), fit);
    drain(pool);
}
