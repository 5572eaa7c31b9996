/*
 * A host that crashed has an obituary: which task, with its name and ticket, by which signal and where, nobody asked for
 * it, what it used; and the calls that led there by their names, static functions and those of the C library included.
 * It is there as soon as the verdict is, and stays right after the future was released.
 * Broken by: an obituary written after the verdict, a name that ends with the future, a backtrace that begins in the
 * handler or ends at its signal frame.
 */
#include "tasks.h"

#include <string.h>

/* A call is a call, with its own name, whatever the optimizer thinks of it. */
#if defined(__clang__)
#define WHOLE __attribute__((noinline, optnone))
#else
#define WHOLE __attribute__((noipa))
#endif

static WHOLE int innermost(volatile int *place)
{
    *place = 1;
    return *place + 1;
}

static WHOLE int middle(volatile int *place)
{
    return innermost(place) + 1;
}

static WHOLE int outermost(volatile int *place)
{
    return middle(place) + 1;
}

static int crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return outermost((volatile int *)0x18) + 1;
}

static WHOLE int compare(const void *a, const void *b)
{
    (void)a, (void)b;
    abort();
}

static int sort(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    int numbers[] = {2, 1};
    qsort(numbers, 2, sizeof *numbers, compare);
    return numbers[0];
}

static int leave(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    exit(7);
}

static uint32_t frame_of(const mortal_obituary *obituary, const char *function)
{
    for (uint32_t i = 0; i < obituary->frame_count; i++)
        if (strcmp(obituary->frames[i].function, function) == 0)
            return i;
    static char text[16384];
    mortal_obituary_text(obituary, text, sizeof text);
    harness_fail(__FILE__, __LINE__, "no %s in:\n%s", function, text);
}

static mortal_obituary obituary;

static mortal_verdict run(mortal_pool *pool, mortal_function *function, const char *name)
{
    mortal_task_options options = {.size = sizeof options, .name = name};
    mortal_future future;
    mortal_verdict verdict;
    CHECK_OK(mortal_pool_submit(pool, function, NULL, 0, &options, &future));
    CHECK_OK(mortal_future_wait(future, MORTAL_FOREVER, &verdict));
    CHECK(verdict.obituary != 0);
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.number, verdict.obituary);
    CHECK_EQ(obituary.culprit.future.place, future.place);
    CHECK_EQ(obituary.culprit.future.life, future.life);
    CHECK_OK(mortal_future_release(future));
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.culprit.future.place, 0);
    CHECK_STR(obituary.culprit.name, name);
    CHECK_EQ(obituary.has_culprit, 1);
    CHECK_EQ(obituary.culprit.attempt, 1);
    CHECK_EQ(obituary.asked, MORTAL_ASKED_NOBODY);
    CHECK_EQ(obituary.latency_ns, 0);
    CHECK_EQ(obituary.stage, MORTAL_STAGE_ACTIVE);
    CHECK(obituary.pid > 1 && obituary.host > 0 && obituary.memory_peak_bytes > 4096);
    CHECK(obituary.born_ns < obituary.died_ns && obituary.died_ns < mortal_now_ns());
    CHECK_EQ(obituary.backtrace, MORTAL_BACKTRACE_TAKEN);
    return verdict;
}

static void check_crash(mortal_pool *pool)
{
    mortal_verdict verdict = run(pool, crash, "a wild pointer");
    CHECK_EQ(obituary.cause, MORTAL_CAUSE_SIGNAL);
    CHECK_EQ(obituary.signal, SIGSEGV);
    CHECK_EQ(obituary.signal_code, verdict.signal_code);
    CHECK_EQ(obituary.fault_address, 0x18);
    CHECK_EQ(obituary.condemned, 1);
    CHECK_EQ(obituary.collateral, 0);
    CHECK_EQ(frame_of(&obituary, "innermost"), 0);
    CHECK_EQ(frame_of(&obituary, "middle"), 1);
    CHECK_EQ(frame_of(&obituary, "outermost"), 2);
    CHECK_EQ(frame_of(&obituary, "crash"), 3);
    CHECK(strstr(obituary.modules[obituary.frames[0].module], "an_obituary_tells_of_a_crash") != NULL);
}

void test(void)
{
    mortal_pool *pool = pool_with(1);
    mortal_stats stats;
    CHECK_ERR(mortal_pool_obituary(pool, 0, &obituary), -ENOENT);
    for (unsigned i = 1; i <= 5; i++) {
        check_crash(pool);
        CHECK_EQ(obituary.number, i);
        CHECK_EQ(obituary.culprit.ticket, i - 1);
        CHECK_EQ(obituary.tasks, 1);
    }
    run(pool, sort, "a comparison that aborts");
    CHECK_EQ(obituary.signal, SIGABRT);
    CHECK(frame_of(&obituary, "compare") < frame_of(&obituary, "sort"));
    run(pool, leave, "an exit");
    CHECK_EQ(obituary.cause, MORTAL_CAUSE_EXIT);
    CHECK_EQ(obituary.exit_code, 7);
    CHECK(frame_of(&obituary, "leave") < 4);
    CHECK_OK(mortal_pool_stats(pool, &stats));
    CHECK_EQ(stats.obituaries, 7);
    CHECK_OK(mortal_pool_obituary(pool, 0, &obituary));
    CHECK_EQ(obituary.number, 7);
    drain(pool);
}
