/*
 * A buffer is the same memory in the program and in every host, also in those that were there before it, and in those that
 * come after a death; beyond 4 GiB too. What is given for reading only cannot be written by a task, whatever it tries.
 * Broken by: a mapping made when a host starts, an offset of 32 bits, a protection that a task can take back.
 */
#include "tasks.h"

#include <sys/mman.h>

struct job {
    mortal_buffer buffer;
    size_t        at, count;
    unsigned char seed;
};

static bool is_filled(const unsigned char *bytes, size_t count, unsigned char seed)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (unsigned char)(seed + i * 31))
            return false;
    return true;
}

static void fill(unsigned char *bytes, size_t count, unsigned char seed)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(seed + i * 31);
}

/* Checks what the owner wrote, and answers right there. */
static int answer(mortal_task *task, const void *input, size_t input_bytes)
{
    struct job     job = *(const struct job *)input;
    void          *base;
    size_t         bytes;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, job.buffer, &base, &bytes));
    CHECK_EQ((uintptr_t)base % 4096, 0);
    CHECK(job.at + job.count <= bytes);
    unsigned char *here = (unsigned char *)base + job.at;
    CHECK(is_filled(here, job.count, job.seed));
    fill(here, job.count, job.seed + 1);
    return mortal_task_reply(task, &base, sizeof base);
}

static void ask(mortal_pool *pool, mortal_buffer buffer, size_t at, size_t count)
{
    void          *base;
    struct job     job = {.buffer = buffer, .at = at, .count = count, .seed = (unsigned char)(at / 4096 + 3)};
    CHECK_OK(mortal_buffer_view(buffer, &base, NULL));
    unsigned char *here = (unsigned char *)base + at;
    fill(here, count, job.seed);
    mortal_future  future = submit(pool, answer, &job, sizeof job);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK(is_filled(here, count, job.seed + 1));
    CHECK(memcmp(verdict.result, &base, sizeof base) == 0); /* the same address */
    CHECK_OK(mortal_future_release(future));
}

static int write_to(mortal_task *task, const void *input, size_t input_bytes)
{
    void *base;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, NULL));
    CHECK_EQ(*(volatile unsigned char *)base, 7);
    CHECK(mprotect(base, 4096, PROT_READ | PROT_WRITE) < 0); /* no way back */
    *(volatile unsigned char *)base = 8;
    return 0;
}

static void given_is_only_read(mortal_pool *pool)
{
    mortal_buffer buffer;
    void         *base;
    CHECK_OK(mortal_buffer_open(&buffer, pool, 5000, MORTAL_BUFFER_GIVEN));
    CHECK_OK(mortal_buffer_view(buffer, &base, NULL));
    *(unsigned char *)base = 7;
    mortal_future  future = submit(pool, write_to, &buffer, sizeof buffer);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGSEGV);
    CHECK_EQ(verdict.fault_address, (uintptr_t)base);
    CHECK_EQ(*(unsigned char *)base, 7);
    CHECK_OK(mortal_future_release(future));
    CHECK_OK(mortal_buffer_close(buffer));
}

void test(void)
{
    static const size_t sizes[] = {1, 4095, 4096, 4097, 100000, 3u << 20};
    mortal_pool  *pool = pool_with(2);
    mortal_buffer buffers[COUNT(sizes)], large;
    for (unsigned i = 0; i < COUNT(sizes); i++)
        CHECK_OK(mortal_buffer_open(&buffers[i], pool, sizes[i], 0));
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        void  *base;
        size_t bytes;
        CHECK_OK(mortal_buffer_view(buffers[i], &base, &bytes));
        CHECK_EQ(bytes, sizes[i]);
        CHECK(*(unsigned char *)base == 0); /* zero at first, and nobody else's */
        ask(pool, buffers[i], 0, sizes[i]);
        ask(pool, buffers[i], sizes[i] - 1, 1);
    }
    CHECK_EQ(stats_of(pool).buffers, COUNT(sizes));
    if (stats_of(pool).buffers_bytes > 6ull << 30) {
        CHECK_OK(mortal_buffer_open(&large, pool, 6ull << 30, MORTAL_BUFFER_LAZY));
        ask(pool, large, 0, 4096);
        ask(pool, large, (6ull << 30) - 5000, 5000);
        CHECK_OK(mortal_buffer_close(large));
    }
    given_is_only_read(pool); /* and a death */
    for (unsigned i = 0; i < COUNT(sizes); i++)
        ask(pool, buffers[i], 0, sizes[i]);
    for (unsigned i = 0; i < COUNT(sizes); i++)
        CHECK_OK(mortal_buffer_close(buffers[i]));
    CHECK_EQ(stats_of(pool).buffers, 0);
    end(pool);
}
