/*
 * Ctrl-C signals the whole foreground process group: the owner decides what to do, hosts and supervisor go on.
 * Broken by: hosts in the owner's process group that die before the owner has finished what it wants to finish.
 */
#include "tasks.h"

static volatile sig_atomic_t interrupts;

static void note_interrupt(int signal)
{
    (void)signal;
    interrupts++;
}

static _Noreturn void be_interrupted(struct gate *gate)
{
    static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};
    setpgid(0, 0);
    for (unsigned i = 0; i < COUNT(signals); i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = note_interrupt, .sa_flags = SA_RESTART}, NULL);
    mortal_pool *pool = pool_with(1);
    mortal_future future = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    for (unsigned i = 0; i < COUNT(signals); i++)
        CHECK_OK(kill(0, signals[i]));
    CHECK_EQ(interrupts, COUNT(signals));
    CHECK_EQ(look_at(future).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    check_pool_works(pool);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    drain(pool);
    _exit(0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    int status = 0;
    pid_t owner = fork();
    if (owner == 0)
        be_interrupted(gate);
    CHECK_EQ(waitpid(owner, &status, 0), owner);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
