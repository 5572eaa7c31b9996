/*
 * No more descriptors than allowed can be opened by a task, which is told so by the call; and no file grows beyond what
 * is allowed: that ends the task, with its signal. Results, whatever their size, are no files.
 * Broken by: limits that are set before the host has what it needs, or in the owner.
 */
#include "tasks.h"

enum { FILES = 20, FILE_BYTES = 65536, MIB = 1 << 20 };

static int open_many(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    uint32_t opened = 0;
    int fds[2 * FILES], error = 0;
    while (opened < COUNT(fds) && (fds[opened] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        opened++;
    if (opened < COUNT(fds))
        error = errno;
    for (uint32_t i = 0; i < opened; i++)
        close(fds[i]);
    CHECK_OK(mortal_task_reply(task, &opened, sizeof opened));
    return error;
}

static int write_much(mortal_task *task, const void *input, size_t input_bytes)
{
    static char bytes[FILE_BYTES / 4];
    uint32_t times;
    (void)task;
    memcpy(&times, input, input_bytes);
    int fd = open("grows", O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return 1;
    unlink("grows");
    for (uint32_t i = 0; i < times; i++)
        if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
            return errno;
    close(fd);
    return 0;
}

static int answer_much(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    void *result = mortal_task_result(task, 4 * MIB);
    if (!result)
        return 1;
    memset(result, 7, 4 * MIB);
    return 0;
}

static mortal_verdict write_times(mortal_pool *pool, uint32_t times)
{
    return wait_for(submit(pool, write_much, &times, sizeof times));
}

void test(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .files = FILES, .file_bytes = FILE_BYTES});
    CHECK((stats_of(pool).caps & MORTAL_CAPS_FILES_REFUSED) != 0);
    mortal_verdict verdict = wait_for(submit(pool, open_many, NULL, 0));
    uint32_t opened;
    CHECK_EQ(verdict.status, EMFILE);
    CHECK_EQ(verdict.result_bytes, sizeof opened);
    memcpy(&opened, verdict.result, sizeof opened);
    CHECK(opened <= FILES - 3 && opened >= FILES - 6);
    CHECK_EQ(write_times(pool, 4).outcome, MORTAL_DONE);
    verdict = write_times(pool, 5);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_SIGNAL);
    CHECK_EQ(verdict.signal, SIGXFSZ);
    CHECK_EQ(verdict.culprit, 1);
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(outcome_and_release(submit(pool, answer_much, NULL, 0)), MORTAL_DONE);
    check_pool_works(pool);
    drain(pool);

    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* as in a program that would rather have an error */
    pool = pool_like((mortal_pool_options){.workers = 1, .file_bytes = FILE_BYTES});
    CHECK_EQ(write_times(pool, 5).status, EFBIG);
    drain(pool);
    CHECK(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
}
