/*
 * A task that ends its process has crashed, with any code and by any door, even exit(0); the verdict says which
 * code.
 * Broken by: an exit that counts as success, or exit handlers of the owner that run in a host.
 */
#include "tasks.h"

static word *handler_ran;

static void owners_handler(void)
{
    if (handler_ran)
        word_add(handler_ran, 1);
}

static void by_exit_zero(void)
{
    exit(0);
}

static void by_exit(void)
{
    exit(3);
}

static void by_exit_at_once(void)
{
    _exit(5);
}

static void by_quick_exit(void)
{
    quick_exit(7);
}

static void by_system_call(void)
{
    syscall(SYS_exit_group, 9);
}

static const struct {
    void (*leave)(void);
    int code;
} doors[] = {{by_exit_zero, 0}, {by_exit, 3}, {by_exit_at_once, 5}, {by_quick_exit, 7}, {by_system_call, 9}};

static int leave(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    mortal_task_reply(task, "half", 5);
    doors[*(const unsigned *)input].leave();
    return 0;
}

void test(void)
{
    handler_ran = harness_shared(sizeof *handler_ran);
    CHECK_OK(atexit(owners_handler));
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < COUNT(doors); i++) {
        mortal_verdict verdict = wait_for(submit(pool, leave, &i, sizeof i));
        CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
        CHECK_EQ(verdict.cause, MORTAL_CAUSE_EXIT);
        CHECK_EQ(verdict.exit_code, doors[i].code);
        CHECK_EQ(verdict.signal, 0);
        CHECK_EQ(verdict.culprit, 1);
        CHECK(verdict.result == NULL);
        check_pool_works(pool);
    }
    drain(pool);
    CHECK_EQ(atomic_load(handler_ran), 0);
    handler_ran = NULL; /* this process itself may exit */
}
