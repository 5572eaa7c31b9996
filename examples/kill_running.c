/*
 * kill_running.c - the well-known recipe: a thread pool hosted in a child process, killed while it runs
 *
 * Two workers in one child take ten tasks of a second each; after three seconds the child is killed and with it all
 * that runs. Each line comes from where the recipe has it: "Main ..." from this process, the rest from the child.
 *
 * Two things in the recipe are up to luck and would make its transcript differ from run to run. Here they are not:
 *   - the third round of tasks would end in the very instant of the kill. So a task takes a hair over a second, and the
 *     rounds end after 1.2, 2.4 and 3.6 seconds
 *   - both tasks of a round would end in the same instant, in any order. So the second worker gets its first task a
 *     quarter of a second after the first one
 *
 * carry_on.c, beside this file, goes on where the recipe ends.
 */
#include <mortal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MILLISECOND 1000000ull

enum { TASKS = 10, WORKERS = 2, TASK_MS = 1200, STAGGER_MS = 250, MOMENT_MS = 3000 };

static void sleep_ms(unsigned ms) {
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void check(int error) {
    if (error) {
        fprintf(stderr, "kill_running: %s\n", mortal_why()[0] ? mortal_why() : strerror(-error));
        exit(1);
    }
}

/* Runs in the child. What a task prints is flushed when it ends. */
static int say_started(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    printf("TPE Runner has started.\n");
    return 0;
}

static int work(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input_bytes;
    sleep_ms(TASK_MS);
    printf("Task %d done.\n", *(const int *)input);
    return 0;
}

int main(void) {
    mortal_pool *pool;
    mortal_pool_options options = {.size = sizeof options, .workers = WORKERS, .workers_per_host = WORKERS};
    check(mortal_pool_open(&pool, &options));

    printf("Main thread is waiting a moment...\n");
    fflush(stdout);
    /* The child speaks now and not before: its greeting is a task, too. The moment is counted from there. */
    mortal_future started;
    check(mortal_pool_submit(pool, say_started, NULL, 0, NULL, &started));
    check(mortal_future_wait(started, MORTAL_FOREVER, NULL));
    for (int number = 0; number < TASKS; number++) {
        check(mortal_pool_submit(pool, work, &number, sizeof number, NULL, NULL));
        if (number < WORKERS - 1) {
            sleep_ms(STAGGER_MS);
        }
    }
    sleep_ms(MOMENT_MS - (WORKERS - 1) * STAGGER_MS);

    printf("Main is terminating the tpe...\n");
    fflush(stdout);
    check(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
    printf("Main is done.\n");
    return mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL) != 0;
}
