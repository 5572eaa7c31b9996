/*
 * When a task is asked to stop, by its soft deadline or by the grace of a kill, its soft_signal comes to the thread that
 * runs it and interrupts a blocking call there; once for each. Whoever runs next on that thread never gets it, however
 * close to its end the task was.
 * Broken by: a signal to the process, one that ends the host of a program that does not handle it, one that is sent by
 * whoever only looked which task runs, one that stays pending where a task had blocked it.
 */
#include "tasks.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

enum { SIGNAL = SIGUSR1 };

struct shared {
    word arrived, heard, heard_elsewhere, interrupted, stray;
    _Atomic pid_t thread; /* whose signal it is; 0: nobody's */
};

enum { TOO_LATE = 2 }; /* the signal came before there was something to interrupt */

static struct shared *shared;

static void note(int number)
{
    (void)number;
    pid_t expected = atomic_load(&shared->thread);
    if (expected == 0)
        word_add(&shared->stray, 1);
    else if (expected != (pid_t)syscall(SYS_gettid))
        word_add(&shared->heard_elsewhere, 1);
    else
        word_add(&shared->heard, 1);
}

static void handle(void)
{
    struct sigaction action = {.sa_handler = note};
    CHECK_EQ(sigaction(SIGNAL, &action, NULL), 0);
}

/* For ever, but for a signal. */
static bool is_interrupted(void)
{
    int ends[2];
    char byte;
    CHECK_EQ(pipe(ends), 0);
    bool interrupted = read(ends[0], &byte, 1) < 0 && errno == EINTR;
    close(ends[0]);
    close(ends[1]);
    return interrupted;
}

static int block_in_a_read(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    word_add(&shared->arrived, 1);
    if (mortal_task_should_stop(task))
        return TOO_LATE;
    bool interrupted = is_interrupted();
    return interrupted && mortal_task_should_stop(task) ? 0 : 1;
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* With a handler of its own, and a thread of its own that could be taken for it. */
static int handle_and_block(mortal_task *task, const void *input, size_t input_bytes)
{
    pthread_t thread;
    handle();
    CHECK_EQ(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
    atomic_store(&shared->thread, (pid_t)syscall(SYS_gettid));
    int status = block_in_a_read(task, input, input_bytes);
    while (status == 0 && atomic_load(&shared->heard) == 0)
        ;
    atomic_store(&shared->thread, 0);
    return status;
}

static void set_masked(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGNAL);
    CHECK_EQ(pthread_sigmask(how, &set, NULL), 0);
}

/* Deaf to all signals. */
static int block_everything(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    set_masked(SIG_BLOCK);
    word_add(&shared->arrived, 1);
    while (!mortal_task_should_stop(task))
        ;
    for (unsigned turns = 0; turns < 100; turns++) { /* so that it is sent for sure, or nearly */
        sigset_t pending;
        CHECK_EQ(sigpending(&pending), 0);
        if (sigismember(&pending, SIGNAL))
            break;
        harness_sleep_ms(1);
    }
    return 0;
}

static int unblock_and_look(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    uint32_t before = atomic_load(&shared->stray);
    handle();
    set_masked(SIG_UNBLOCK);
    return atomic_load(&shared->stray) != before;
}

static int give_default_back(mortal_task *task, const void *input, size_t input_bytes)
{
    signal(SIGNAL, SIG_DFL);
    return block_in_a_read(task, input, input_bytes);
}

static const mortal_task_options soon = {.soft_deadline_ns = MS(3), .soft_signal = SIGNAL};

/* Later than it takes to come to its read. */
static void it_interrupts_a_read(mortal_pool *pool, mortal_function *function)
{
    int status = TOO_LATE;
    for (uint64_t later_ns = MS(100); status == TOO_LATE; later_ns *= 2) {
        mortal_task_options later = {.soft_deadline_ns = later_ns, .soft_signal = SIGNAL};
        status = wait_for(submit_like(pool, function, NULL, 0, later)).status;
    }
    CHECK_EQ(status, 0);
}

static void it_interrupts(mortal_pool *pool)
{
    it_interrupts_a_read(pool, block_in_a_read);
    it_interrupts_a_read(pool, give_default_back);
    mortal_verdict verdict = {0};
    atomic_store(&shared->arrived, 0);
    mortal_future killed = submit_like(pool, handle_and_block, NULL, 0, (mortal_task_options){.soft_signal = SIGNAL});
    word_await(&shared->arrived, 1);
    char who[64];
    snprintf(who, sizeof who, "%d/task/%d", (int)host_of(killed), (int)atomic_load(&shared->thread));
    POLL_UNTIL(state_of(who) == 'S'); /* in its read */
    CHECK_OK(mortal_future_kill(killed, LIMIT, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(atomic_load(&shared->heard), 1);
    CHECK_EQ(atomic_load(&shared->heard_elsewhere), 0);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
}

static void blocked_it_is_nobodys(mortal_pool *pool)
{
    for (unsigned i = 0; i < 5; i++) {
        mortal_future deaf = submit_like(pool, block_everything, NULL, 0, soon);
        mortal_future next = submit(pool, unblock_and_look, NULL, 0);
        CHECK_EQ(outcome_and_release(deaf), MORTAL_DONE);
        CHECK_EQ(outcome_and_release(next), MORTAL_DONE);
    }
}

static void spin_ns(uint64_t ns)
{
    for (uint64_t until = mortal_now_ns() + ns; mortal_now_ns() < until;)
        ;
}

/* Input: how long. Whether it hears its signal is a matter of microseconds. */
static int end_about_then(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    spin_ns(*(const uint64_t *)input);
    return 0;
}

/* Whatever comes here was not for it. It looks where it is slow to sleep and where it computes. */
static int look_out(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct timespec pause = {.tv_nsec = 50000};
    atomic_store(&shared->thread, 0);
    if (*(const uint64_t *)input % 2 == 0)
        spin_ns(50000);
    else if (poll(NULL, 0, 0) < 0 || nanosleep(&pause, NULL) < 0)
        word_add(&shared->interrupted, 1);
    atomic_store(&shared->thread, (pid_t)syscall(SYS_gettid)); /* from here on it may be for who comes next */
    return 0;
}

static int handle_only(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    handle();
    atomic_store(&shared->thread, (pid_t)syscall(SYS_gettid));
    return 0;
}

/* Ends and soft deadlines move past each other. */
static void a_stream_of_them(mortal_pool *pool)
{
    unsigned count = TEST_LONG ? 100000 : 5000;
    CHECK_EQ(outcome_and_release(submit(pool, handle_only, NULL, 0)), MORTAL_DONE);
    uint32_t heard = atomic_load(&shared->heard);
    for (unsigned i = 0; i < count; i++) {
        uint64_t lasts = 50000 + i * 7919 % 200 * 1000;
        mortal_task_options about_then = {.soft_deadline_ns = 60000, .soft_signal = SIGNAL};
        mortal_future late = submit_like(pool, end_about_then, &lasts, sizeof lasts, about_then);
        mortal_future next = submit(pool, look_out, &(uint64_t){i}, sizeof(uint64_t));
        CHECK_EQ(outcome_and_release(late), MORTAL_DONE);
        CHECK_EQ(outcome_and_release(next), MORTAL_DONE);
    }
    CHECK_EQ(atomic_load(&shared->stray), 0);
    CHECK_EQ(atomic_load(&shared->interrupted), 0);
    CHECK_EQ(atomic_load(&shared->heard_elsewhere), 0);
    harness_note("soft signals heard by %u of %u tasks that ended about then", atomic_load(&shared->heard) - heard, count);
}

void test(void)
{
    shared = harness_shared(sizeof *shared);
    mortal_pool *pool = pool_with(1);
    it_interrupts(pool);
    blocked_it_is_nobodys(pool);
    a_stream_of_them(pool);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    drain(pool);
}
