/*
 * A pool that started by exec ends with its owner, however that goes: killed, or become another program. Nothing of it
 * is left.
 *
 * Broken by: not handing over what tells of the owner's end; an image that keeps our end of the link open.
 */
#include "board.h"

static int tell_pid(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    word_set(&board->pid, (uint32_t)getpid());
    compute_for_ever();
}

static void be_owner(int fd, bool becomes_other)
{
    mortal_pool *pool = exec_pool_with_board(&fd);
    CHECK_OK(mortal_pool_submit(pool, tell_pid, NULL, 0, NULL, NULL));
    word_await(&board->pid, 1);
    word_set(&board->gate, (uint32_t)supervisor_of(pool));
    if (becomes_other)
        execlp("sleep", "sleep", "1000", (char *)NULL);
    for (;;)
        pause();
}

void test(void)
{
    for (int becomes_other = 0; becomes_other < 2; becomes_other++) {
        int fd = board_open();
        pid_t owner = fork();
        CHECK(owner >= 0);
        if (owner == 0)
            be_owner(fd, becomes_other != 0);
        word_await(&board->gate, 1);
        if (!becomes_other)
            kill(owner, SIGKILL);
        harness_wait_gone((pid_t)atomic_load(&board->pid));
        harness_wait_gone((pid_t)atomic_load(&board->gate));
        kill(owner, SIGKILL);
        CHECK_EQ(waitpid(owner, NULL, 0), owner);
        board_close(fd);
    }
}
