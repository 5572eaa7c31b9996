/*
 * hello.c - the shortest program: a task that answers, and one that never returns
 */
#include <mortal.h>
#include <stdio.h>

static int greet(mortal_task *task, const void *name, size_t bytes) {
    char text[64];
    int length = snprintf(text, sizeof text, "Hello, %.*s!", (int)bytes, (const char *)name);
    return mortal_task_reply(task, text, (size_t)length);
}

static int hang(mortal_task *task, const void *input, size_t bytes) {
    (void)task, (void)input, (void)bytes;
    while (true) {} /* no flag, no signal, no good will ends this */
    return 0;
}

int main(void) {
    mortal_pool *pool;
    mortal_future good, bad;
    mortal_verdict verdict;
    mortal_task_options half_a_second = {.size = sizeof half_a_second, .deadline_ns = 500000000};
    if (mortal_pool_open(&pool, NULL) || mortal_pool_submit(pool, greet, "world", 5, NULL, &good) ||
        mortal_pool_submit(pool, hang, NULL, 0, &half_a_second, &bad)) {
        return fprintf(stderr, "hello: %s\n", mortal_why()), 1;
    }
    mortal_future_wait(good, MORTAL_FOREVER, &verdict);
    printf("%.*s\n", (int)verdict.result_bytes, (const char *)verdict.result);
    mortal_future_wait(bad, MORTAL_FOREVER, &verdict); /* no future waits for ever */
    printf("The other one: %s.\n", mortal_outcome_name(verdict.outcome));
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0;
}
