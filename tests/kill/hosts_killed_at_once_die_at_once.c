/*
 * A kill of several hosts waits for none of them before it has killed the others. A debugger (which hears of the end of
 * what it traces before anybody else, and here does not listen) makes the first death take as long as it likes: the
 * others die meanwhile.
 * Broken by: a supervisor that kills one, waits, and kills the next.
 */
#include "tasks.h"

#include <sys/ptrace.h>

enum { HOSTS = 6 };

static void all_die_before_any_is_over(const pid_t *hosts)
{
    for (int i = 0; i < HOSTS; i++)
        POLL_UNTIL(state_of_process(hosts[i]) == 'Z');
}

void test(void)
{
    struct gate *gates = gates_make(HOSTS);
    mortal_pool *pool = pool_with(HOSTS);
    mortal_future futures[HOSTS];
    pid_t hosts[HOSTS];
    for (int i = 0; i < HOSTS; i++) {
        futures[i] = submit_at(pool, task_held, &gates[i]);
        word_await(&gates[i].arrived, 1);
        hosts[i] = host_of(futures[i]);
        if (ptrace(PTRACE_SEIZE, hosts[i], NULL, NULL) != 0)
            harness_skip("this process may not trace its children's children");
    }
    mortal_kill_report report;
    CHECK_ERR(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MS(1), &report), -EINPROGRESS);
    CHECK_EQ(report.still_dying, HOSTS);
    all_die_before_any_is_over(hosts);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    for (int i = HOSTS; i-- > 0;) {
        CHECK_EQ(waitpid(hosts[i], NULL, __WALL), hosts[i]);
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_KILLED);
    }
    CHECK_EQ(stats_of(pool).host_deaths, HOSTS);
    check_pool_works(pool);
    drain(pool);
}
