/*
 * Programs that do not do what MORTAL_START_EXEC asks of them; WAY says how. main writes a line, then opens a pool, and
 * says on standard output what came of it.
 */
#include <mortal.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NO_ENTRY 1
#define LATE_ENTRY 2
#define LEAVES_BEFORE 3
#define HANGS_BEFORE 4
#define THREAD_BEFORE 5
#define POOL_BEFORE 6
#define SLOW_BEFORE 7
#define CLOSES_BEFORE 8

static int early = 1; /* what a pool opened by a constructor came to */

static int tell_early(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_reply(task, &early, sizeof early);
}

#if WAY == THREAD_BEFORE
static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}
#endif

/* In the first image the test says so by an argument; a new image has none. */
__attribute__((constructor)) static void before_main(int argc, char **argv)
{
    (void)argc, (void)argv;
#if WAY == LEAVES_BEFORE
    if (argc < 2)
        _exit(0);
#elif WAY == HANGS_BEFORE
    if (argc < 2)
        for (;;)
            pause();
#elif WAY == THREAD_BEFORE
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        abort();
#elif WAY == POOL_BEFORE
    mortal_pool *pool;
    mortal_pool_options options = {.size = sizeof options, .workers = 1};
    early = mortal_pool_open(&pool, &options);
    if (early == 0)
        mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
#elif WAY == SLOW_BEFORE
    struct timespec while_long = {.tv_nsec = 300000000};
    nanosleep(&while_long, NULL);
#elif WAY == CLOSES_BEFORE
    if (argc < 2)
        for (int fd = 3; fd < 64; fd++)
            close(fd);
#endif
}

int main(int argc, char **argv)
{
    (void)argv;
#if WAY != NO_ENTRY && WAY != LATE_ENTRY
    mortal_host_main();
#endif
    if (write(1, "main\n", 5) != 5)
        return 2;
#if WAY == LATE_ENTRY
    if (argc < 2) /* it never comes there in a new image, which is told apart by its arguments only */
        return 0;
    mortal_host_main();
#endif
    (void)argc;
    mortal_pool *pool;
    mortal_pool_options options = {.size = sizeof options, .start = MORTAL_START_EXEC, .workers = 1,
                                   .start_ns = 1500000000};
    int error = mortal_pool_open(&pool, &options);
    dprintf(1, "%d %s\n", error, error == 0 ? "" : mortal_why());
    if (error != 0)
        return 0;
    mortal_future future;
    mortal_verdict verdict;
    int answer = 0;
    if (mortal_pool_submit(pool, tell_early, NULL, 0, NULL, &future) != 0 ||
        mortal_future_wait(future, MORTAL_FOREVER, &verdict) != 0 || verdict.outcome != MORTAL_DONE)
        return 3;
    memcpy(&answer, verdict.result, sizeof answer);
    dprintf(1, "in a host: %d\n", answer);
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) == 0 ? 0 : 4;
}
