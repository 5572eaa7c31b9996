/*
 * A file or memfd that the program has is memory of its tasks, at the same address as in the program: in hosts that were
 * there before, in those that come after a death, and for a task that has closed all its descriptors. Tasks can only read
 * it, whatever they try, unless it was wrapped to be written; then what they write is in the file.
 * Broken by: a mapping made when a host starts, a descriptor that hosts keep, a protection that a task can take back.
 */
#include "tasks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 3 << 20, LEAD = 5000 };

struct job {
    mortal_buffer buffer;
    unsigned char at_0, at_end;
    bool          closes_all, tries_hard, dies, has_company;
};

static int file_of(size_t bytes)
{
    char path[] = "/tmp/mortal-wrap-XXXXXX";
    int  fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_OK(unlink(path)); /* nobody could open it by a name any more */
    CHECK_OK(fchmod(fd, 0));
    unsigned char *all = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        all[i] = (unsigned char)(i * 7);
    CHECK_EQ(write(fd, all, bytes), bytes);
    free(all);
    return fd;
}

/* Anybody else's file here would be one that a host kept. */
static void no_file_is_open(void)
{
    for (int fd = 3; fd < 100; fd++) {
        char path[40], name[200] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, name, sizeof name - 1) > 0)
            CHECK(strstr(name, "mortal-wrap") == NULL && strstr(name, "socket") == NULL && strstr(name, "memfd:wrap") == NULL);
    }
}

static int look(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct job *job = input;
    void *base;
    size_t bytes;
    (void)input_bytes;
    if (job->closes_all)
        CHECK_OK(close_range(0, ~0u, 0));
    CHECK_OK(mortal_task_buffer(task, job->buffer, &base, &bytes));
    CHECK_OK(mortal_task_buffer(task, job->buffer, &base, &bytes));
    volatile unsigned char *all = base;
    CHECK_EQ(all[0], job->at_0);
    CHECK_EQ(all[bytes - 1], job->at_end);
    if (!job->closes_all && !job->has_company) /* which may be getting one just now */
        no_file_is_open();
    if (job->tries_hard) { /* at most a copy of its own changes */
        void *page = (void *)((uintptr_t)base / 4096 * 4096);
        CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
        all[0] = 99;
    }
    if (job->dies)
        all[1] = 99;
    return mortal_task_reply(task, &base, sizeof base);
}

static int verdict_on(mortal_pool *pool, const struct job *job)
{
    void *base;
    CHECK_OK(mortal_buffer_view(job->buffer, &base, NULL));
    mortal_future  future = submit(pool, look, job, sizeof *job);
    mortal_verdict verdict = wait_for(future);
    int            outcome = verdict.outcome;
    if (outcome == MORTAL_DONE)
        CHECK(memcmp(verdict.result, &base, sizeof base) == 0); /* the same address */
    CHECK_OK(mortal_future_release(future));
    return outcome;
}

static void reading(mortal_pool *pool, int fd)
{
    struct job job = {.at_end = (unsigned char)((BYTES - 1) * 7ull)};
    void      *base;
    size_t     bytes;
    CHECK_OK(mortal_buffer_wrap_fd(&job.buffer, pool, fd, 0, 0, 0));
    CHECK_OK(close(fd));
    CHECK_OK(mortal_buffer_view(job.buffer, &base, &bytes));
    CHECK_EQ(bytes, BYTES);
    CHECK_EQ(((unsigned char *)base)[100], 700 % 256);
    CHECK_EQ(verdict_on(pool, &job), MORTAL_DONE);
    job.closes_all = true;
    CHECK_EQ(verdict_on(pool, &job), MORTAL_DONE);
    job.dies = true;
    CHECK_EQ(verdict_on(pool, &job), MORTAL_CRASHED);
    job.dies = false;
    CHECK_EQ(verdict_on(pool, &job), MORTAL_DONE); /* in the next host, which has never had it */
    job.closes_all = false;
    job.tries_hard = true;
    CHECK_EQ(verdict_on(pool, &job), MORTAL_DONE);
    CHECK_EQ(((unsigned char *)base)[0], 0);
    CHECK_EQ(verdict_on(pool, &(struct job){.buffer = job.buffer, .dies = true, .at_0 = 99, .at_end = job.at_end}),
             MORTAL_DONE); /* its host spoilt its own copy, and may go on with it */
    CHECK_OK(mortal_buffer_close(job.buffer));
}

static int write_there(mortal_task *task, const void *input, size_t input_bytes)
{
    void  *base;
    size_t bytes;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, &bytes));
    memset(base, 'w', bytes);
    return 0;
}

static void writing(mortal_pool *pool, int fd)
{
    mortal_buffer buffer;
    void         *base;
    size_t        bytes;
    unsigned char around[12];
    CHECK_OK(mortal_buffer_wrap_fd(&buffer, pool, fd, LEAD, 10, MORTAL_BUFFER_WRITABLE));
    CHECK_OK(mortal_buffer_view(buffer, &base, &bytes));
    CHECK_EQ(bytes, 10);
    CHECK_EQ((uintptr_t)base % 4096, LEAD % 4096);
    CHECK_EQ(outcome_and_release(submit(pool, write_there, &buffer, sizeof buffer)), MORTAL_DONE);
    CHECK(memcmp(base, "wwwwwwwwww", 10) == 0);
    ((char *)base)[9] = 'o';
    CHECK_EQ(pread(fd, around, sizeof around, LEAD - 1), sizeof around);
    CHECK_EQ(around[0], (LEAD - 1) * 7 % 256);
    CHECK(memcmp(around + 1, "wwwwwwwwwo", 10) == 0);
    CHECK_EQ(around[11], (LEAD + 10) * 7 % 256);
    CHECK_OK(mortal_buffer_close(buffer));
    CHECK_OK(close(fd));
}

static void copying(mortal_pool *pool, int fd)
{
    struct job job = {.at_0 = LEAD * 7 % 256, .at_end = (LEAD + 99999) * 7 % 256};
    CHECK_OK(mortal_buffer_wrap_fd(&job.buffer, pool, fd, LEAD, 100000, MORTAL_BUFFER_COPY));
    CHECK_OK(ftruncate(fd, 0));
    CHECK_EQ(verdict_on(pool, &job), MORTAL_DONE);
    job.dies = true;
    CHECK_EQ(verdict_on(pool, &job), MORTAL_CRASHED); /* only read, as a copy is too */
    CHECK_OK(mortal_buffer_close(job.buffer));
    CHECK_OK(close(fd));
}

static void a_memfd(mortal_pool *pool)
{
    struct job job = {.at_0 = 1, .at_end = 2};
    int        fd = memfd_create("wrap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK_EQ(pwrite(fd, "\1", 1, 0), 1);
    CHECK_EQ(pwrite(fd, "\2", 1, 9999), 1);
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    CHECK_ERR(mortal_buffer_wrap_fd(&job.buffer, pool, fd, 0, 0, MORTAL_BUFFER_WRITABLE), -EACCES);
    CHECK_OK(mortal_buffer_wrap_fd(&job.buffer, pool, fd, 0, 0, 0));
    CHECK_EQ(verdict_on(pool, &job), MORTAL_DONE);
    CHECK_OK(mortal_buffer_close(job.buffer));
    CHECK_OK(close(fd));
}

/* Many, in the places of others that were closed: whoever still had one of those would see it. */
static void one_after_the_other(mortal_pool *pool)
{
    for (unsigned turn = 0; turn < (TEST_LONG ? 3000 : 300); turn++) {
        mortal_buffer two[2];
        for (unsigned i = 0; i < 2; i++) {
            unsigned char bytes[2] = {(unsigned char)(turn + i), (unsigned char)(turn + 50)};
            int           fd = memfd_create("wrap", MFD_CLOEXEC);
            CHECK_EQ(write(fd, bytes, 2), 2);
            CHECK_OK(mortal_buffer_wrap_fd(&two[i], pool, fd, 0, 0, 0));
            CHECK_OK(close(fd));
        }
        mortal_future futures[4];
        for (unsigned i = 0; i < 4; i++) {
            struct job job = {.buffer = two[i % 2], .at_0 = (unsigned char)(turn + i % 2), .at_end = (unsigned char)(turn + 50),
                              .has_company = true};
            futures[i] = submit(pool, look, &job, sizeof job);
        }
        for (unsigned i = 0; i < 4; i++)
            CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
        CHECK_OK(mortal_buffer_close(two[turn % 2]));
        CHECK_OK(mortal_buffer_close(two[(turn + 1) % 2]));
    }
}

static void all(mortal_pool *pool)
{
    reading(pool, file_of(BYTES));
    writing(pool, file_of(BYTES));
    copying(pool, file_of(BYTES));
    a_memfd(pool);
    one_after_the_other(pool);
    CHECK_EQ(stats_of(pool).buffers, 0);
    end(pool);
}

void test(void)
{
    all(pool_with(1));
    mortal_pool_options threads = {.workers = 3, .workers_per_host = 3};
    all(pool_like(threads));
    CHECK_OK(prctl(PR_SET_DUMPABLE, 0)); /* as programs are that gave up being root: nobody may look into them by /proc */
    mortal_pool *pool = pool_with(1);
    CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
    reading(pool, file_of(BYTES));
    end(pool);
}
