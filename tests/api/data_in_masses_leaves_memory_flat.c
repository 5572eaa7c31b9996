/*
 * Data goes through the pool again and again, in buffers that are opened and closed, in one that stays, in inputs and in
 * results: program, supervisor and hosts hold as much memory after it as after the first rounds, and what buffers had is given back.
 * In long runs: a gibibyte, a thousand times.
 * Broken by: a closed buffer whose pages stay, a released result whose memory is not used again, an input that is kept.
 */
#include "tasks.h"

enum { SLACK_KB = 1536 };

struct job {
    mortal_buffer buffer;
    uint64_t      bytes;
};

/* Each byte is read and written. */
static int double_all(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct job *job = input;
    void *at;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, job->buffer, &at, NULL));
    for (uint64_t i = 0; i < job->bytes / sizeof(uint64_t); i++)
        ((uint64_t *)at)[i] = 2 * ((uint64_t *)at)[i] + 1;
    return 0;
}

static int give_back(mortal_task *task, const void *input, size_t input_bytes)
{
    void *result = mortal_task_result(task, input_bytes);
    CHECK(result != NULL);
    memcpy(result, input, input_bytes);
    return 0;
}

static int tell_pid(mortal_task *task, const void *input, size_t input_bytes)
{
    pid_t pid = getpid();
    (void)input, (void)input_bytes;
    return mortal_task_reply(task, &pid, sizeof pid);
}

static void through_a_new_buffer(mortal_pool *pool, uint64_t bytes)
{
    struct job job = {.bytes = bytes};
    CHECK_OK(mortal_buffer_open(&job.buffer, pool, bytes, 0));
    CHECK_EQ(outcome_and_release(submit(pool, double_all, &job, sizeof job)), MORTAL_DONE);
    CHECK_OK(mortal_buffer_close(job.buffer));
}

static void through_results(mortal_pool *pool, size_t bytes)
{
    static uint8_t input[1 << 20];
    CHECK(bytes <= sizeof input);
    mortal_future future = submit(pool, give_back, input, bytes);
    CHECK_EQ(wait_for(future).result_bytes, bytes);
    CHECK_OK(mortal_future_release(future));
}

static long memory_of_all(mortal_pool *pool)
{
    mortal_future future = submit(pool, tell_pid, NULL, 0);
    mortal_verdict verdict = wait_for(future);
    long kb = status_of(getpid(), "VmRSS:") + status_of(supervisor_of(pool), "VmRSS:") +
              status_of(*(const pid_t *)verdict.result, "VmRSS:");
    CHECK_OK(mortal_future_release(future));
    return kb;
}

void test(void)
{
    const uint64_t bytes = TEST_LONG ? 1ull << 30 : 32ull << 20;
    const unsigned rounds = TEST_LONG ? 1000 : 90, first = 30;
    mortal_pool *pool = pool_with(1);
    struct job stays = {.bytes = bytes};
    long before = 0, after = 0;
    CHECK_OK(mortal_buffer_open(&stays.buffer, pool, bytes, 0));
    for (unsigned round = 0; round < rounds; round++) {
        CHECK_EQ(outcome_and_release(submit(pool, double_all, &stays, sizeof stays)), MORTAL_DONE);
        through_a_new_buffer(pool, round % 8 == 0 ? bytes : bytes / 64);
        for (unsigned i = 0; i < 16; i++)
            through_results(pool, (size_t)((i * 997 + round * 65537) % (1 << 20) + 1));
        if (round == first)
            before = memory_of_all(pool);
    }
    after = memory_of_all(pool);
    harness_note("%u times %llu MiB: %ld KiB at first, %ld at last", rounds, (unsigned long long)(bytes >> 20), before, after);
    CHECK(after <= before + SLACK_KB);
    CHECK_OK(mortal_buffer_close(stays.buffer));
    CHECK(memory_of_all(pool) <= after - (long)(bytes >> 10) + SLACK_KB); /* all of it is with the system again */
    drain(pool);
}
