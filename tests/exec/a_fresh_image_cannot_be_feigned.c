/*
 * Arguments, environment and descriptors that look like those of a fresh image do not make a program one: its main runs
 * as ever. Only its own program could, and then main runs in no case.
 *
 * Broken by: believing the environment; believing a socket without asking who made it, and what program that is.
 */
#include "board.h"

#include <sys/socket.h>

enum way { MARK_ALONE, MARK_OF_ANOTHER, MARK_AND_PIPE, MARK_AND_SOCKET, MARK_AND_NOTE, SOCKET_ALONE, GARBAGE, WAYS };

/* As in src/region/boarding.h. */
static const uint64_t note[2] = {0x6d6f7274616c2031ull, 1 << 20};

static void feign(enum way way, char *mark, size_t room)
{
    int ends[2] = {-1, -1};
    if (way == MARK_AND_PIPE)
        CHECK_EQ(pipe(ends), 0);
    if (way == MARK_AND_SOCKET || way == MARK_AND_NOTE || way == SOCKET_ALONE)
        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    if (way == MARK_AND_NOTE || way == SOCKET_ALONE)
        CHECK_EQ(send(ends[0], note, sizeof note, 0), sizeof note);
    int owner = way == MARK_OF_ANOTHER ? 1 : (int)getpid();
    if (way == GARBAGE)
        snprintf(mark, room, "MORTAL_SUPERVISOR_OF=%d.3.%s", owner, "9999999999999999999999999999");
    else
        snprintf(mark, room, "%s=%d.%d", way == SOCKET_ALONE ? "NOTHING" : "MORTAL_SUPERVISOR_OF", owner, ends[1] < 0 ? 3 : ends[1]);
}

/* The child of a child: its parent has to be the one that made the socket. Returns its exit code. */
static int start(enum way way, const char *program, const char *argument, int out)
{
    pid_t maker = fork();
    int status;
    CHECK(maker >= 0);
    if (maker == 0) {
        char mark[128], *environment[] = {mark, NULL};
        char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
        feign(way, mark, sizeof mark);
        pid_t child = fork();
        if (child == 0) {
            dup2(out, 1);
            execve(program, arguments, environment);
            _exit(126);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
    }
    CHECK_EQ(waitpid(maker, &status, 0), maker);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

void test(void)
{
    char path[1024], said[4096];
    snprintf(path, sizeof path, "%s/tests/exec/shared", getenv("BUILD"));
    for (int way = 0; way < WAYS; way++) {
        int ends[2];
        CHECK_EQ(pipe(ends), 0);
        int code = start((enum way)way, path, NULL, ends[1]);
        close(ends[1]);
        ssize_t got = read(ends[0], said, sizeof said - 1);
        said[got > 0 ? got : 0] = '\0';
        close(ends[0]);
        if (code != 0 || strcmp(said, "main\n") != 0)
            harness_fail(__FILE__, __LINE__, "way %d: exit code %d, said \"%s\"", way, code, said);
    }
}
