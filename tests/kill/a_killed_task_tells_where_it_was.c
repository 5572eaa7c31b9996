/*
 * Where the pool's options ask for it, the obituary of a host that was killed tells where its task was: in a loop, or in
 * a system call of the C library, by the names of its functions. A thread that blocks the signal does not answer, is killed
 * all the same, and the obituary says so. A kill that needs no backtrace does not ask.
 * Broken by: a question that nobody waits for, one that is waited for without an end, and one that nobody wanted.
 */
#include "tasks.h"

#if defined(__clang__)
#define WHOLE __attribute__((noinline, optnone))
#else
#define WHOLE __attribute__((noipa))
#endif

static mortal_obituary obituary;

static WHOLE int spin_here(word *begun)
{
    word_set(begun, 1);
    for (volatile unsigned turns = 0; atomic_load(begun) != 2; turns++)
        ;
    return 1;
}

static int spins(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    mortal_task_log(task, "about to spin");
    return spin_here(*(word *const *)input) + 1;
}

static WHOLE ssize_t read_here(word *begun)
{
    int ends[2];
    char byte;
    if (pipe(ends) != 0)
        return 0;
    word_set(begun, 1);
    return read(ends[0], &byte, 1) + 1;
}

static int reads(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    return read_here(*(word *const *)input) == 0;
}

static int hears_nothing(mortal_task *task, const void *input, size_t input_bytes)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    return spins(task, input, input_bytes);
}

static int has_no_handler(mortal_task *task, const void *input, size_t input_bytes)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    return spins(task, input, input_bytes);
}

static bool names(const char *function)
{
    for (uint32_t i = 0; i < obituary.frame_count; i++)
        if (strcmp(obituary.frames[i].function, function) == 0)
            return true;
    return false;
}

static void read_obituary(mortal_pool *pool, const mortal_verdict *verdict)
{
    CHECK(verdict->obituary != 0);
    CHECK_OK(mortal_pool_obituary(pool, verdict->obituary, &obituary));
    CHECK_EQ(obituary.has_culprit, 1);
    CHECK_EQ(obituary.cause, MORTAL_CAUSE_SIGNAL);
    CHECK(obituary.latency_ns > 0);
}

static void kill_it(mortal_pool *pool, mortal_function *function, word *begun)
{
    mortal_verdict verdict;
    word_set(begun, 0);
    mortal_future future = submit_at(pool, function, begun);
    word_await(begun, 1);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    read_obituary(pool, &verdict);
    CHECK_EQ(obituary.asked, MORTAL_ASKED_KILL);
}

static void at_deadline(mortal_pool *pool, mortal_function *function, word *begun)
{
    word_set(begun, 0);
    mortal_future future =
        submit_like(pool, function, &begun, sizeof begun, (mortal_task_options){.deadline_ns = 20000000});
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    read_obituary(pool, &verdict);
    CHECK_EQ(obituary.asked, MORTAL_ASKED_DEADLINE);
}

/* Some tries: on a machine that is busy enough 2 ms may be over before the thread has run at all. */
static void check_named(mortal_pool *pool, void (*end_it)(mortal_pool *, mortal_function *, word *),
                        mortal_function *function, const char *name, word *begun)
{
    for (unsigned i = 0; i < 200; i++) {
        end_it(pool, function, begun);
        if (obituary.backtrace == MORTAL_BACKTRACE_TAKEN && names(name))
            return;
        CHECK(obituary.backtrace != MORTAL_BACKTRACE_NOT_ASKED);
    }
    harness_fail(__FILE__, __LINE__, "%s was never named", name);
}

static void check_both(word *begun)
{
    mortal_pool *pool =
        pool_like((mortal_pool_options){.workers = 1, .backtrace = MORTAL_BACKTRACE_DEADLINE | MORTAL_BACKTRACE_KILL});
    check_named(pool, kill_it, spins, "spin_here", begun);
    CHECK(names("spins"));
    CHECK_STR(obituary.lines[0].text, "about to spin");
    check_named(pool, kill_it, reads, "read_here", begun);
    check_named(pool, at_deadline, reads, "read_here", begun);
    check_named(pool, at_deadline, spins, "spins", begun);
    kill_it(pool, hears_nothing, begun);
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_NO_ANSWER);
    CHECK_EQ(obituary.frame_count, 0);
    kill_it(pool, has_no_handler, begun);
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_NO_ANSWER);
    check_pool_works(pool);
    drain(pool);
}

static void check_not_asked(word *begun)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .backtrace = MORTAL_BACKTRACE_DEADLINE});
    kill_it(pool, spins, begun);
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_NOT_ASKED);
    drain(pool);
    pool = pool_with(1);
    at_deadline(pool, spins, begun);
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_NOT_ASKED);
    kill_it(pool, spins, begun);
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_NOT_ASKED);
    drain(pool);
    pool = pool_like((mortal_pool_options){.workers = 1, .backtrace = MORTAL_BACKTRACE_NONE});
    mortal_verdict verdict = wait_for(submit(pool, task_crash, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_NOT_ASKED);
    drain(pool);
}

void test(void)
{
    word *begun = harness_shared(sizeof *begun);
    check_both(begun);
    check_not_asked(begun);
}
