/*
 * When preload or init fails, hangs, crashes, exits, or preload leaves a thread behind, open says -ECANCELED and
 * leaves nothing.
 * Broken by: an open that waits for ever, a half-made pool, a process that stays.
 */
#include "tasks.h"

#include <pthread.h>

static int fail(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    return 3;
}

static int hang(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    compute_for_ever();
}

static int sleep_for_ever(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    while (pause())
        ;
    return 0;
}

static int crash(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    abort();
}

static int leave(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    exit(0);
}

static void *stay(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

static int start_a_thread(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    pthread_t thread;
    return pthread_create(&thread, NULL, stay, NULL);
}

static void open_is_cancelled(mortal_pool_options options, bool is_late)
{
    mortal_pool *pool = NULL;
    unsigned descriptors = entries_of("/proc/self/fd");
    options.size = sizeof options;
    options.workers = 2;
    options.start_ns = is_late ? MS(100) : LIMIT;
    CHECK_ERR(mortal_pool_open(&pool, &options), -ECANCELED);
    CHECK(pool == NULL);
    CHECK_EQ(harness_children(), 0);
    CHECK_EQ(entries_of("/proc/self/fd"), descriptors);
}

void test(void)
{
    static mortal_prepare *const broken[] = {fail, crash, leave, hang, sleep_for_ever};
    for (unsigned i = 0; i < COUNT(broken); i++) {
        bool is_late = i >= 3;
        open_is_cancelled((mortal_pool_options){.preload = broken[i]}, is_late);
        open_is_cancelled((mortal_pool_options){.init = broken[i]}, is_late);
    }
    open_is_cancelled((mortal_pool_options){.preload = start_a_thread}, false);

    mortal_pool *pool = pool_with(1);
    check_pool_works(pool);
    drain(pool);
}
