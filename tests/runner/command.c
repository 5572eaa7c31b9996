#include "runner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

void command_exec(const struct test *test, const struct settings *settings)
{
    static char wrap[4096], shell[] = "sh", python[] = "python3";
    char       *words[64], *rest = wrap, *word;
    int         count = 0;
    bool        is_shell = ends_in(test->path, ".sh"), is_python = ends_in(test->path, ".py");
    snprintf(wrap, sizeof wrap, "%s", settings->wrap);
    while (!is_shell && !is_python && (word = strsep(&rest, " ")) != NULL && count < 60)
        if (*word != '\0')
            words[count++] = word;
    if (is_shell || is_python)
        words[count++] = is_shell ? shell : python;
    words[count++] = test->path;
    words[count] = NULL;
    execvp(words[0], words);
    fprintf(stderr, "runner: %s: %s\n", words[0], strerror(errno));
}
