/*
 * A program without the entry is refused before anything is started. One whose new image ends, hangs or has threads
 * before it comes to mortal_host_main is told so, in bounded time, and nothing of it is left. Constructors may be slow,
 * and may call the library: in the new image it refuses them. main runs once, in the program itself; also where a
 * constructor closes all descriptors. (What stands before the call in main does run in the new image.)
 *
 * Broken by: starting an image that nobody answers for; waiting for it without end; taking main for harmless.
 */
#include "board.h"

#include <poll.h>

/* All that it and whatever it started wrote. */
static void run_and_read(const char *name, char *text, size_t room)
{
    char *const arguments[] = {(char *)(uintptr_t)name, (char *)(uintptr_t)"first", NULL};
    int ends[2];
    size_t used = 0;
    ssize_t got;
    CHECK_EQ(pipe(ends), 0);
    int before = dup(1);
    dup2(ends[1], 1);
    close(ends[1]);
    int code = run_program(name, arguments);
    dup2(before, 1);
    close(before);
    while ((got = read(ends[0], text + used, room - 1 - used)) > 0) /* its end: nobody has the other end any more */
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    if (code != 0)
        harness_fail(__FILE__, __LINE__, "%s: exit code %d: %s", name, code, text);
}

static void check_told(const char *name, const char *mains, int error, const char *reason)
{
    char text[4096], start[32];
    run_and_read(name, text, sizeof text);
    snprintf(start, sizeof start, "%s%d ", mains, error);
    if (strncmp(text, start, strlen(start)) != 0 || strstr(text, reason) == NULL)
        harness_fail(__FILE__, __LINE__, "%s: not \"%s\" and \"%s\": %s", name, start, reason, text);
}

void test(void)
{
    char text[4096];
    check_told("stray-no-entry", "main\n", -ENOTSUP, "call mortal_host_main()");
    /* What stands before the call runs in the new image too: the one thing that nobody can prevent. */
    check_told("stray-late-entry", "main\nmain\n", -ECANCELED, "first of all in main");
    check_told("stray-leaves", "main\n", -ECANCELED, "ended before it came to mortal_host_main()");
    check_told("stray-hangs", "main\n", -ECANCELED, "within start_ns");
    check_told("stray-thread", "main\n", -ECANCELED, "had 2 threads before main");
    check_told("stray-closes", "main\n", -ECANCELED, "ended before it came to mortal_host_main()");
    check_told("stray-slow", "main\n", 0, "in a host");
    run_and_read("stray-pool", text, sizeof text);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "main\n0 \nin a host: %d\n", -EPERM);
    CHECK_STR(text, wanted);
}
