/*
 * Parts that a task emits are there while it runs, in their order and byte for byte, whichever of the two is faster
 * and however often their ring wraps; those left at its end can be taken after its verdict, which has its result
 * beside them.
 * Broken by: a part that is split wrongly at the ring's end, a sleeper of either side that is not woken, an end that
 * takes parts with it.
 */
#include "parts.h"

#include <pthread.h>

enum { MANY = 20000, MANY_LONG = 400000, FEW = 12 };

struct plan {
    uint32_t seed, count;
    size_t most;
    struct gate *gate; /* passed before the last one; null: none */
};

static int emit_all(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct plan plan = *(const struct plan *)input;
    for (uint32_t i = 0; i < plan.count; i++) {
        if (i + 1 == plan.count && plan.gate)
            gate_pass(plan.gate);
        int error = emit_part(task, plan.seed, i, plan.most, MORTAL_FOREVER);
        if (error)
            return error;
    }
    return mortal_task_reply(task, &plan.count, sizeof plan.count);
}

static void check_end(mortal_future future, uint32_t count)
{
    mortal_part part = {.number = 77};
    CHECK_ERR(mortal_future_next(future, LIMIT, &part), -ENOENT);
    CHECK_EQ(part.number, 77);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, sizeof count);
    CHECK_EQ(*(const uint32_t *)verdict.result, count);
    CHECK_ERR(mortal_future_next(future, 0, &part), -ENOENT);
    CHECK_OK(mortal_future_release(future));
    CHECK_ERR(mortal_future_next(future, 0, &part), -ESTALE);
}

static void check_part(mortal_future future, const struct plan *plan, uint32_t number, void *tag)
{
    mortal_part part = part_of(future);
    part_check(&part, plan->seed, number, plan->most);
    CHECK_EQ(part.number, number);
    CHECK_EQ(part.attempt, 1);
    CHECK(part.tag == tag);
    CHECK(part.future.place == future.place && part.future.life == future.life);
}

static void as_they_come(mortal_pool *pool, size_t most)
{
    struct plan plan = {.seed = 3, .count = TEST_LONG ? MANY_LONG : MANY, .most = most};
    mortal_future future = submit_like(pool, emit_all, &plan, sizeof plan, (mortal_task_options){.tag = &plan});
    for (uint32_t i = 0; i < plan.count; i++)
        check_part(future, &plan, i, &plan);
    check_end(future, plan.count);
}

/* The task is held after some, which are there meanwhile; and after its verdict the last one is. */
static void before_and_after_the_end(mortal_pool *pool, struct gate *gate)
{
    struct plan plan = {.seed = 5, .count = FEW, .most = 300, .gate = gate};
    mortal_future future = submit(pool, emit_all, &plan, sizeof plan);
    mortal_part part;
    for (uint32_t i = 0; i + 1 < FEW; i++)
        check_part(future, &plan, i, NULL);
    word_await(&gate->arrived, 1);
    CHECK_ERR(mortal_future_next(future, 0, &part), -ETIMEDOUT);
    CHECK_ERR(mortal_future_next(future, MS(1), &part), -ETIMEDOUT);
    CHECK_EQ(look_at(future).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    check_part(future, &plan, FEW - 1, NULL);
    check_end(future, FEW);
}

/* Nobody takes any until the end: as many as there is room for are kept, also when their memory is wanted. */
static void all_after_the_end(mortal_pool *pool)
{
    enum { TASKS = 20 };
    struct plan plans[TASKS];
    mortal_future futures[TASKS];
    for (uint32_t i = 0; i < TASKS; i++) {
        plans[i] = (struct plan){.seed = i, .count = FEW, .most = 300};
        futures[i] = submit(pool, emit_all, &plans[i], sizeof plans[i]);
    }
    for (uint32_t i = 0; i < TASKS; i++)
        CHECK_EQ(outcome_of(futures[i]), MORTAL_DONE);
    for (uint32_t i = 0; i < TASKS; i++) {
        for (uint32_t number = 0; number < FEW; number++)
            check_part(futures[i], &plans[i], number, NULL);
        check_end(futures[i], FEW);
    }
}

struct taker {
    mortal_future future;
    word *seen; /* by number */
    pthread_t thread;
};

static void *take(void *argument)
{
    struct taker *taker = argument;
    mortal_part part;
    int error;
    while ((error = mortal_future_next(taker->future, LIMIT, &part)) == 0)
        atomic_fetch_add(&taker->seen[part.number], 1);
    CHECK_ERR(error, -ENOENT);
    return NULL;
}

/* Each part goes to one of them, and each hears of the end. */
static void several_take(mortal_pool *pool)
{
    enum { TAKERS = 3, PARTS = 3000 };
    static word seen[PARTS];
    struct plan plan = {.seed = 8, .count = PARTS, .most = 40};
    struct taker takers[TAKERS];
    mortal_future future = submit(pool, emit_all, &plan, sizeof plan);
    for (unsigned i = 0; i < TAKERS; i++) {
        takers[i] = (struct taker){.future = future, .seen = seen};
        CHECK_EQ(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
    }
    for (unsigned i = 0; i < TAKERS; i++)
        pthread_join(takers[i].thread, NULL);
    for (unsigned i = 0; i < PARTS; i++)
        CHECK_EQ(seen[i], 1);
    check_end(future, PARTS);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .stream_bytes = 5000});
    CHECK_EQ(stats_of(pool).stream_bytes, 8192);
    as_they_come(pool, 0);
    as_they_come(pool, 100);
    as_they_come(pool, 8192 - 16);
    before_and_after_the_end(pool, gate);
    all_after_the_end(pool);
    several_take(pool);
    drain(pool);
}
