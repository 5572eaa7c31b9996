/*
 * Where standard output is a pipe that nobody reads, tasks that print block: in the task, or after it when its lines are
 * flushed. They count as running, a kill or a deadline ends them, and tasks that print nothing go on.
 * Broken by: a supervisor, an owner or a host between two tasks that writes to standard output.
 */
#include "hostile.h"

static int print_much(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    for (unsigned i = 0; i < 100000; i++)
        printf("a line that nobody reads, number %u\n", i);
    return 0;
}

static int print_little(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    setvbuf(stdout, NULL, _IOFBF, 4096);
    printf("buffered\n");
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    return 0;
}

/* Standard output is from now on the writing end of a pipe with no room. Returns what it was. */
static int fill_standard_output(int *reader)
{
    int ends[2], before = fcntl(1, F_DUPFD_CLOEXEC, 3);
    static const char bytes[4096];
    CHECK(before >= 0 && pipe2(ends, O_CLOEXEC) == 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], bytes, sizeof bytes) > 0)
        ;
    CHECK_EQ(fcntl(ends[1], F_SETFL, 0), 0);
    CHECK_EQ(dup2(ends[1], 1), 1);
    close(ends[1]);
    *reader = ends[0];
    return before;
}

static void check(mortal_pool *pool, mortal_function *function, struct gate *gate, uint64_t deadline_ns)
{
    mortal_future future = submit_like(pool, function, &gate, sizeof gate, (mortal_task_options){.deadline_ns = deadline_ns});
    (void)comes_to(future, &gate->arrived);
    for (unsigned i = 0; i < 10; i++)
        check_pool_works(pool);
    if (deadline_ns != 0) {
        CHECK_EQ(outcome_of(future), MORTAL_TIMED_OUT);
        return;
    }
    POLL_UNTIL(state_of_process(host_of(future)) != 0);
    CHECK_EQ(look_at(future).phase, MORTAL_RUNNING);
    CHECK_EQ(kill_and_read(future), MORTAL_KILLED);
}

void test(void)
{
    struct gate *gates = gates_make(4);
    struct bystanders bystanders = bystanders_make();
    int reader, before = fill_standard_output(&reader);
    mortal_pool *pool = pool_with(3);
    bystanders_begin(&bystanders, pool);
    check(pool, print_much, &gates[0], 0);
    check(pool, print_little, &gates[1], 0);
    check(pool, print_much, &gates[2], MS(20));
    (void)submit_at(pool, print_much, &gates[3]);
    word_await(&gates[3].arrived, 1);
    bystanders_end(&bystanders);
    end(pool);
    CHECK_EQ(dup2(before, 1), 1);
    close(before);
    close(reader);
    CHECK_EQ(harness_children(), 0);
}
