/*
 * What a task touches of a file or memfd that the program wrapped is the program's, whatever its size: it does not count
 * for the cap on its host's memory, neither read nor written. What it allocates itself does.
 * Broken by: a range that is taken for shared memory of the host's own, since no other process has touched it yet.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20, FILE_MIB = 96, CAP_MIB = 48 };

struct job {
    mortal_buffer buffer;
    bool          writes;
};

static int touch_all(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct job       *job = input;
    volatile unsigned char *at;
    void                   *base;
    unsigned                sum = 0;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, job->buffer, &base, NULL));
    at = base;
    for (size_t i = 0; i < FILE_MIB * (size_t)MIB; i += 4096)
        if (job->writes)
            at[i] = 1;
        else
            sum += at[i];
    harness_sleep_ms(50); /* would be time enough to be looked at; nothing relies on it */
    return job->writes ? 0 : (int)sum - FILE_MIB * (MIB / 4096);
}

static int allocate_too_much(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    unsigned char *own = mmap(NULL, FILE_MIB * (size_t)MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (own == MAP_FAILED)
        abort();
    for (size_t i = 0; i < FILE_MIB * (size_t)MIB; i += 4096)
        own[i] = 1;
    for (;;)
        pause();
}

void test(void)
{
    mortal_pool_options options = {.workers = 1, .memory_bytes = CAP_MIB * (size_t)MIB};
    mortal_pool        *pool = pool_like(options);
    struct job          job = {.writes = true};
    int                 fd = memfd_create("large", MFD_CLOEXEC);
    CHECK_OK(ftruncate(fd, FILE_MIB * (off_t)MIB));
    CHECK_OK(mortal_buffer_wrap_fd(&job.buffer, pool, fd, 0, 0, MORTAL_BUFFER_WRITABLE));
    CHECK_EQ(outcome_and_release(submit(pool, touch_all, &job, sizeof job)), MORTAL_DONE);
    CHECK_OK(mortal_buffer_close(job.buffer));
    job.writes = false;
    CHECK_OK(mortal_buffer_wrap_fd(&job.buffer, pool, fd, 0, 0, 0));
    CHECK_EQ(outcome_and_release(submit(pool, touch_all, &job, sizeof job)), MORTAL_DONE);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    CHECK_EQ(outcome_and_release(submit(pool, allocate_too_much, NULL, 0)), MORTAL_OUT_OF_MEMORY);
    CHECK_OK(close(fd));
    end(pool);
}
