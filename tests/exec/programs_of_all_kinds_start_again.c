/*
 * However a program was linked (shared or static library, with the call in main or with --wrap=main, position
 * independent or not, all static, in C++ with constructors, with link-time optimisation), its pool starts by exec, main
 * runs once, and tasks see what constructors made.
 *
 * Broken by: entering from a constructor; addresses that travel; main run a second time.
 */
#include "board.h"

static int run_and_count(const char *name, unsigned *mains)
{
    char *const arguments[] = {(char *)(uintptr_t)name, NULL};
    char line[256];
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    int before = dup(1);
    dup2(ends[1], 1);
    close(ends[1]);
    int code = run_program(name, arguments);
    dup2(before, 1);
    close(before);
    FILE *said = fdopen(ends[0], "r");
    for (*mains = 0; fgets(line, sizeof line, said) != NULL;)
        *mains += strcmp(line, "main\n") == 0;
    fclose(said);
    return code;
}

void test(void)
{
    static const char *const kinds[] = {"shared", "wrapped", "static", "static-wrapped", "not-pie", "all-static", "lto"};
    unsigned mains, tried = 0;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int code = run_and_count(kinds[i], &mains);
        if (code == 126)
            continue; /* not in this build */
        tried++;
        if (code != 0 || mains != 1)
            harness_fail(__FILE__, __LINE__, "%s: exit code %d, main ran %u times", kinds[i], code, mains);
    }
    CHECK(tried >= 4);
    int code = run_and_count("objects", &mains);
    if (code == 126)
        harness_note("no C++ compiler: not tried with constructors of C++");
    else
        CHECK_EQ(code, 0);
}
