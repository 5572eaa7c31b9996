#include "runner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { SHOWN_BYTES = 60000 };

/* The end of a file: a test that prints for ever must not drown the others. */
static char *read_end(const char *directory, const char *name)
{
    char path[4096], *text = calloc(1, SHOWN_BYTES + 1);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (text == NULL)
        abort();
    if (file == NULL)
        return text;
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) > SHOWN_BYTES)
        fseek(file, -SHOWN_BYTES, SEEK_END);
    else
        rewind(file);
    text[fread(text, 1, SHOWN_BYTES, file)] = '\0';
    fclose(file);
    return text;
}

static void print_lines(char *text, const char *indent)
{
    for (char *line; (line = strsep(&text, "\n")) != NULL;)
        if (*line != '\0')
            printf("%s%s\n", indent, line);
}

static void print_notes(char *text)
{
    for (char *line; (line = strsep(&text, "\n")) != NULL;)
        if (strncmp(line, "note: ", 6) == 0)
            printf("  %s\n", line);
        else if (strncmp(line, SUM_PREFIX, strlen(SUM_PREFIX)) == 0)
            printf("  note: %s\n", line + strlen(SUM_PREFIX));
}

/* Reasons on one line, separated by semicolons. */
static char *joined(char *reasons)
{
    size_t length = strlen(reasons);
    while (length > 0 && reasons[length - 1] == '\n')
        reasons[--length] = '\0';
    for (char *at; (at = strchr(reasons, '\n')) != NULL;)
        *at = ';';
    return reasons;
}

/* The source says "expect: TEXT" or "never: TEXT" in comments, each on a line of its own. */
static bool is_as_expected(const struct test *test, const char *output, const char *reasons)
{
    char  line[1024];
    bool  is_good = true, has_expectation = false;
    FILE *source = fopen(test->source, "re");
    while (source != NULL && fgets(line, sizeof line, source) != NULL) {
        bool is_expect = strncmp(line, "/* expect: ", 11) == 0, is_never = strncmp(line, "/* never: ", 10) == 0;
        if (!is_expect && !is_never)
            continue;
        char *text = strchr(line, ':') + 2, *end = strstr(text, " */");
        if (end != NULL)
            *end = '\0';
        has_expectation |= is_expect;
        bool is_there = strstr(output, text) != NULL || strstr(reasons, text) != NULL;
        if (is_there != is_expect)
            printf("  %s \"%s\"\n", is_expect ? "expected, but not seen:" : "must not be seen:", text);
        is_good &= is_there == is_expect;
    }
    if (source != NULL)
        fclose(source);
    return is_good && has_expectation;
}

/* The first of the refused texts that the test printed, or null. */
static const char *refused(const char *texts, const char *output)
{
    static char text[256];
    while (texts != NULL && *texts != '\0') {
        size_t length = strcspn(texts, "|");
        snprintf(text, sizeof text, "%.*s", (int)length, texts);
        if (strstr(output, text) != NULL)
            return text;
        texts += length + (texts[length] == '|');
    }
    return NULL;
}

/* What SKIP() said, or else the last line of a script that exits with 77. */
static const char *skip_reason(char *output)
{
    size_t length = strlen(output);
    while (length > 0 && output[length - 1] == '\n')
        output[--length] = '\0';
    char *found = strstr(output, "skip: "), *last = strrchr(output, '\n');
    if (found != NULL) {
        found[strcspn(found, "\n")] = '\0';
        return found + 6;
    }
    last = last == NULL ? output : last + 1;
    return *last == '\0' ? "no reason given" : last;
}

void report(const struct test *test, const struct settings *settings, const char *directory, int status, double seconds,
            struct tally *tally)
{
    char *output = read_end(directory, "output"), *reasons = joined(read_end(directory, "reason")), time[32] = "";
    int   result = WIFEXITED(status) ? WEXITSTATUS(status) : RESULT_FAILED;
    if (!WIFEXITED(status))
        snprintf(reasons, SHOWN_BYTES, "its keeper died, wait status %d", status);
    if (result != RESULT_FAILED && refused(settings->refuse, output) != NULL) {
        snprintf(reasons, SHOWN_BYTES, "printed \"%s\"", refused(settings->refuse, output));
        result = RESULT_FAILED;
    }
    if (settings->times)
        snprintf(time, sizeof time, " # %.2f s", seconds);
    if (settings->must_fail) {
        bool is_good = result == RESULT_FAILED && is_as_expected(test, output, reasons);
        snprintf(time, sizeof time, result == RESULT_FAILED ? "" : " (it did not fail)");
        result = is_good ? RESULT_PASSED : RESULT_FAILED;
    }
    if (result == RESULT_PASSED) {
        tally->passed++;
        printf("ok %s%s%s\n", test->name, settings->suffix, time);
        if (settings->suffix[0] == '\0') /* other kinds of build only repeat them */
            sums_read(output);
        print_notes(output);
    } else if (result == RESULT_SKIPPED) {
        tally->skipped++;
        printf("skip %s%s # %s\n", test->name, settings->suffix, skip_reason(output));
    } else {
        tally->failed++;
        printf("not ok %s%s # %s%s\n", test->name, settings->suffix, reasons, time);
        print_lines(output, "  | ");
    }
    fflush(stdout);
    free(output);
    free(reasons);
}
