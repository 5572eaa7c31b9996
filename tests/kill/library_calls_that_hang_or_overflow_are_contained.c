/*
 * Calls of the C library itself that never return or overflow the stack, each with an input of a few bytes, end by
 * their deadline or as a crash, and the pool goes on.
 * Broken by: anything that needs the cooperation of the code that hangs.
 */
#include "tasks.h"

#include <fnmatch.h>
#include <glob.h>
#include <regex.h>

static void match_for_ever(void)
{
    char text[62];
    memset(text, 'a', 60);
    memcpy(text + 60, "!", 2);
    (void)fnmatch("+(+(+(a)))", text, FNM_EXTMATCH);
}

static void expand_for_ever(void)
{
    char pattern[28 * 5 + 1] = "";
    glob_t found;
    for (unsigned i = 0; i < 28; i++)
        memcpy(pattern + 5 * i, "{a,b}", 6);
    glob(pattern, GLOB_BRACE | GLOB_NOCHECK, NULL, &found);
}

static void compile_for_ever(void)
{
    regex_t compiled;
    regcomp(&compiled, "((((a{1,200}){1,200}){1,200}){1,200})", REG_EXTENDED);
}

static void nest_too_deeply(void)
{
    enum { DEPTH = 1000000 };
    regex_t compiled;
    char *pattern = malloc(2 * DEPTH + 2);
    memset(pattern, '(', DEPTH);
    pattern[DEPTH] = 'a';
    memset(pattern + DEPTH + 1, ')', DEPTH);
    pattern[2 * DEPTH + 1] = 0;
    regcomp(&compiled, pattern, REG_EXTENDED);
    free(pattern);
}

static const struct {
    void (*call)(void);
    int outcome, signal;
} calls[] = {
    {match_for_ever, MORTAL_TIMED_OUT, 0},
    {expand_for_ever, MORTAL_TIMED_OUT, 0},
    {compile_for_ever, MORTAL_TIMED_OUT, 0},
    {nest_too_deeply, MORTAL_CRASHED, SIGSEGV},
};

static int call(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    calls[*(const unsigned *)input].call();
    return 0;
}

void test(void)
{
    mortal_pool *pool = pool_with(2);
    mortal_future futures[COUNT(calls)];
    for (unsigned i = 0; i < COUNT(calls); i++) {
        uint64_t deadline_ns = calls[i].outcome == MORTAL_TIMED_OUT ? MS(100) : LIMIT;
        futures[i] = submit_like(pool, call, &i, sizeof i, (mortal_task_options){.deadline_ns = deadline_ns});
    }
    for (unsigned i = 0; i < COUNT(calls); i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.outcome, calls[i].outcome);
        CHECK_EQ(verdict.signal, calls[i].signal);
    }
    check_pool_works(pool);
    drain(pool);
}
