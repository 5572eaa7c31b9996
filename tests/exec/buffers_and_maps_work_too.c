/*
 * In a pool that starts by exec buffers of both kinds are the same memory in program and tasks, also those made after the
 * hosts, and a map calls its function for each item, in place where items and results lie in buffers; and so does an open one.
 *
 * Broken by: a window that the new image does not map, or an item's function that travels as an address of the owner.
 */
#include "board.h"

#define ITEMS 10000u

struct job {
    mortal_buffer from, to;
};

static int copy(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct job *job = input;
    void *from, *to;
    size_t from_bytes, to_bytes;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, job->from, &from, &from_bytes));
    CHECK_OK(mortal_task_buffer(task, job->to, &to, &to_bytes));
    CHECK_EQ(from_bytes, to_bytes);
    memcpy(to, from, from_bytes);
    return 0;
}

static int scribble(mortal_task *task, const void *input, size_t input_bytes)
{
    void *at;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &at, NULL));
    *(volatile char *)at = 1;
    return 0;
}

static int square(mortal_task *task, const void *item, void *result)
{
    uint64_t n = *(const uint32_t *)item;
    (void)task;
    if (n == ITEMS / 2)
        abort();
    *(uint64_t *)result = n * n;
    return 0;
}

static void open_map(mortal_pool *pool)
{
    mortal_map_options options = {.size = sizeof options, .item_bytes = sizeof(uint32_t), .result_bytes = sizeof(uint64_t),
                                  .window = ITEMS};
    mortal_map_entry entry;
    mortal_map *map;
    CHECK_OK(mortal_map_open(&map, pool, square, &options));
    for (uint32_t i = ITEMS / 4; i < ITEMS; i++)
        CHECK_OK(mortal_map_put(map, &i, NULL, 0));
    CHECK_OK(mortal_map_end(map));
    for (uint64_t i = ITEMS / 4; i < ITEMS; i++) {
        CHECK_OK(mortal_map_next(map, MORTAL_FOREVER, &entry));
        CHECK_EQ(entry.verdict.outcome, i == ITEMS / 2 ? MORTAL_CRASHED : MORTAL_DONE);
        if (i != ITEMS / 2)
            CHECK_EQ(*(const uint64_t *)entry.verdict.result, i * i);
    }
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -ENOENT);
    CHECK_OK(mortal_map_close(map));
}

void test(void)
{
    int fd = board_open();
    mortal_pool *pool = exec_pool_with_board(&fd);

    struct job job;
    void *from, *to;
    CHECK_OK(mortal_buffer_open(&job.from, pool, ITEMS * sizeof(uint32_t), MORTAL_BUFFER_GIVEN));
    CHECK_OK(mortal_buffer_open(&job.to, pool, ITEMS * sizeof(uint32_t), 0));
    CHECK_OK(mortal_buffer_view(job.from, &from, NULL));
    CHECK_OK(mortal_buffer_view(job.to, &to, NULL));
    for (uint32_t i = 0; i < ITEMS; i++)
        ((uint32_t *)from)[i] = i;
    CHECK_EQ(run_one(pool, copy, &job, sizeof job).outcome, MORTAL_DONE);
    CHECK(memcmp(from, to, ITEMS * sizeof(uint32_t)) == 0);
    CHECK_EQ(run_one(pool, scribble, &job.from, sizeof job.from).outcome, MORTAL_CRASHED);

    static uint64_t results[ITEMS];
    static uint8_t outcomes[ITEMS];
    size_t done = 0;
    CHECK_OK(mortal_pool_map(pool, square, from, sizeof(uint32_t), results, sizeof *results, ITEMS, NULL, outcomes, &done));
    CHECK_EQ(done, ITEMS - 1);
    for (uint64_t i = 0; i < ITEMS; i++) {
        CHECK_EQ(outcomes[i], i == ITEMS / 2 ? MORTAL_CRASHED : MORTAL_DONE);
        if (i != ITEMS / 2)
            CHECK_EQ(results[i], i * i);
    }
    open_map(pool);
    drain(pool);
    board_close(fd);
}
