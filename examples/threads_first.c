/*
 * threads_first.c - a pool in a program that has threads already
 *
 * Hosts cannot be forked from it, since a lock that another thread holds would be held in them for ever. With
 * MORTAL_START_EXEC they come from a fresh image of the program: mortal_host_main() is where that image turns off.
 * Tasks see what constructors, preload and init made, and nothing of what the program did since.
 */
#include <mortal.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_bool over;
static int lines = 3; /* in hosts it is 3 as well, whatever main makes of it */

static void *write_log(void *unused) {
    for (unsigned line = 0; !over; line++) {
        char text[64];
        (void)snprintf(text, sizeof text, "line %u", line);
    }
    return unused;
}

static int report(mortal_task *task, const void *input, size_t bytes) {
    (void)input, (void)bytes;
    return mortal_task_reply(task, &lines, sizeof lines);
}

static int hang(mortal_task *task, const void *input, size_t bytes) {
    (void)task, (void)input, (void)bytes;
    while (true) {
    }
    return 0;
}

int main(void) {
    mortal_host_main(); /* nothing may stand before it */
    pthread_t logger;
    lines = 5;
    if (pthread_create(&logger, NULL, write_log, NULL) != 0) {
        return 1;
    }
    mortal_pool_options options = {.size = sizeof options, .start = MORTAL_START_EXEC};
    mortal_task_options half_a_second = {.size = sizeof half_a_second, .deadline_ns = 500000000};
    mortal_pool *pool;
    mortal_future good, bad;
    mortal_verdict verdict;
    if (mortal_pool_open(&pool, &options) || mortal_pool_submit(pool, report, NULL, 0, NULL, &good) ||
        mortal_pool_submit(pool, hang, NULL, 0, &half_a_second, &bad)) {
        return fprintf(stderr, "threads_first: %s\n", mortal_why()), 1;
    }
    mortal_future_wait(good, MORTAL_FOREVER, &verdict);
    printf("Here lines is %d, in a host %d.\n", lines, *(const int *)verdict.result);
    mortal_future_wait(bad, MORTAL_FOREVER, &verdict);
    printf("The other one: %s.\n", mortal_outcome_name(verdict.outcome));
    over = true;
    pthread_join(logger, NULL);
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0;
}
