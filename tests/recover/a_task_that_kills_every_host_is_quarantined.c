/*
 * A task whose every attempt ended a host is quarantined: the verdict tells how often and how the last one ended, its
 * neighbours get their results, and a task with a single attempt has merely crashed.
 * Broken by: a poisonous task that runs for ever or takes its neighbours along, a verdict that forgets the cause.
 */
#include "tasks.h"

#include <pthread.h>

enum { ATTEMPTS = 3, NEIGHBOURS = 20 };

enum way { BY_SIGNAL, BY_EXIT, BY_THREAD_EXIT, BY_NOTHING };

static int die(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    switch (*(const enum way *)input) {
    case BY_SIGNAL:
        *(volatile int *)16 = 1;
        return 1;
    case BY_EXIT:
        exit(37);
    case BY_THREAD_EXIT:
        pthread_exit(NULL);
    default:
        return 0;
    }
}

/* The ways of its attempts, one after the other; BY_NOTHING: it never returns. */
static int die_in_turns(mortal_task *task, const void *input, size_t input_bytes)
{
    const enum way *ways = input;
    enum way way = ways[mortal_task_attempt(task) - 1];
    if (way == BY_NOTHING)
        compute_for_ever();
    return die(task, &way, input_bytes);
}

static mortal_verdict end_of(mortal_pool *pool, enum way way, uint32_t attempts)
{
    mortal_task_options options = {.attempts = attempts};
    return wait_for(submit_like(pool, die, &way, sizeof way, options));
}

static void every_cause_is_told(mortal_pool *pool)
{
    static const struct {
        int cause, signal, code;
        const char *text;
    } expected[] = {
        {MORTAL_CAUSE_SIGNAL, SIGSEGV, 0, "quarantined: SIGSEGV at 0x10, attempt 3"},
        {MORTAL_CAUSE_EXIT, 0, 37, "quarantined: it called exit, code 37, attempt 3"},
        {MORTAL_CAUSE_THREAD_EXIT, 0, 0, "quarantined: it ended its thread, attempt 3"},
    };
    for (enum way way = BY_SIGNAL; way < BY_NOTHING; way++) {
        mortal_verdict verdict = end_of(pool, way, ATTEMPTS);
        char text[128];
        CHECK_EQ(verdict.outcome, MORTAL_QUARANTINED);
        CHECK_EQ(verdict.attempts, ATTEMPTS);
        CHECK_EQ(verdict.cause, expected[way].cause);
        CHECK_EQ(verdict.signal, expected[way].signal);
        CHECK_EQ(verdict.exit_code, expected[way].code);
        CHECK_EQ(verdict.culprit, 1);
        CHECK(verdict.result == NULL);
        mortal_verdict_text(&verdict, text, sizeof text);
        CHECK_STR(text, expected[way].text);
        CHECK_EQ(end_of(pool, way, 1).outcome, MORTAL_CRASHED);
    }
    CHECK_EQ(end_of(pool, BY_NOTHING, ATTEMPTS).outcome, MORTAL_DONE);
}

/* A deadline costs a host too, and an attempt. The last attempt decides what the verdict is called. */
static void deadlines_count_and_the_last_attempt_decides(mortal_pool *pool)
{
    static const enum way late_then_crash[2] = {BY_NOTHING, BY_SIGNAL}, crash_then_late[2] = {BY_SIGNAL, BY_NOTHING};
    mortal_task_options twice = {.attempts = 2, .deadline_ns = MS(20)};
    mortal_verdict verdict = {0};
    for (; verdict.outcome != MORTAL_QUARANTINED && twice.deadline_ns < LIMIT; twice.deadline_ns *= 2) /* a crash takes time too */
        verdict = wait_for(submit_like(pool, die_in_turns, late_then_crash, sizeof late_then_crash, twice));
    CHECK_EQ(verdict.outcome, MORTAL_QUARANTINED);
    CHECK_EQ(verdict.attempts, 2);
    CHECK_EQ(verdict.signal, SIGSEGV);
    verdict = wait_for(submit_like(pool, die_in_turns, crash_then_late, sizeof crash_then_late, twice));
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.attempts, 2);
    CHECK_EQ(verdict.cause, 0);
}

static void neighbours_are_done(mortal_pool *pool)
{
    enum way way = BY_SIGNAL;
    mortal_task_options often = {.attempts = ATTEMPTS};
    mortal_future poison = submit_like(pool, die, &way, sizeof way, often), good[NEIGHBOURS];
    for (uint64_t i = 0; i < NEIGHBOURS; i++)
        good[i] = submit(pool, task_double, &i, sizeof i);
    for (uint64_t i = 0; i < NEIGHBOURS; i++) {
        mortal_verdict verdict = wait_for(good[i]);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(*(const uint64_t *)verdict.result, 2 * i);
    }
    CHECK_EQ(outcome_of(poison), MORTAL_QUARANTINED);
}

/* In a shared host, by a signal from outside: nobody can tell which of the two it was. */
static void who_cannot_be_blamed_alone_is_not(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    mortal_task_options twice = {.attempts = 2};
    mortal_future both[2];
    void *place = gate;
    for (unsigned i = 0; i < 2; i++)
        both[i] = submit_like(pool, task_endless, &place, sizeof place, twice);
    for (uint32_t attempt = 1; attempt <= 2; attempt++) {
        word_await(&gate->arrived, 2 * attempt);
        CHECK_OK(kill(host_of(both[0]), SIGKILL));
    }
    for (unsigned i = 0; i < 2; i++) {
        mortal_verdict verdict = wait_for(both[i]);
        char text[128];
        CHECK_EQ(verdict.outcome, MORTAL_QUARANTINED);
        CHECK_EQ(verdict.culprit, 0);
        mortal_verdict_text(&verdict, text, sizeof text);
        CHECK_STR(text, "quarantined: SIGKILL, attempt 2, or another task of its host");
    }
    CHECK_EQ(stats_of(pool).ended[MORTAL_QUARANTINED], 2);
    drain(pool);
}

void test(void)
{
    mortal_pool *pool = pool_with(2);
    every_cause_is_told(pool);
    deadlines_count_and_the_last_attempt_decides(pool);
    neighbours_are_done(pool);
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_QUARANTINED], 3 + 1 + 1);
    CHECK_EQ(stats.ended[MORTAL_CRASHED], 3);
    drain(pool);
    who_cannot_be_blamed_alone_is_not();
}
