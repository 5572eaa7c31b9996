/*
 * What the owner has printed but not yet flushed appears once, and what a task printed survives the later death of
 * its host.
 * Broken by: hosts that flush the owner's buffers when they exit, or a task's line that dies in a buffer with its
 * host.
 */
#include "tasks.h"

#include <sys/mman.h>

static char text[4096];

static int print_line(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    printf("<task %s>", (const char *)input);
    return 0;
}

static int leave(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    exit(0);
}

static unsigned occurrences(const char *what)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

static void print_and_kill(struct gate *gate)
{
    printf("<owner before>");
    mortal_pool *pool = pool_with(1);
    printf("<owner after>");
    CHECK_EQ(outcome_of(submit(pool, print_line, "one", 4)), MORTAL_DONE);
    CHECK_EQ(outcome_of(submit(pool, leave, NULL, 0)), MORTAL_CRASHED);
    CHECK_EQ(outcome_of(submit(pool, print_line, "two", 4)), MORTAL_DONE);
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(submit(pool, print_line, "three", 6)), MORTAL_DONE);
    drain(pool);
    fflush(stdout);
}

static void read_back(int file)
{
    ssize_t got = pread(file, text, sizeof text - 1, 0);
    CHECK(got > 0);
    text[got] = 0;
}

void test(void)
{
    struct gate *gate = gates_make(1);
    int screen = dup(STDOUT_FILENO), file = memfd_create("printed", MFD_CLOEXEC);
    CHECK(screen >= 0 && file >= 0);
    fflush(stdout);
    CHECK(dup2(file, STDOUT_FILENO) == STDOUT_FILENO);
    print_and_kill(gate);
    CHECK(dup2(screen, STDOUT_FILENO) == STDOUT_FILENO);
    close(screen);

    static const char *const lines[] = {"<owner before>", "<owner after>", "<task one>", "<task two>", "<task three>"};
    read_back(file);
    close(file);
    for (unsigned i = 0; i < COUNT(lines); i++)
        if (occurrences(lines[i]) != 1)
            harness_fail(__FILE__, __LINE__, "%s appears %u times in: %s", lines[i], occurrences(lines[i]), text);
}
