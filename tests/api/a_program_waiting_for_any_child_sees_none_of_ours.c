/*
 * A program that waits for any child sees its own and no process of the pool, and gets no SIGCHLD for them; and a
 * program that ignores SIGCHLD, or has the kernel reap its children, can use a pool all the same.
 * Broken by: a wait loop that hangs or collects the supervisor; a kill or close that needs SIGCHLD.
 */
#include "tasks.h"

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
    (void)signal;
    signals++;
}

static void use(mortal_pool *pool, struct gate *gate)
{
    check_pool_works(pool);
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(endless), MORTAL_KILLED);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    check_pool_works(pool);
}

static void nobody_to_wait_for(void)
{
    int status;
    CHECK_EQ(wait(&status), -1);
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(waitpid(-1, &status, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(waitpid(0, &status, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
}

static void only_ones_own(void)
{
    int status = 0;
    pid_t own = fork();
    if (own == 0)
        _exit(7);
    CHECK_EQ(wait(&status), own);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    nobody_to_wait_for();
}

static void a_wait_loop_ends(struct gate *gate)
{
    struct sigaction counting = {.sa_handler = count_signal}, before;
    CHECK_OK(sigaction(SIGCHLD, &counting, &before));
    mortal_pool *pool = pool_with(2);
    nobody_to_wait_for();
    use(pool, gate);
    nobody_to_wait_for();
    drain(pool);
    nobody_to_wait_for();
    CHECK_EQ(signals, 0);
    pool = pool_with(1);
    only_ones_own();
    CHECK_EQ(signals, 1);
    drain(pool);
    CHECK_OK(sigaction(SIGCHLD, &before, NULL));
}

static void it_works_with_sigchld_set_to(void (*handler)(int), int flags, struct gate *gate)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    CHECK_OK(sigaction(SIGCHLD, &action, &before));
    mortal_pool *pool = pool_with(2);
    use(pool, gate);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
    CHECK_OK(sigaction(SIGCHLD, &before, NULL));
}

void test(void)
{
    struct gate *gates = gates_make(4);
    a_wait_loop_ends(&gates[0]);
    it_works_with_sigchld_set_to(SIG_IGN, 0, &gates[1]);
    it_works_with_sigchld_set_to(SIG_DFL, SA_NOCLDWAIT, &gates[2]);
    it_works_with_sigchld_set_to(count_signal, SA_NOCLDWAIT | SA_NOCLDSTOP, &gates[3]);
}
