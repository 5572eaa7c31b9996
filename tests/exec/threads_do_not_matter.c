/*
 * With MORTAL_START_EXEC a pool opens in a process with other threads, whatever locks they hold at that instant, and is
 * a pool like any other: results, crashes, kills and recovery.
 *
 * Broken by: forking the supervisor from this process; waiting for a stream that another thread holds.
 */
#include "board.h"

#include <pthread.h>

static word stop;

static void *churn(void *unused)
{
    char text[64];
    while (atomic_load(&stop) == 0) {
        char *bytes = malloc(1 + (size_t)(uintptr_t)&text % 977);
        CHECK(bytes != NULL);
        bytes[0] = 'x';
        FILE *file = fmemopen(text, sizeof text, "w");
        CHECK(file != NULL);
        fprintf(file, "%p", (void *)bytes);
        fclose(file);
        free(bytes);
    }
    return unused;
}

static void *hold_stream(void *stream)
{
    flockfile(stream);
    word_await(&stop, 1);
    funlockfile(stream);
    return NULL;
}

static void use(mortal_pool *pool)
{
    char text[128];
    check_pool_works(pool);
    mortal_verdict verdict = run_one(pool, task_crash, NULL, 0);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGABRT);
    mortal_verdict_text(&verdict, text, sizeof text);
    mortal_future future;
    CHECK_OK(mortal_pool_submit(pool, task_for_ever, NULL, 0, NULL, &future));
    CHECK_OK(mortal_future_kill(future, 0, LIMIT, &verdict));
    CHECK(verdict.outcome == MORTAL_KILLED || verdict.outcome == MORTAL_CANCELLED);
    check_pool_works(pool);
}

void test(void)
{
    enum { THREADS = 4, POOLS = 8 };
    pthread_t threads[THREADS], holder;
    FILE *stream = tmpfile();
    CHECK(stream != NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, churn, NULL), 0);
    CHECK_EQ(pthread_create(&holder, NULL, hold_stream, stream), 0);
    for (int i = 0; i < POOLS; i++) {
        mortal_pool_options options = {.workers = 2, .workers_per_host = i % 2 == 0 ? 1 : 2};
        mortal_pool *pool = exec_pool(&options);
        use(pool);
        if (i % 2 == 0)
            drain(pool);
        else
            end(pool);
    }
    word_set(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(pthread_join(holder, NULL), 0);
    fclose(stream);
}
