/*
 * Several threads take the results of the same tasks, while they wait, run and end: each result goes to one of them,
 * whole, and the others are told that it is over.
 * Broken by: a release that is not under the same lock as the copy, a wait that takes the next task's verdict.
 */
#include "twin.h"

enum { TAKERS = 3, TASKS = 64, LARGEST = 5000 };

static mortal_future futures[TASKS];
static word round_number, home;
static word taken[TASKS];
static uint32_t rounds;

static int reply_number(mortal_task *task, const void *input, size_t input_bytes)
{
    uint32_t number;
    CHECK_EQ(input_bytes, sizeof number);
    memcpy(&number, input, sizeof number);
    uint32_t *result = mortal_task_result(task, (1 + number % (LARGEST / 4)) * sizeof *result);
    for (uint32_t i = 0; i <= number % (LARGEST / 4); i++)
        result[i] = number + i;
    return 0;
}

static void check_result(const mortal_verdict *verdict, uint32_t number)
{
    const uint32_t *result = verdict->result;
    CHECK_EQ(verdict->outcome, MORTAL_DONE);
    CHECK_EQ(verdict->result_bytes, (1 + number % (LARGEST / 4)) * sizeof *result);
    for (uint32_t i = 0; i <= number % (LARGEST / 4); i++)
        CHECK_EQ(result[i], number + i);
}

static void *take_all(void *argument)
{
    static _Thread_local uint32_t room[LARGEST / 4];
    uint32_t from = *(const uint32_t *)argument * TASKS / TAKERS;
    for (uint32_t round = 1; round <= rounds; round++) {
        word_await(&round_number, round);
        for (uint32_t i = 0; i < TASKS; i++) {
            uint32_t at = (from + i) % TASKS;
            mortal_verdict verdict;
            int error = mortal_future_take(futures[at], MORTAL_FOREVER, &verdict, room, sizeof room);
            CHECK(error == 0 || error == -ESTALE);
            if (error != 0)
                continue;
            check_result(&verdict, round * 1000 + at);
            atomic_fetch_add(&taken[at], 1);
        }
        word_add(&home, 1);
    }
    return NULL;
}

void test(void)
{
    pthread_t threads[TAKERS];
    uint32_t numbers[TAKERS];
    rounds = more_if_long(40);
    mortal_pool *pool = twin_open(2, 1, (mortal_pool_options){.held_tasks = 2 * TASKS, .results_bytes = 4 << 20});
    for (uint32_t i = 0; i < TAKERS; i++) {
        numbers[i] = i;
        threads[i] = thread_start(take_all, &numbers[i]);
    }
    for (uint32_t round = 1; round <= rounds; round++) {
        for (uint32_t i = 0; i < TASKS; i++) {
            uint32_t number = round * 1000 + i;
            futures[i] = submit(pool, reply_number, &number, sizeof number);
        }
        word_set(&round_number, round);
        word_await(&home, round * TAKERS);
        for (uint32_t i = 0; i < TASKS; i++)
            CHECK_EQ(atomic_load(&taken[i]), round);
        CHECK_EQ(stats_of(pool).held, 0);
    }
    for (uint32_t i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    twin_close(pool);
}
