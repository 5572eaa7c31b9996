/*
 * One call submits many tasks: each gets its own input, whatever its size, its own future and tag; they start in the
 * order of the array; a queue that is too short for all of them makes the call wait; and idle workers are woken for as
 * many as there are.
 * Broken by: a future or input that is the neighbour's, a batch that waits for room and has woken nobody to make any,
 * one worker woken for all.
 */
#include "tasks.h"

enum { MOST = 1000, WORKERS = 4, QUEUE = 50, LARGEST = 5000 };

static const size_t input_sizes[] = {8, 0, 8, 1, 64, 8, 8, 65, 8, LARGEST};
static unsigned char inputs[MOST][LARGEST];
static mortal_job jobs[MOST];
static mortal_future futures[MOST];
static word *order;

static int sum_up(mortal_task *task, const void *input, size_t input_bytes)
{
    const unsigned char *bytes = input;
    uint64_t sum = input_bytes;
    for (size_t i = 0; i < input_bytes; i++)
        sum = sum * 31 + bytes[i];
    return mortal_task_reply(task, &sum, sizeof sum);
}

static uint64_t sum_of(const mortal_job *job)
{
    const unsigned char *bytes = job->input;
    uint64_t sum = job->input_bytes;
    for (size_t i = 0; i < job->input_bytes; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static void make_jobs(size_t count, bool all_small)
{
    for (size_t i = 0; i < count; i++) {
        size_t bytes = all_small ? 8 : input_sizes[i % COUNT(input_sizes)];
        for (size_t k = 0; k < bytes; k++)
            inputs[i][k] = (unsigned char)(i * 13 + k * 7 + i / 256);
        jobs[i] = (mortal_job){.function = sum_up, .input = bytes != 0 ? inputs[i] : NULL, .input_bytes = bytes,
                               .tag = i % 3 != 0 ? inputs[i] : NULL};
    }
}

static void check_job(size_t i, mortal_verdict *verdict, uint64_t sum, void *common_tag)
{
    CHECK_EQ(verdict->outcome, MORTAL_DONE);
    CHECK_EQ(sum, sum_of(&jobs[i]));
    CHECK(verdict->tag == (i % 3 != 0 ? inputs[i] : common_tag));
}

static void each_comes_back(mortal_pool *pool, size_t count, bool all_small, const mortal_task_options *options)
{
    size_t submitted = 77;
    make_jobs(count, all_small);
    CHECK_OK(mortal_pool_submit_many(pool, jobs, count, options, futures, &submitted));
    CHECK_EQ(submitted, count);
    memset(inputs, 0xee, sizeof inputs); /* they were copied */
    make_jobs(count, all_small);
    for (size_t i = 0; i < count; i++) {
        mortal_verdict verdict;
        uint64_t sum = 0;
        CHECK_OK(mortal_future_take(futures[i], LIMIT, &verdict, &sum, sizeof sum));
        check_job(i, &verdict, sum, options != NULL ? options->tag : NULL);
    }
}

static void members_of_a_group(mortal_pool *pool)
{
    static char common;
    mortal_group *group = NULL;
    unsigned with_own = 0, count = 100;
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_task_options options = {.size = sizeof options, .group = group, .tag = &common};
    make_jobs(count, false);
    CHECK_OK(mortal_pool_submit_many(pool, jobs, count, &options, NULL, NULL));
    for (unsigned i = 0; i < count; i++) {
        mortal_verdict verdict;
        CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        with_own += verdict.tag != &common;
        CHECK_OK(mortal_future_release(verdict.future));
    }
    CHECK_EQ(with_own, count - (count + 2) / 3);
    CHECK_OK(mortal_group_close(group));
}

static int note_order(mortal_task *task, const void *input, size_t input_bytes)
{
    uint64_t number;
    (void)task;
    CHECK_EQ(input_bytes, sizeof number);
    memcpy(&number, input, sizeof number);
    return atomic_fetch_add(order, 1) == number ? 0 : 1;
}

static void in_the_order_of_the_array(void)
{
    static uint64_t numbers[MOST];
    mortal_pool *pool = pool_with(1);
    atomic_store(order, 0);
    for (unsigned i = 0; i < MOST; i++) {
        numbers[i] = i;
        jobs[i] = (mortal_job){.function = note_order, .input = &numbers[i], .input_bytes = sizeof numbers[i]};
    }
    CHECK_OK(mortal_pool_submit_many(pool, jobs, MOST, NULL, futures, NULL));
    for (unsigned i = 0; i < MOST; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    drain(pool);
}

/* All of them stand at the gate at once, or the test hangs. */
static void as_many_are_woken(mortal_pool *pool, struct gate *gate)
{
    for (unsigned i = 0; i < WORKERS; i++)
        jobs[i] = (mortal_job){.function = task_held, .input = &gate, .input_bytes = sizeof gate};
    CHECK_OK(mortal_pool_submit_many(pool, jobs, WORKERS, NULL, futures, NULL));
    word_await(&gate->arrived, WORKERS);
    gate_open(gate);
    for (unsigned i = 0; i < WORKERS; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
}

static void released_at_once(mortal_pool *pool)
{
    word *count = order;
    atomic_store(count, 0);
    for (unsigned i = 0; i < 3 * QUEUE; i++)
        jobs[i] = (mortal_job){.function = task_count, .input = &count, .input_bytes = sizeof count};
    CHECK_OK(mortal_pool_submit_many(pool, jobs, 3 * QUEUE, NULL, NULL, NULL));
    word_await(count, 3 * QUEUE);
}

void test(void)
{
    static const size_t counts[] = {0, 1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 100, MOST};
    static char common;
    mortal_task_options restartable = {.size = sizeof restartable, .attempts = 2, .tag = &common};
    struct gate *gates = gates_make(20);
    order = harness_shared(sizeof *order);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = WORKERS, .queue_tasks = QUEUE,
                                                        .inputs_bytes = 1 << 20});
    for (unsigned i = 0; i < COUNT(counts); i++) {
        each_comes_back(pool, counts[i], true, NULL);
        each_comes_back(pool, counts[i], false, NULL);
        each_comes_back(pool, counts[i], false, &restartable);
    }
    members_of_a_group(pool);
    for (unsigned i = 0; i < 20; i++)
        as_many_are_woken(pool, &gates[i]);
    released_at_once(pool);
    drain(pool);
    in_the_order_of_the_array();
}
