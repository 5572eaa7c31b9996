/*
 * Hosts have descriptors 0, 1, 2 and the ones in keep_fds; supervisor and hosts hold no other descriptor of the
 * owner.
 * Broken by: a pipe whose reader never sees the end because a host or the supervisor still holds the other end.
 */
#include "tasks.h"

#include <poll.h>

/* Input: a descriptor. Writes one byte to it. */
static int write_to(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    return write(*(const int *)input, "k", 1) == 1 ? 0 : errno;
}

static int read_stdin(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    char byte;
    return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

static bool is_at_end(int reader)
{
    struct pollfd poller = {.fd = reader, .events = POLLIN};
    char byte;
    return poll(&poller, 1, 0) == 1 && read(reader, &byte, 1) == 0;
}

static void each_host_writes(mortal_pool *pool, int kept[2])
{
    for (unsigned i = 0; i < 3; i++) {
        mortal_verdict verdict = wait_for(submit(pool, write_to, &kept[1], sizeof kept[1]));
        char byte = 0;
        CHECK_EQ(verdict.status, 0);
        CHECK_EQ(read(kept[0], &byte, 1), 1);
        CHECK_EQ(byte, 'k');
        CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    }
}

/* 0, 1, 2 and the one that is kept: nothing of the library's own either, which a task could close or fill. */
static void a_host_holds_four(mortal_pool *pool, struct gate *gate)
{
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    CHECK_EQ(descriptors_of(host_of(held)), 4);
    gate_open(gate);
    CHECK_EQ(outcome_of(held), MORTAL_DONE);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    int kept[2], other[2], plain[2];
    CHECK_OK(pipe2(kept, O_CLOEXEC));
    CHECK_OK(pipe2(other, O_CLOEXEC));
    CHECK_OK(pipe(plain));
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .keep_fds = &kept[1], .keep_fd_count = 1});

    each_host_writes(pool, kept);
    a_host_holds_four(pool, gate);
    CHECK_EQ(outcome_of(submit(pool, read_stdin, NULL, 0)), MORTAL_DONE);
    close(other[1]);
    close(plain[1]);
    CHECK(is_at_end(other[0]));
    CHECK(is_at_end(plain[0]));
    close(kept[1]);
    CHECK(!is_at_end(kept[0])); /* the hosts still have it */

    drain(pool);
    CHECK(is_at_end(kept[0]));
    close(kept[0]);
    close(other[0]);
    close(plain[0]);
}
