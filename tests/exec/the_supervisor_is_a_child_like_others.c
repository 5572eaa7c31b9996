/*
 * With MORTAL_START_EXEC the program's own wait() sees the supervisor, as the documentation says, and it harms nothing:
 * who reaps it first does not matter, nor if SIGCHLD is ignored. Killed, it leaves every future lost, and no host.
 *
 * Broken by: waiting without end for a child that somebody else reaped; learning of its end by SIGCHLD.
 */
#include "board.h"

static int tell_pid(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    word_set(&board->pid, (uint32_t)getpid());
    compute_for_ever();
}

static void killed_and_reaped_by_others(void)
{
    int fd = board_open();
    mortal_pool *pool = exec_pool_with_board(&fd);
    mortal_future future;
    mortal_verdict verdict;
    CHECK_OK(mortal_pool_submit(pool, tell_pid, NULL, 0, NULL, &future));
    word_await(&board->pid, 1);
    pid_t supervisor = supervisor_of(pool);
    CHECK_EQ(kill(supervisor, SIGKILL), 0);
    CHECK_EQ(waitpid(-1, NULL, 0), supervisor);
    CHECK_OK(mortal_future_wait(future, LIMIT, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_LOST);
    harness_wait_gone((pid_t)atomic_load(&board->pid));
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
    board_close(fd);
}

static void with_sigchld_ignored(void)
{
    signal(SIGCHLD, SIG_IGN);
    mortal_pool_options options = {.workers = 1};
    mortal_pool *pool = exec_pool(&options);
    check_pool_works(pool);
    CHECK_EQ(run_one(pool, task_crash, NULL, 0).outcome, MORTAL_CRASHED);
    check_pool_works(pool);
    drain(pool);
    signal(SIGCHLD, SIG_DFL);
}

void test(void)
{
    killed_and_reaped_by_others();
    with_sigchld_ignored();
}
