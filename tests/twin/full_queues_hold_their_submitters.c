/*
 * More threads submit than the queue, or the memory for inputs, has room for. They wait, in turn go on, and every task is
 * run once; who may not wait is told so and tries again.
 * Broken by: a worker that looks for waiting submitters before its claim is visible, a last look before the sleep that
 * comes before the wish is.
 */
#include "twin.h"

enum { SUBMITTERS = 4, LARGEST = 1500 };

static mortal_pool *pool;
static word runs, refusals;
static uint32_t tasks_each;

static int count_bytes(mortal_task *task, const void *input, size_t input_bytes)
{
    const uint8_t *bytes = input;
    (void)task;
    for (size_t i = 0; i < input_bytes; i++)
        CHECK_EQ(bytes[i], (uint8_t)input_bytes);
    atomic_fetch_add(&runs, 1);
    return 0;
}

static void *submit_all(void *argument)
{
    uint64_t dice = *(const uint32_t *)argument;
    uint8_t input[LARGEST];
    for (uint32_t i = 0; i < tasks_each; i++) {
        uint32_t bytes = below(&dice, 100) < 50 ? below(&dice, 64) : below(&dice, LARGEST);
        memset(input, (int)bytes, sizeof input);
        int error = 0;
        if (below(&dice, 100) < 30) {
            while ((error = mortal_pool_try_submit(pool, count_bytes, input, bytes, NULL, NULL)) == -EAGAIN) {
                atomic_fetch_add(&refusals, 1);
                sched_yield();
            }
        } else {
            error = mortal_pool_submit(pool, count_bytes, input, bytes, NULL, NULL);
        }
        CHECK_OK(error);
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t queue_tasks, uint32_t inputs_bytes)
{
    pthread_t threads[SUBMITTERS];
    uint32_t numbers[SUBMITTERS];
    pool = twin_open(workers, 1, (mortal_pool_options){.queue_tasks = queue_tasks, .inputs_bytes = inputs_bytes,
                                                       .held_tasks = queue_tasks + workers + 64});
    atomic_store(&runs, 0);
    atomic_store(&refusals, 0);
    for (uint32_t i = 0; i < SUBMITTERS; i++) {
        numbers[i] = i;
        threads[i] = thread_start(submit_all, &numbers[i]);
    }
    for (uint32_t i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    twin_close(pool);
    CHECK_EQ(atomic_load(&runs), SUBMITTERS * tasks_each);
    harness_note("queue of %u, %u bytes for inputs: refused %u times", queue_tasks, inputs_bytes, atomic_load(&refusals));
}

void test(void)
{
    tasks_each = more_if_long(500);
    check(1, 1, 1 << 20);
    check(2, 3, 1 << 20);
    check(2, 64, 4096);
    check(3, 2, 4096);
}
