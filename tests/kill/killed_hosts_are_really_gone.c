/*
 * When kill returns, the process that ran the task runs no more, however much memory or how many threads it had; and
 * it does not stay as a zombie.
 * Broken by: a kill that returns when it has sent the signal, or a host that nobody reaps.
 */
#include "tasks.h"

#include <pthread.h>
#include <sys/mman.h>

enum { THREADS = 20, BIG = 256 << 20 };

static int plain(mortal_task *task, const void *input, size_t input_bytes)
{
    return task_endless(task, input, input_bytes);
}

static int big(mortal_task *task, const void *input, size_t input_bytes)
{
    void *memory = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? 1 : task_endless(task, input, input_bytes);
}

static void *compute(void *nothing)
{
    (void)nothing;
    compute_for_ever();
}

static int threaded(mortal_task *task, const void *input, size_t input_bytes)
{
    pthread_t thread;
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, compute, NULL))
            return 1;
    return task_endless(task, input, input_bytes);
}

void test(void)
{
    static mortal_function *const kinds[] = {plain, big, threaded};
    struct gate *gates = gates_make(COUNT(kinds));
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < COUNT(kinds); i++) {
        mortal_future future = submit_at(pool, kinds[i], &gates[i]);
        word_await(&gates[i].arrived, 1);
        pid_t host = host_of(future);
        CHECK(state_of_process(host) != 0);
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
        CHECK(harness_process_gone(host));
        CHECK_EQ(outcome_of(future), MORTAL_KILLED);
        POLL_UNTIL(state_of_process(host) == 0);
    }
    drain(pool);
}
