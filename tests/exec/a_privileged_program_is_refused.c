/*
 * A program whose file is setuid or setgid gets no pool by exec, whoever runs it and whether that gave it rights or not:
 * started again, it could come by rights that its owner has given up.
 *
 * Broken by: looking only at whether this process has got rights; looking not at all.
 */
#include "board.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { NOBODY = 65534, REFUSED = 3 };

static int copy_program(mode_t mode)
{
    char path[1024], bytes[65536];
    ssize_t got;
    snprintf(path, sizeof path, "%s/tests/exec/static", getenv("BUILD"));
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open("privileged", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    CHECK(in >= 0 && out >= 0);
    while ((got = read(in, bytes, sizeof bytes)) > 0)
        CHECK_EQ(write(out, bytes, (size_t)got), got);
    close(in);
    CHECK_EQ(fchmod(out, mode), 0);
    close(out);
    int again = open("privileged", O_RDONLY); /* run through the descriptor, wherever the path leads another user */
    CHECK(again >= 0);
    CHECK_EQ(unlink("privileged"), 0);
    return again;
}

static int run_as(int program, bool as_nobody, char *said, size_t room)
{
    char *arguments[] = {(char *)(uintptr_t)"privileged", NULL}, *environment[] = {NULL};
    int ends[2], status;
    size_t used = 0;
    ssize_t got;
    CHECK_EQ(pipe(ends), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        if (as_nobody && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                          setresuid(NOBODY, NOBODY, NOBODY) != 0))
            _exit(125);
        fexecve(program, arguments, environment);
        _exit(126);
    }
    close(ends[1]);
    while ((got = read(ends[0], said + used, room - 1 - used)) > 0)
        used += (size_t)got;
    said[used] = '\0';
    close(ends[0]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void test(void)
{
    char said[2048];
    static const mode_t modes[] = {0755, 04755, 02755};
    for (size_t i = 0; i < COUNT(modes); i++) {
        for (int as_nobody = 0; as_nobody <= (geteuid() == 0); as_nobody++) {
            int program = copy_program(modes[i]);
            int code = run_as(program, as_nobody, said, sizeof said);
            close(program);
            if (i == 0 && (code != 0 || strcmp(said, "main\n") != 0))
                harness_fail(__FILE__, __LINE__, "plain: exit code %d: %s", code, said);
            if (i != 0 && (code != REFUSED || strstr(said, "setuid") == NULL))
                harness_fail(__FILE__, __LINE__, "mode %o, as nobody %d: exit code %d: %s", modes[i], as_nobody, code,
                             said);
        }
    }
    if (geteuid() != 0)
        harness_note("not root: tried only as the owner of the file");
}
