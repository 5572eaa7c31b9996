/*
 * The runner: each test in a process of its own, and nothing may be left when it ends.
 *
 *   runner ──▶ keeper (one per test: subreaper, clock, verdict) ──▶ test (own session, own empty directory)
 *
 * The keeper exists so that strays come home to the test that left them, also while tests run side by side.
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit codes of tests and keepers. */
enum { RESULT_PASSED = 0, RESULT_FAILED = 1, RESULT_SKIPPED = 77 };

struct test {
    char *suite;
    char *name;   /* suite/file, without extension */
    char *path;   /* the program, or a script */
    char *source; /* of the program */
    char *except; /* why it is skipped in this kind of build; null: it is not */
};

struct settings {
    const char *list_file;
    const char *suites;      /* comma-separated; null: all but mustfail */
    const char *only;        /* part of the name; null: all */
    const char *except_file; /* lines "suite/name reason" */
    const char *wrap;        /* command put before the test's, split at blanks */
    const char *refuse;      /* texts, separated by |, that no process of a test may print */
    const char *tally_file;
    const char *suffix;
    int         jobs, repeat, limit_seconds;
    bool        list, direct, must_fail, times;
};

struct tally {
    int passed, failed, skipped;
};

/* options.c: exits with 2 on bad usage */
void options_parse(struct settings *settings, int argc, char **argv);

/* list.c: the chosen tests, in the order of the list; exits with 2 when a file cannot be read */
int list_load(const struct settings *settings, struct test **tests);

/* command.c: replaces this process by the test; returns only on failure */
void command_exec(const struct test *test, const struct settings *settings);

/* keeper.c: runs in the keeper process and returns its exit code; files "output" and "reason" are then in directory */
int keeper_run(const struct test *test, const struct settings *settings, const char *directory);

/* descendants.c */
int  descendants_print(FILE *out, const char *prefix); /* one reason line each; returns how many live */
bool descendants_kill(void);                           /* until there are none; false: some would not die */

/* leftovers.c */
struct names {
    int   count;
    char *names[256];
};
void leftovers_list(struct names *names, const char *directory);
int  leftovers_print(FILE *out, const char *prefix, const struct names *before, const struct names *after);
void leftovers_remove(const char *directory);

/* sums.c */
#define SUM_PREFIX "sum: "
void sums_read(const char *output); /* what a test printed */
void sums_print(FILE *out, const char *prefix);

/* report.c */
void report(const struct test *test, const struct settings *settings, const char *directory, int status, double seconds,
            struct tally *tally);

#endif
