/*
 * Threads submit batches of any size and single tasks into a queue that is too short for them, with inputs that make
 * some tasks of a batch go the long way, while workers fall asleep and are woken: every task runs once with its own
 * input, and each future is its own.
 * Broken by: an end of a stretch at which nobody looks for sleepers, entries that workers see before they are written,
 * a tail that goes back.
 */
#include "twin.h"

enum { SUBMITTERS = 3, LARGEST_BATCH = 90, LARGE = 200, TASKS = 1 << 14 };

static mortal_pool *pool;
static word runs[SUBMITTERS][TASKS];
static uint32_t rounds;

struct input {
    uint32_t submitter, number;
    uint8_t filling[LARGE];
};

static int note_run(mortal_task *task, const void *input, size_t input_bytes)
{
    struct input in;
    memcpy(&in, input, input_bytes < sizeof in ? input_bytes : sizeof in);
    CHECK(in.submitter < SUBMITTERS && in.number < TASKS);
    for (size_t i = offsetof(struct input, filling); i < input_bytes; i++)
        CHECK_EQ(((const uint8_t *)input)[i], (uint8_t)in.number);
    CHECK_EQ(atomic_fetch_add(&runs[in.submitter][in.number], 1), 0);
    return mortal_task_reply(task, &in.number, sizeof in.number);
}

static uint32_t submit_batch(uint32_t submitter, uint32_t number, uint64_t *dice)
{
    static _Thread_local struct input inputs[LARGEST_BATCH];
    static _Thread_local mortal_job jobs[LARGEST_BATCH];
    static _Thread_local mortal_future futures[LARGEST_BATCH];
    uint32_t count = 1 + below(dice, LARGEST_BATCH);
    size_t submitted = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t large = below(dice, 100) < 5 ? LARGE : 0;
        inputs[i].submitter = submitter;
        inputs[i].number = (number + i) % TASKS;
        memset(inputs[i].filling, (int)inputs[i].number, sizeof inputs[i].filling);
        jobs[i] = (mortal_job){note_run, &inputs[i], offsetof(struct input, filling) + large, &inputs[i]};
    }
    if (count == 1)
        CHECK_OK(mortal_pool_submit(pool, note_run, jobs[0].input, jobs[0].input_bytes, NULL, &futures[0]));
    else
        CHECK_OK(mortal_pool_submit_many(pool, jobs, count, NULL, futures, &submitted));
    CHECK(count == 1 || submitted == count);
    for (uint32_t i = 0; i < count; i++) {
        mortal_verdict verdict;
        uint32_t result = TASKS;
        CHECK_OK(mortal_future_take(futures[i], MORTAL_FOREVER, &verdict, &result, sizeof result));
        CHECK(verdict.outcome == MORTAL_DONE && verdict.tag == (count == 1 ? NULL : &inputs[i]));
        CHECK_EQ(result, inputs[i].number);
        CHECK_EQ(atomic_exchange(&runs[submitter][result], 0), 1);
    }
    return number + count;
}

static void *submit_all(void *argument)
{
    uint32_t submitter = *(const uint32_t *)argument, number = 0;
    uint64_t dice = submitter;
    for (uint32_t round = 0; round < rounds; round++) {
        number = submit_batch(submitter, number, &dice);
        if (below(&dice, 10) == 0)
            harness_sleep_ms(1); /* so that workers sleep */
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t submitters, uint32_t queue_tasks)
{
    pthread_t threads[SUBMITTERS];
    uint32_t numbers[SUBMITTERS];
    pool = twin_open(workers, 1, (mortal_pool_options){.queue_tasks = queue_tasks});
    for (uint32_t i = 0; i < submitters; i++) {
        numbers[i] = i;
        threads[i] = thread_start(submit_all, &numbers[i]);
    }
    for (uint32_t i = 0; i < submitters; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(stats_of(pool).held, 0);
    twin_close(pool);
}

void test(void)
{
    rounds = more_if_long(40);
    check(1, 1, 512);
    check(2, 1, 20);
    check(2, SUBMITTERS, 512);
    check(3, SUBMITTERS, 7);
}
