/*
 * What tests of pools that start by exec share with their tasks: hosts are another image of the test's program, and
 * have none of its memory. A memfd among keep_fds is mapped by both.
 */
#ifndef BOARD_H
#define BOARD_H

#include "tasks.h"

#include <sys/mman.h>

struct board {
    word preloads, inits, ran, gate, pid;
    char text[64];
};

static struct board *board; /* in the test by board_open(), in hosts by board_init() */

HELPER int board_open(void)
{
    int fd = memfd_create("board", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, sizeof *board) == 0);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(board != MAP_FAILED);
    return fd;
}

HELPER void board_close(int fd)
{
    munmap(board, sizeof *board);
    board = NULL;
    close(fd);
}

/* The context is the descriptor's number. */
HELPER int board_init(const void *context, size_t context_bytes)
{
    int fd;
    if (context_bytes != sizeof fd)
        return 1;
    memcpy(&fd, context, sizeof fd);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        return 2;
    word_add(&board->inits, 1);
    return 0;
}

HELPER mortal_pool *exec_pool(const mortal_pool_options *more)
{
    mortal_pool_options options = *more;
    mortal_pool *pool;
    options.size = sizeof options;
    options.start = MORTAL_START_EXEC;
    CHECK_OK(mortal_pool_open(&pool, &options));
    return pool;
}

HELPER mortal_pool *exec_pool_with_board(int *fd)
{
    mortal_pool_options options = {.workers = 2, .init = board_init, .context = fd, .context_bytes = sizeof *fd,
                                   .keep_fds = fd, .keep_fd_count = 1};
    return exec_pool(&options);
}

HELPER int task_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    compute_for_ever();
}

HELPER mortal_verdict run_one(mortal_pool *pool, mortal_function *function, const void *input, size_t input_bytes)
{
    mortal_future future;
    mortal_verdict verdict;
    CHECK_OK(mortal_pool_submit(pool, function, input, input_bytes, NULL, &future));
    CHECK_OK(mortal_future_wait(future, LIMIT, &verdict));
    return verdict;
}

/* A program of tests/exec/programs, with arguments; its exit code, 128 + signal if it was killed. */
HELPER int run_program(const char *name, char *const *arguments)
{
    char path[1024];
    int status;
    snprintf(path, sizeof path, "%s/tests/exec/%s", getenv("BUILD"), name);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execv(path, arguments);
        _exit(126);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
