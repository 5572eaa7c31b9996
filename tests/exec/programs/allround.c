/*
 * A program that opens a pool by exec while it has a thread, and uses it; built in each way in which programs are.
 * Exit code 0 if all of it worked; a line on standard output each time that main runs.
 */
#include <mortal.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int table[] = {3, 4, 5};
static int *const third = &table[2]; /* an address that is another one in each image */

static int add(mortal_task *task, const void *input, size_t input_bytes)
{
    int number;
    if (input_bytes != sizeof number)
        return 9;
    memcpy(&number, input, sizeof number);
    number += *third;
    return mortal_task_reply(task, &number, sizeof number);
}

static int crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    raise(SIGABRT);
    return 0;
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static int run(mortal_pool *pool, mortal_function *function, mortal_verdict *verdict)
{
    mortal_future future;
    int number = 37;
    int error = mortal_pool_submit(pool, function, &number, sizeof number, NULL, &future);
    return error != 0 ? error : mortal_future_wait(future, 20000000000u, verdict);
}

int main(int argc, char **argv)
{
    mortal_pool *pool;
    mortal_verdict verdict;
    mortal_pool_options options = {.size = sizeof options, .start = MORTAL_START_EXEC, .workers = 1};
    pthread_t thread;
    int answer = 0;
#ifdef CALLS
    mortal_host_main();
#endif
    (void)argc, (void)argv;
    if (write(1, "main\n", 5) != 5 || pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return 2;
    int error = mortal_pool_open(&pool, &options);
    if (error != 0)
        return dprintf(1, "%s\n", mortal_why()), 3;
    for (int i = 0; i < 2; i++) {
        if (run(pool, add, &verdict) != 0 || verdict.outcome != MORTAL_DONE || verdict.result_bytes != sizeof answer)
            return 4;
        memcpy(&answer, verdict.result, sizeof answer);
        if (answer != 42)
            return 5;
        if (run(pool, crash, &verdict) != 0 || verdict.outcome != MORTAL_CRASHED || verdict.signal != SIGABRT)
            return 6;
    }
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) == 0 ? 0 : 7;
}
