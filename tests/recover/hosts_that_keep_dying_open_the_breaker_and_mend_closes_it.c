/*
 * One host more than allowed that ended unasked, in whatever way, opens the circuit breaker: submits are refused at
 * once with the reason, until mortal_pool_mend() closes it and counting starts afresh. Without the option there is
 * none.
 * Broken by: a way to die that is not counted, a death counted twice, a refusal without a reason, a mend that leaves
 * the pool without hosts or the count as it was.
 */
#include "tasks.h"

#include <pthread.h>

enum { DEATHS = 2, MANY = 20 };

enum way { BY_SIGNAL, BY_EXIT, BY_EXEC, BY_THREAD_EXIT, FROM_OUTSIDE, WHILE_IDLE, AS_STANDBY, WAYS };

static const char *const reasons[WAYS] = {"by SIGSEGV", "by exit, code 37", "by exec", "since a thread of it was ended",
                                          "by SIGKILL", "by SIGKILL", "by SIGKILL"};

static int die(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    switch (*(const enum way *)input) {
    case BY_SIGNAL:
        *(volatile int *)16 = 1;
        return 1;
    case BY_EXIT:
        exit(37);
    case BY_EXEC:
        execl("/bin/sleep", "sleep", "1000", (char *)NULL);
        return 1;
    default:
        pthread_exit(NULL);
    }
}

/* The supervisor's other child that is a host; 0: it has none at this instant, or the one before is not gone yet. */
static pid_t child_beside(pid_t supervisor, pid_t host)
{
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    pid_t other = 0;
    unsigned others = 0;
    while (fscanf(file, "%d", &child) == 1)
        if (child != host && !is_sitter(child) && others++ == 0)
            other = child;
    fclose(file);
    return others != 1 || harness_process_gone(other) ? 0 : other;
}

/* One that is ready: what died while it started would be told as that. Two requests later the supervisor has counted again. */
static pid_t standby_beside(mortal_pool *pool, pid_t host)
{
    pid_t supervisor = supervisor_of(pool), standby = 0;
    for (int request = 0; request < 2; request++)
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
    POLL_UNTIL((standby = child_beside(supervisor, host)) != 0 && stats_of(pool).standby == 1);
    return standby;
}

static void let_one_die(mortal_pool *pool, enum way way, struct gate *gate)
{
    uint64_t deaths = stats_of(pool).host_deaths;
    if (way < FROM_OUTSIDE) {
        CHECK_EQ(outcome_and_release(submit(pool, die, &way, sizeof way)), MORTAL_CRASHED);
    } else if (way == FROM_OUTSIDE) {
        atomic_store(&gate->arrived, 0);
        mortal_future endless = submit_at(pool, task_endless, gate);
        word_await(&gate->arrived, 1);
        CHECK_OK(kill(host_of(endless), SIGKILL));
        CHECK_EQ(outcome_and_release(endless), MORTAL_CRASHED);
    } else {
        pid_t host = host_when_idle(pool, gate);
        CHECK_OK(kill(way == WHILE_IDLE ? host : standby_beside(pool, host), SIGKILL));
        POLL_UNTIL(stats_of(pool).host_deaths > deaths);
    }
    CHECK_EQ(stats_of(pool).host_deaths, deaths + 1);
}

static void check_refused(mortal_pool *pool, enum way way)
{
    mortal_future future = {0, 0};
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, &future), -EHOSTDOWN);
    CHECK(strstr(mortal_why(), "more than 2 hosts ended unasked within 60 s, the last one ") != NULL);
    CHECK(strstr(mortal_why(), reasons[way]) != NULL);
    CHECK(strstr(mortal_why(), "mortal_pool_mend") != NULL);
    CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, NULL, &future), -EHOSTDOWN);
    mortal_job job = {task_nothing, NULL, 0, NULL};
    CHECK_ERR(mortal_pool_submit_many(pool, &job, 1, NULL, &future, NULL), -EHOSTDOWN);
    CHECK(future.place == 0 && future.life == 0);
}

static void check_way(mortal_pool *pool, enum way way, struct gate *gate, uint32_t opened)
{
    for (int death = 0; death < DEATHS; death++) {
        let_one_die(pool, way, gate);
        CHECK_EQ(stats_of(pool).breaker, 0);
        check_pool_works(pool);
    }
    let_one_die(pool, way, gate);
    POLL_UNTIL(stats_of(pool).breaker == 1); /* at once where a verdict told of the death */
    CHECK_EQ(stats_of(pool).breaker_opened, opened);
    check_refused(pool, way);
    CHECK_OK(mortal_pool_mend(pool));
    CHECK_EQ(stats_of(pool).breaker, 0);
    CHECK_EQ(stats_of(pool).breaker_opened, opened);
    check_pool_works(pool);
}

static void the_verdict_comes_after_the_opening(void)
{
    enum way way = BY_SIGNAL;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .deaths = MORTAL_NONE});
    for (uint32_t opened = 1; opened <= MANY; opened++) {
        mortal_future future = submit(pool, die, &way, sizeof way);
        CHECK_EQ(outcome_and_release(future), MORTAL_CRASHED);
        CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -EHOSTDOWN);
        CHECK_EQ(stats_of(pool).breaker_opened, opened);
        CHECK_OK(mortal_pool_mend(pool));
    }
    drain(pool);
}

static void there_is_none_unless_asked_for(void)
{
    enum way way = BY_EXIT;
    mortal_pool *pool = pool_with(1);
    for (int death = 0; death < MANY; death++)
        CHECK_EQ(outcome_and_release(submit(pool, die, &way, sizeof way)), MORTAL_CRASHED);
    CHECK_EQ(stats_of(pool).breaker_opened, 0);
    drain(pool);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .deaths = DEATHS});
    for (enum way way = BY_SIGNAL; way < WAYS; way++)
        check_way(pool, way, gate, way + 1);
    drain(pool);
    the_verdict_comes_after_the_opening();
    there_is_none_unless_asked_for();
}
