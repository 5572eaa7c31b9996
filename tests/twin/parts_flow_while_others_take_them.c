/*
 * Workers and takers in one process, for ThreadSanitizer: parts of every size through a ring that is often full and
 * often empty, one taker for each task, or two; every byte is read after it was written, and no room is used before it
 * was read. Both sleep, and nobody looks around: a wake-up that is lost hangs the test.
 * Broken by: an order of loads or stores between two processes; a bell that is rung before there is something to hear.
 */
#include "twin.h"

#include "parts.h"

enum { WORKERS = 3, TASKS = 12, TASKS_LONG = 200, PARTS = 300, MOST = 700 };

static int emit_all(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    uint32_t seed = *(const uint32_t *)input;
    for (uint32_t i = 0; i < PARTS; i++)
        CHECK_OK(emit_part(task, seed, i, seed % 3 ? MOST : 8, MORTAL_FOREVER));
    return 0;
}

struct taker {
    mortal_future future;
    uint32_t seed;
    pthread_t thread;
};

static void *take_all(void *argument)
{
    const struct taker *taker = argument;
    mortal_part part;
    int error;
    for (uint32_t i = 0; (error = mortal_future_next(taker->future, MORTAL_FOREVER, &part)) == 0; i++) {
        CHECK_EQ(part.number, i);
        part_check(&part, taker->seed, i, taker->seed % 3 ? MOST : 8);
    }
    CHECK_ERR(error, -ENOENT);
    return NULL;
}

static void *count_some(void *argument)
{
    mortal_part part;
    while (mortal_future_next(((const struct taker *)argument)->future, MORTAL_FOREVER, &part) == 0)
        CHECK(part.number < PARTS);
    return NULL;
}

void test(void)
{
    mortal_pool *pool = twin_open(WORKERS, WORKERS, (mortal_pool_options){.stream_bytes = 4096});
    for (uint32_t seed = 0; seed < (TEST_LONG ? TASKS_LONG : TASKS); seed += WORKERS) {
        struct taker takers[WORKERS + 1];
        for (uint32_t i = 0; i < WORKERS; i++)
            takers[i] = (struct taker){.future = submit(pool, emit_all, &(uint32_t){seed + i}, 4), .seed = seed + i};
        takers[WORKERS] = takers[WORKERS - 1]; /* two of one */
        for (uint32_t i = 0; i <= WORKERS; i++)
            CHECK_EQ(pthread_create(&takers[i].thread, NULL, i + 1 < WORKERS ? take_all : count_some, &takers[i]), 0);
        for (uint32_t i = 0; i <= WORKERS; i++)
            pthread_join(takers[i].thread, NULL);
        for (uint32_t i = 0; i < WORKERS; i++)
            CHECK_OK(mortal_future_release(takers[i].future));
    }
    twin_close(pool);
}
