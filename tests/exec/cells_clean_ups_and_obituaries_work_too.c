/*
 * In a pool that starts by exec tasks share cells with the program, what they left to be done when they were cut is done,
 * and obituaries tell of them, as in one that forks.
 *
 * Broken by: a segment or an address of the owner that is taken for one of the new image.
 */
#include "board.h"

static int add_one(void *value, void *unused)
{
    (void)unused;
    ++*(uint64_t *)value;
    return 0;
}

static int count(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    return mortal_cell_update(*(const mortal_cell *)input, add_one, NULL);
}

static int tidy(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task;
    memcpy(board->text, input, input_bytes);
    word_add(&board->ran, 1);
    return 0;
}

static int leave_and_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    CHECK_OK(mortal_task_on_death(task, tidy, input, input_bytes));
    mortal_task_log(task, "about to crash");
    raise(SIGSEGV);
    return 0;
}

void test(void)
{
    int fd = board_open();
    mortal_pool *pool = exec_pool_with_board(&fd);
    mortal_cell cell;
    uint64_t value = 40;
    CHECK_OK(mortal_cell_open(pool, sizeof value, &value, &cell));
    for (int i = 0; i < 2; i++)
        CHECK_EQ(run_one(pool, count, &cell, sizeof cell).outcome, MORTAL_DONE);
    CHECK_OK(mortal_cell_read(cell, &value, sizeof value));
    CHECK_EQ(value, 42);

    mortal_verdict verdict = run_one(pool, leave_and_crash, "tidied", 7);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_DONE);
    CHECK_EQ(atomic_load(&board->ran), 1);
    CHECK_STR(board->text, "tidied");

    mortal_obituary obituary;
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.signal, SIGSEGV);
    CHECK_EQ(obituary.line_count, 1);
    CHECK_STR(obituary.lines[0].text, "about to crash");
    drain(pool);
    board_close(fd);
}
