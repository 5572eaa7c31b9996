/*
 * Buffers that cannot be had, and values that are no buffers, are errors with a reason; nothing is lost or kept by them.
 * Broken by: an unchecked number, a size that wraps around, memory that is only promised.
 */
#include "tasks.h"

static int try_made_up(mortal_task *task, const void *input, size_t input_bytes)
{
    mortal_buffer good = *(const mortal_buffer *)input, none = {0};
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, good, NULL, NULL));
    CHECK_ERR(mortal_task_buffer(NULL, good, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_task_buffer(task, none, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_task_buffer(task, (mortal_buffer){good.place, good.life + 1}, NULL, NULL), -ESTALE);
    CHECK_ERR(mortal_task_buffer(task, (mortal_buffer){good.place + 1, good.life}, NULL, NULL), -ESTALE);
    CHECK_ERR(mortal_task_buffer(task, (mortal_buffer){good.place | 0xffffffff, good.life}, NULL, NULL), -EINVAL);
    return 0;
}

static void values(mortal_pool *pool, mortal_pool *other, mortal_buffer good)
{
    mortal_buffer       none = {0}, made_up = {good.place, good.life + 1}, foreign;
    mortal_buffer       far = {good.place + 4095, good.life};
    mortal_task_options options = {.size = sizeof options, .buffer_count = 1};
    CHECK_ERR(mortal_buffer_close(none), -EINVAL);
    CHECK_ERR(mortal_buffer_view(none, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_buffer_close(far), -EINVAL);
    CHECK_ERR(mortal_buffer_close(made_up), -ESTALE);
    CHECK_OK(mortal_buffer_open(&foreign, other, 1, 0));
    const mortal_buffer wrong[] = {none, made_up, far, foreign};
    for (unsigned i = 0; i < COUNT(wrong); i++) {
        mortal_buffer both[] = {good, wrong[i]};
        options.buffers = both;
        options.buffer_count = 2;
        CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL), -EINVAL);
        CHECK(strstr(mortal_why(), "buffers[1]") != NULL);
    }
    options.buffer_count = 9;
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL), -EINVAL);
    options = (mortal_task_options){.size = sizeof options, .buffer_count = 1};
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL), -EINVAL);
    CHECK_OK(mortal_buffer_close(foreign));
    CHECK_EQ(outcome_and_release(submit(pool, try_made_up, &good, sizeof good)), MORTAL_DONE);
}

static void sizes(mortal_pool *pool)
{
    mortal_buffer out = {5, 5};
    uint64_t      most = stats_of(pool).buffers_bytes;
    CHECK_ERR(mortal_buffer_open(NULL, pool, 1, 0), -EINVAL);
    CHECK_ERR(mortal_buffer_open(&out, NULL, 1, 0), -EINVAL);
    CHECK_ERR(mortal_buffer_open(&out, pool, 0, 0), -EINVAL);
    CHECK_ERR(mortal_buffer_open(&out, pool, 1, 4), -EINVAL);
    CHECK_ERR(mortal_buffer_open(&out, pool, SIZE_MAX, 0), -ENOBUFS);
    CHECK_ERR(mortal_buffer_open(&out, pool, SIZE_MAX - 5000, MORTAL_BUFFER_LAZY), -ENOBUFS);
    CHECK_ERR(mortal_buffer_open(&out, pool, most + 1, MORTAL_BUFFER_LAZY), -ENOBUFS);
    if (most > 100ull << 30) /* far more than any memory here */
        CHECK_ERR(mortal_buffer_open(&out, pool, most / 2, 0), -ENOMEM);
    CHECK_EQ(out.place, 5);
    CHECK_EQ(stats_of(pool).buffers, 1);
}

static void all_numbers(mortal_pool *pool)
{
    static mortal_buffer buffers[4096];
    mortal_buffer        more;
    uint32_t             have = stats_of(pool).buffers;
    for (uint32_t i = 0; i < 4096 - have; i++)
        CHECK_OK(mortal_buffer_open(&buffers[i], pool, 1 + i % 3 * 5000, MORTAL_BUFFER_LAZY | (i % 2 ? MORTAL_BUFFER_GIVEN : 0)));
    CHECK_ERR(mortal_buffer_open(&more, pool, 1, 0), -ENOBUFS);
    for (uint32_t i = 0; i < 4096 - have; i += 2)
        CHECK_OK(mortal_buffer_close(buffers[i]));
    CHECK_ERR(mortal_buffer_view(buffers[0], NULL, NULL), -ESTALE);
    for (uint32_t i = 0; i < 4096 - have; i += 2)
        CHECK_OK(mortal_buffer_open(&buffers[i], pool, 1, MORTAL_BUFFER_LAZY));
    for (uint32_t i = 0; i < 4096 - have; i++)
        CHECK_OK(mortal_buffer_close(buffers[i]));
}

void test(void)
{
    mortal_pool  *pool = pool_with(1), *other = pool_with(1);
    mortal_buffer good;
    CHECK_OK(mortal_buffer_open(&good, pool, 100, 0));
    values(pool, other, good);
    sizes(pool);
    all_numbers(pool);
    end(other);
    end(pool);
    CHECK_ERR(mortal_buffer_view(good, NULL, NULL), -ESTALE);

    mortal_pool_options small = {.workers = 1, .buffers_bytes = 1 << 20};
    pool = pool_like(small);
    mortal_buffer half, rest;
    CHECK_OK(mortal_buffer_open(&half, pool, 1 << 19, 0));
    CHECK_ERR(mortal_buffer_open(&rest, pool, (1 << 19) + 1, 0), -ENOBUFS);
    CHECK_OK(mortal_buffer_open(&rest, pool, 1 << 19, 0));
    CHECK_OK(mortal_buffer_close(half));
    CHECK_OK(mortal_buffer_open(&half, pool, 1 << 19, 0));
    end(pool);
}
