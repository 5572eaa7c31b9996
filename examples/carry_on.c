/*
 * carry_on.c - after the kill: what finished is known and kept, what waits goes on, what was cut can be run again
 *
 * The recipe of kill_running.c ends with its pool. Here the same pool lives on, and all ten tasks get done.
 */
#include <mortal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TASKS = 10, WORKERS = 2, TASK_MS = 240, MOMENT_MS = 600 };

static void sleep_ms(unsigned ms) {
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void check(int error) {
    if (error) {
        fprintf(stderr, "carry_on: %s\n", mortal_why()[0] ? mortal_why() : strerror(-error));
        exit(1);
    }
}

static int square(mortal_task *task, const void *input, size_t input_bytes) {
    int number = *(const int *)input;
    (void)input_bytes;
    sleep_ms(TASK_MS);
    number *= number;
    return mortal_task_reply(task, &number, sizeof number);
}

static mortal_future start(mortal_pool *pool, int number) {
    mortal_future future;
    check(mortal_pool_submit(pool, square, &number, sizeof number, NULL, &future));
    return future;
}

/* The outcome, or 0 for a task that has not ended. */
static int outcome_of(mortal_future future) {
    mortal_look look;
    check(mortal_future_look(future, &look));
    return look.outcome;
}

static void list(const char *title, const mortal_future futures[TASKS], int outcome) {
    printf("%-22s", title);
    for (int number = 0; number < TASKS; number++) {
        if (outcome_of(futures[number]) == outcome) {
            printf(" %d", number);
        }
    }
    printf("\n");
}

/* A task that was cut may have partly run. This one leaves nothing half done, so it is simply started again. */
static int start_again(mortal_pool *pool, mortal_future futures[TASKS]) {
    int count = 0;
    for (int number = 0; number < TASKS; number++) {
        if (outcome_of(futures[number]) == MORTAL_KILLED) {
            check(mortal_future_release(futures[number]));
            futures[number] = start(pool, number);
            count++;
        }
    }
    return count;
}

static int collect(mortal_future futures[TASKS]) {
    int good = 0;
    printf("The squares:");
    for (int number = 0; number < TASKS; number++) {
        mortal_verdict verdict;
        check(mortal_future_wait(futures[number], MORTAL_FOREVER, &verdict));
        int result = verdict.outcome == MORTAL_DONE ? *(const int *)verdict.result : -1;
        printf(" %d", result);
        good += result == number * number;
        check(mortal_future_release(futures[number]));
    }
    printf("\n");
    return good;
}

int main(void) {
    mortal_pool *pool;
    mortal_pool_options options = {.size = sizeof options, .workers = WORKERS, .workers_per_host = WORKERS};
    mortal_future futures[TASKS];
    mortal_kill_report report;
    check(mortal_pool_open(&pool, &options));
    for (int number = 0; number < TASKS; number++) {
        futures[number] = start(pool, number);
    }
    sleep_ms(MOMENT_MS);

    printf("Killing what runs...\n");
    check(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report));
    printf("%u tasks and their host are certainly dead after %.2f ms.\n", report.killed, (double)report.took_ns / 1e6);
    list("Finished, results kept:", futures, MORTAL_DONE);
    list("Cut:", futures, MORTAL_KILLED);
    list("Waiting, will run:", futures, 0);

    printf("Starting the %d that were cut again.\n", start_again(pool, futures));
    int good = collect(futures);
    printf("%d of %d done.\n", good, TASKS);
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0 || good != TASKS;
}
