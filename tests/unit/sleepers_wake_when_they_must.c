/*
 * A sleep on a word ends at once if the word has changed or the time is over, else when somebody wakes it or a signal
 * comes; on either of two words if there are two; and errno is nobody's business.
 */
#include "unit.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/futex.h"

enum { ERRNO_BEFORE = 4242 };

static _Atomic uint32_t first, second, done;
static bool knows_two; /* the kernel can sleep on two words */

static int wait_one(uint32_t expected, uint64_t deadline)
{
    return futex_wait(&first, expected, deadline);
}

static int wait_first_of_two(uint32_t expected, uint64_t deadline)
{
    return futex_wait_either(&first, expected, &second, 0, deadline);
}

static int wait_second_of_two(uint32_t expected, uint64_t deadline)
{
    return knows_two ? futex_wait_either(&second, 0, &first, expected, deadline)
                     : futex_wait_either(&first, expected, &second, 0, deadline);
}

static int (*const waits[])(uint32_t, uint64_t) = {wait_one, wait_first_of_two, wait_second_of_two};

static void check_at_once(int (*wait)(uint32_t, uint64_t))
{
    errno = ERRNO_BEFORE;
    CHECK_EQ(wait(0, 0), -ETIMEDOUT);
    CHECK_EQ(wait(0, 1), -ETIMEDOUT);
    CHECK_EQ(wait(0, clock_ns()), -ETIMEDOUT);
    CHECK_EQ(wait(7, NEVER), 0);
    CHECK_EQ(wait(7, NEVER - 1), 0);
    CHECK_EQ(wait(7, 0), 0);
    uint64_t until = clock_after(2000000);
    CHECK_EQ(wait(0, until), -ETIMEDOUT);
    CHECK(clock_ns() >= until);
    futex_wake(&first, 1); /* nobody sleeps */
    CHECK_EQ(errno, ERRNO_BEFORE);
}

struct sleeper {
    int (*wait)(uint32_t, uint64_t);
    uint64_t deadline;
    int outcome;
    _Atomic int32_t thread;
};

static void *sleep_until_woken(void *argument)
{
    struct sleeper *sleeper = argument;
    atomic_store(&sleeper->thread, (int32_t)syscall(SYS_gettid));
    errno = ERRNO_BEFORE;
    do {
        sleeper->outcome = sleeper->wait(0, sleeper->deadline);
    } while (sleeper->outcome == 0 && atomic_load(&first) == 0 && atomic_load(&done) == 0);
    CHECK_EQ(errno, ERRNO_BEFORE);
    atomic_fetch_add(&done, 1);
    return NULL;
}

static void check_woken(int (*wait)(uint32_t, uint64_t), uint64_t deadline)
{
    struct sleeper sleeper = {.wait = wait, .deadline = deadline};
    pthread_t thread;
    atomic_store(&done, 0);
    CHECK_EQ(pthread_create(&thread, NULL, sleep_until_woken, &sleeper), 0);
    if (chance(50))
        harness_wait_at_least(&sleeper.thread, 1);
    atomic_store(&first, 1);
    futex_wake(&first, 1);
    pthread_join(thread, NULL);
    CHECK_EQ(sleeper.outcome, 0);
    atomic_store(&first, 0);
}

static void on_signal(int number)
{
    (void)number;
}

/* Sent until one has hit it asleep: there is no telling from outside. */
static void check_interrupted(int (*wait)(uint32_t, uint64_t))
{
    struct sleeper sleeper = {.wait = wait, .deadline = NEVER};
    pthread_t thread;
    atomic_store(&done, 0);
    CHECK_EQ(pthread_create(&thread, NULL, sleep_until_woken, &sleeper), 0);
    harness_wait_at_least(&sleeper.thread, 1);
    while (atomic_load(&done) == 0) {
        (void)syscall(SYS_tgkill, getpid(), atomic_load(&sleeper.thread), SIGUSR1);
        harness_sleep_ms(1);
    }
    pthread_join(thread, NULL);
    CHECK_EQ(sleeper.outcome, -EINTR);
}

void test(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART */
    sigaction(SIGUSR1, &action, NULL);
    knows_two = syscall(449 /* futex_waitv */, NULL, 0, 0, NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
    if (!knows_two)
        harness_note("the kernel cannot sleep on two words: the second one is looked at twice a second");
    for (size_t i = 0; i < COUNT(waits); i++) {
        check_at_once(waits[i]);
        for (int times = 0; times < 20; times++) {
            check_woken(waits[i], NEVER);
            check_woken(waits[i], clock_after(3600000000000ull));
        }
        if (knows_two || i == 0)
            check_interrupted(waits[i]);
    }
}
