/*
 * A task may close every descriptor of its host and open files at those numbers: tasks go on, kills and crashes are
 * noticed, and nobody writes into its files.
 * Broken by: a host that needs a descriptor to live, to be killed or to tell of its end.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <sys/stat.h>

enum { FILES = 40 };

static int files[FILES]; /* in the host */

static int close_and_open(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    close_range(0, ~0U, 0);
    for (unsigned i = 0; i < FILES; i++)
        if ((files[i] = memfd_create("mine", 0)) != (int)i)
            return 1;
    return 0;
}

static int check_files(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    struct stat file;
    for (unsigned i = 0; i < FILES; i++)
        if (files[i] != (int)i || fstat(files[i], &file) || file.st_size != 0)
            return 1;
    return 0;
}

static void spoil(mortal_pool *pool)
{
    mortal_verdict verdict = wait_for(submit(pool, close_and_open, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    for (unsigned i = 0; i < 100; i++)
        check_pool_works(pool);
    verdict = wait_for(submit(pool, check_files, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(1);
    spoil(pool);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    spoil(pool);
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(endless), MORTAL_KILLED);
    spoil(pool);
    drain(pool);
}
