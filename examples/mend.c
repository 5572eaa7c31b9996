/*
 * mend.c - when every host dies of the same cause: stop, say why, and go on once it is mended
 *
 * Twenty tasks need a file that is damaged: whoever reads it crashes. After three deaths within a minute nothing more
 * is started. The program puts the file right and mends the pool; no task is lost.
 */
#include <mortal.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 20, DEATHS = 3, ATTEMPTS = 10 };

static char path[] = "/tmp/mend-XXXXXX";

static void check(int error) {
    if (error) {
        fprintf(stderr, "mend: %s\n", mortal_why()[0] ? mortal_why() : strerror(-error));
        unlink(path);
        exit(1);
    }
}

static void write_file(const char *text) {
    FILE *file = fopen(path, "w");
    check(file == NULL || fputs(text, file) < 0 || fclose(file) != 0 ? -errno : 0);
}

/* A careless reader of a file that should be good. */
static int add(mortal_task *task, const void *input, size_t input_bytes) {
    int summand = 0, number = *(const int *)input;
    (void)input_bytes;
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%d", &summand) != 1) {
        abort();
    }
    fclose(file);
    number += summand;
    return mortal_task_reply(task, &number, sizeof number);
}

int main(void) {
    mortal_pool *pool;
    mortal_task_options again = {.size = sizeof again, .attempts = ATTEMPTS};
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .deaths = DEATHS,
                                   .deaths_period_ns = 60000000000, .task = &again};
    mortal_future futures[TASKS];
    mortal_stats stats;
    int fd = mkstemp(path), started = 0, good = 0, error;
    check(fd < 0 || close(fd) < 0 ? -errno : 0);
    write_file("rubbish");
    check(mortal_pool_open(&pool, &options));

    while (started < TASKS) {
        error = mortal_pool_submit(pool, add, &started, sizeof started, NULL, &futures[started]);
        if (error == -EHOSTDOWN) {
            break; /* so soon? */
        }
        check(error);
        started++;
    }
    error = mortal_future_wait(futures[0], MORTAL_FOREVER, NULL);
    printf("Waiting ends with %s.\n", error == -EHOSTDOWN ? "EHOSTDOWN" : "something else");
    printf("%s\n", mortal_why());
    check(mortal_pool_stats(pool, &stats));
    printf("%d tasks: %d crashed for good, the others wait.\n", started,
           (int)(stats.ended[MORTAL_CRASHED] + stats.ended[MORTAL_QUARANTINED]));

    write_file("100");
    check(mortal_pool_mend(pool));
    for (; started < TASKS; started++) {
        check(mortal_pool_submit(pool, add, &started, sizeof started, NULL, &futures[started]));
    }
    for (int i = 0; i < TASKS; i++) {
        mortal_verdict verdict;
        check(mortal_future_wait(futures[i], MORTAL_FOREVER, &verdict));
        good += verdict.outcome == MORTAL_DONE && *(const int *)verdict.result == i + 100;
    }
    printf("Mended: %d of %d done.\n", good, TASKS);
    unlink(path);
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0 || good != TASKS;
}
