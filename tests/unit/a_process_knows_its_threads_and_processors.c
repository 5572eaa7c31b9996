/*
 * How many threads this process has, whatever it is called, and how many processors it may use.
 * Broken by: a name with brackets or blanks, which stands in front of what is counted.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include "system/clock.h"
#include "system/futex.h"
#include "system/process.h"

static _Atomic uint32_t may_end;

static void *thread(void *unused)
{
    while (atomic_load(&may_end) == 0)
        futex_wait(&may_end, 0, NEVER);
    return unused;
}

static void check_threads(void)
{
    const char *names[] = {"a name", "a) R 1 2 3", "))) (", "", "\n\t 7"};
    enum { THREADS = 5 };
    pthread_t threads[THREADS];
    int before = process_threads(); /* 1, but for tools that bring threads of their own */
    CHECK(before >= 1);
    for (int i = 0; i < THREADS; i++) {
        prctl(PR_SET_NAME, names[i]);
        CHECK_EQ(process_threads(), before + i);
        CHECK_EQ(pthread_create(&threads[i], NULL, thread, NULL), 0);
    }
    CHECK_EQ(process_threads(), before + THREADS);
    atomic_store(&may_end, 1);
    futex_wake(&may_end, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    while (process_threads() != before) /* a joined thread may still be counted for a moment */
        harness_sleep_ms(1);
}

static void check_processors(void)
{
    cpu_set_t all, one;
    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    unsigned usable = process_usable_cpus();
    CHECK(usable >= 1 && usable <= (unsigned)CPU_COUNT(&all));
    int first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQ(process_usable_cpus(), 1);
    CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    CHECK_EQ(process_usable_cpus(), usable);
}

void test(void)
{
    check_threads();
    check_processors();
}
