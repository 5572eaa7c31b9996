/*
 * Parts that are too large, of no task, of another thread or of a clean-up are refused with words, and so is taking
 * one into nothing or from no future; a host without room for a stream says so, and its room comes back with the
 * release; sizes of streams that make no sense open no pool.
 * Broken by: a length that is believed, a ring that stays taken, a thread that writes where another does.
 */
#include "openmap.h"
#include "parts.h"

#include <pthread.h>

enum { STREAM = 4096, HELD = 8 };

static void *emit_elsewhere(void *argument)
{
    CHECK_ERR(mortal_task_emit(argument, "x", 1, 0), -EPERM);
    return NULL;
}

static int emit_nonsense(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    static const char bytes[STREAM];
    pthread_t thread;
    CHECK_ERR(mortal_task_emit(NULL, "x", 1, 0), -EINVAL);
    CHECK_ERR(mortal_task_emit(task, NULL, 1, 0), -EINVAL);
    CHECK_ERR(mortal_task_emit(task, bytes, STREAM - 15, MORTAL_FOREVER), -EMSGSIZE);
    CHECK_ERR(mortal_task_emit(task, bytes, SIZE_MAX, MORTAL_FOREVER), -EMSGSIZE);
    CHECK(strstr(mortal_why(), "4080") != NULL);
    CHECK_EQ(pthread_create(&thread, NULL, emit_elsewhere, task), 0);
    pthread_join(thread, NULL);
    mortal_part part;
    CHECK_ERR(mortal_future_next(*(const mortal_future *)input, 0, &part), -EPERM);
    CHECK_OK(mortal_task_emit(task, bytes, STREAM - 16, 0));
    CHECK_ERR(mortal_task_emit(task, NULL, 0, 0), -EAGAIN);
    return 0;
}

static int emit_in_a_map(mortal_task *task, const void *item, void *result)
{
    (void)item, (void)result;
    return mortal_task_emit(task, "x", 1, MORTAL_FOREVER) == -EPIPE ? 0 : 1;
}

/* And its reply goes nowhere. */
static int reply_in_a_map(mortal_task *task, const void *item, void *result)
{
    *(uint64_t *)result = 5;
    CHECK_OK(mortal_task_reply(task, "a reply", 8));
    return emit_in_a_map(task, item, result);
}

static int emit_in_a_clean_up(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return -mortal_task_emit(task, "x", 1, 0);
}

static int leave_and_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    CHECK_OK(mortal_task_emit(task, "before", 6, 0));
    CHECK_OK(mortal_task_on_death(task, emit_in_a_clean_up, NULL, 0));
    abort();
}

static void check_nonsense(mortal_pool *pool)
{
    mortal_part part;
    mortal_future none = {0, 0}, made_up = {.place = 5ull << 32, .life = 9};
    CHECK_ERR(mortal_future_next(none, 0, &part), -EINVAL);
    CHECK(mortal_future_next(made_up, 0, &part) < 0);
    mortal_future other = submit(pool, task_nothing, NULL, 0);
    CHECK_ERR(mortal_future_next(other, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_future_next(other, LIMIT, &part), -ENOENT);
    mortal_future future = submit(pool, emit_nonsense, &other, sizeof other);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    CHECK_EQ(part_of(future).bytes, STREAM - 16);
    CHECK_ERR(mortal_future_next(future, LIMIT, &part), -ENOENT);
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    future = submit(pool, leave_and_crash, NULL, 0);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_FAILED);
    CHECK_EQ(part_of(future).bytes, 6);
    CHECK_ERR(mortal_future_next(future, LIMIT, &part), -ENOENT);
    CHECK_OK(mortal_future_release(future));
    CHECK_OK(mortal_future_release(other));
}

static int emit_once(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_emit(task, "once", 4, 0);
}

/* Of results_bytes that hold two rings; each is free again when its parts were taken, or its future is released. */
static void check_room(mortal_pool *pool, bool takes)
{
    mortal_future futures[HELD];
    unsigned fit = 0;
    for (unsigned i = 0; i < HELD; i++) {
        futures[i] = submit(pool, emit_once, NULL, 0);
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK(verdict.status == 0 || verdict.status == -ENOMEM);
        fit += verdict.status == 0;
        if (takes)
            CHECK_EQ(part_of(futures[i]).bytes, 4);
    }
    CHECK_EQ(fit, takes ? HELD : 2);
    for (unsigned i = 0; i < HELD; i++)
        CHECK_OK(mortal_future_release(futures[i]));
}

static void check_options(void)
{
    static const size_t bad[] = {1, 4095, (1ull << 30) + 1, SIZE_MAX, 1 << 20};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        mortal_pool *pool;
        mortal_pool_options options = {.size = sizeof options, .workers = 1, .results_bytes = 1 << 16, .stream_bytes = bad[i]};
        CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
        CHECK(strstr(mortal_why(), "stream_bytes") != NULL);
    }
}

void test(void)
{
    check_options();
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .results_bytes = 2 * STREAM, .stream_bytes = STREAM});
    check_nonsense(pool);
    for (int i = 0; i < 3; i++) {
        check_room(pool, false);
        check_room(pool, true);
    }
    uint8_t items[3] = {0}, outcomes[3] = {0};
    size_t done = 0;
    CHECK_OK(mortal_pool_map(pool, emit_in_a_map, items, 1, NULL, 0, COUNT(items), NULL, outcomes, &done));
    CHECK_EQ(done, COUNT(items));
    uint64_t results[3] = {0};
    for (unsigned i = 0; i < COUNT(items); i++) {
        CHECK_EQ(outcomes[i], MORTAL_DONE);
        outcomes[i] = 0;
    }
    CHECK_OK(mortal_pool_map(pool, reply_in_a_map, items, 1, results, sizeof *results, COUNT(items), NULL, outcomes, &done));
    mortal_map *map = map_like(pool, reply_in_a_map, (mortal_map_options){.result_bytes = sizeof *results});
    for (unsigned i = 0; i < COUNT(items); i++) {
        CHECK_EQ(outcomes[i], MORTAL_DONE);
        CHECK_EQ(results[i], 5);
        CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
        mortal_verdict verdict = take(map).verdict;
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, sizeof *results);
        CHECK_EQ(*(const uint64_t *)verdict.result, 5);
    }
    end_map(map);
    drain(pool);
}
