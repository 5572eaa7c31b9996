/*
 * A thread whose stack cannot be unwound crashes as ever: the verdict tells the first signal and its address, also where
 * unwinding crashes in turn, by another signal, or never ends; the obituary is there, with as much of a backtrace as
 * there is. A call through a wild pointer is told with who made it.
 * Broken by: last words said after unwinding; a crash within that is taken for the first one; a wait for its end.
 *
 * The program's own backtrace() comes before the C library's: that is where it crashes or hangs on demand.
 */
#include "tasks.h"

#include <dlfcn.h>

int backtrace(void **frames, int most);

static enum { GENUINE = 0, CRASHES, ABORTED, HANGS } mode; /* of a host, by its task */

int backtrace(void **frames, int most)
{
    int (*genuine)(void **, int) = NULL;
    *(void **)&genuine = dlsym(RTLD_NEXT, "backtrace");
    if (mode == CRASHES)
        *(volatile int *)0x30 = 1;
    if (mode == HANGS)
        compute_for_ever();
    return genuine(frames, most);
}

static int crashes_twice(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    mode = CRASHES;
    *(volatile int *)0x20 = 1;
    return 0;
}

static int aborts_and_crashes(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    mode = CRASHES;
    abort();
}

static int hangs(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    mode = HANGS;
    *(volatile int *)0x28 = 1;
    return 0;
}

__attribute__((no_sanitize("address"))) static int smashes(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    volatile uint64_t *frame = __builtin_frame_address(0);
    for (int i = 0; i < 24; i++)
        frame[i] = 0xdead00000000 + (unsigned)i * 8;
    *(volatile int *)0x38 = 1;
    return 0;
}

#if defined(__clang__)
#define WHOLE __attribute__((noinline, optnone))
#else
#define WHOLE __attribute__((noipa))
#endif

static WHOLE int calls_wildly(int (*function)(void))
{
    return function() + 1;
}

static int wild_call(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return calls_wildly((int (*)(void))(uintptr_t)0x40);
}

static mortal_obituary obituary;

static void check_end(mortal_pool *pool, mortal_function *function, int signal_number, uint64_t address)
{
    mortal_verdict verdict = wait_for(submit(pool, function, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_SIGNAL);
    CHECK_EQ(verdict.signal, signal_number);
    CHECK_EQ(verdict.fault_address, address);
    CHECK_EQ(verdict.culprit, 1);
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.signal, signal_number);
    CHECK_EQ(obituary.asked, MORTAL_ASKED_NOBODY);
    CHECK_EQ(obituary.has_culprit, 1);
    check_pool_works(pool);
}

void test(void)
{
    mortal_pool *pool = pool_with(1);
    check_end(pool, crashes_twice, SIGSEGV, 0x20);
    CHECK_EQ(obituary.frame_count, 1); /* the instruction itself needs no unwinding */
    check_end(pool, aborts_and_crashes, SIGABRT, 0);
    check_end(pool, smashes, SIGSEGV, 0x38);
    CHECK_STR(obituary.frames[0].function, "smashes");
    check_end(pool, wild_call, SIGSEGV, 0x40);
#if defined(__x86_64__)
    CHECK_EQ(obituary.frames[0].address, 0x40);
    CHECK_STR(obituary.frames[1].function, "calls_wildly");
#endif
    check_end(pool, hangs, SIGSEGV, 0x28);
    drain(pool);
}
