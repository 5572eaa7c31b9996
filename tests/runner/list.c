#include "runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_or_end(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "runner: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return file;
}

static bool is_in(const char *suites, const char *suite)
{
    size_t length = strlen(suite);
    for (const char *at = suites; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, suite, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* The tests that must fail are run by --must-fail, and only by it. */
static bool is_chosen(const struct settings *settings, const struct test *test)
{
    const char *suites = settings->must_fail && settings->suites == NULL ? "mustfail" : settings->suites;
    if (suites == NULL ? strcmp(test->suite, "mustfail") == 0 : !is_in(suites, test->suite))
        return false;
    return settings->only == NULL || strstr(test->name, settings->only) != NULL;
}

/*
 * Lines are "suite|name|program|source", or "env|NAME|VALUE" for the environment of the tests. False: not a test.
 */
static bool parse(char *line, struct test *test)
{
    line[strcspn(line, "\n")] = '\0';
    char *rest = line, *suite = strsep(&rest, "|"), *name = strsep(&rest, "|"), *path = strsep(&rest, "|");
    if (path != NULL && strcmp(suite, "env") == 0)
        setenv(name, path, 1);
    if (path == NULL || rest == NULL || strcmp(suite, "env") == 0)
        return false;
    *test = (struct test){.suite = strdup(suite), .path = strdup(path), .source = strdup(rest)};
    if (asprintf(&test->name, "%s/%s", suite, name) < 0)
        abort();
    return true;
}

static void mark_exceptions(const char *path, struct test *tests, int count)
{
    FILE *file = open_or_end(path);
    char  line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *reason = line, *name = strsep(&reason, " ");
        if (*name == '\0' || *name == '#')
            continue;
        for (int i = 0; i < count; i++)
            if (strcmp(tests[i].name, name) == 0)
                tests[i].except = strdup(reason == NULL ? "listed as an exception, no reason given" : reason);
    }
    fclose(file);
}

int list_load(const struct settings *settings, struct test **tests)
{
    FILE *file = open_or_end(settings->list_file);
    char  line[4096];
    int   count = 0;
    *tests = NULL;
    while (fgets(line, sizeof line, file) != NULL) {
        struct test test;
        if (!parse(line, &test) || !is_chosen(settings, &test))
            continue;
        *tests = reallocarray(*tests, (size_t)count + 1, sizeof **tests);
        if (*tests == NULL)
            abort();
        (*tests)[count++] = test;
    }
    fclose(file);
    if (settings->except_file != NULL)
        mark_exceptions(settings->except_file, *tests, count);
    return count;
}
