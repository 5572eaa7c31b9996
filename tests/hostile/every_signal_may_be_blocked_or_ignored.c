/*
 * A task may block and ignore every signal, for its whole host and for good: deadlines and kills end what runs there,
 * a crash is still a crash that tells its signal, and others go on.
 * Broken by: a kill, a last word or a wake-up by a signal that a task can refuse.
 */
#include "hostile.h"

static int refuse_all(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    sigset_t all;
    sigfillset(&all);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    return sigprocmask(SIG_SETMASK, &all, NULL);
}

static int fault(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    *(volatile int *)16 = 1;
    return 0;
}

static void refuse(mortal_pool *pool)
{
    CHECK_EQ(outcome_of(submit(pool, refuse_all, NULL, 0)), MORTAL_DONE);
    check_pool_works(pool);
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    struct gate *gates = gates_make(2);
    struct gate *second = &gates[1];
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);
    refuse(pool);
    mortal_verdict verdict = wait_for(submit(pool, fault, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGSEGV);
    refuse(pool);
    mortal_future future = submit_at(pool, task_endless, &gates[0]);
    word_await(&gates[0].arrived, 1);
    CHECK_EQ(kill_and_read(future), MORTAL_KILLED);
    refuse(pool);
    future = submit_like(pool, task_endless, &second, sizeof second, (mortal_task_options){.deadline_ns = MS(10)});
    CHECK_EQ(outcome_of(future), MORTAL_TIMED_OUT);
    refuse(pool);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
