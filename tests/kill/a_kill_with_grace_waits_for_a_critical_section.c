/*
 * A task in a critical section goes on until that is over, within the grace of the kill, and no further: it is killed at
 * the end of the section, long before the grace is. A section cannot begin once the task was asked. No grace, no wait;
 * and when the grace is over a section that never ends is not waited for.
 * Broken by: a kill that cuts a section, one that waits for its whole grace, a task that goes on behind its section, a
 * section without a bound, a task that returns inside of one and loses its result.
 */
#include "tasks.h"

struct stage {
    struct gate gate;
    word whole, behind; /* it came to the end of the section; beyond */
};

static struct stage *stages;
static pid_t *owner;

static struct stage *stage_of(const void *input)
{
    return &stages[*(const uint32_t *)input];
}

/* Inside until it was asked, and then to the end. */
static int update(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct stage *stage = stage_of(input);
    CHECK_OK(mortal_task_shield(task, true));
    CHECK_OK(mortal_task_shield(task, true));
    word_add(&stage->gate.arrived, 1);
    while (!mortal_task_should_stop(task))
        ;
    CHECK_OK(mortal_task_shield(task, false)); /* the inner one */
    CHECK_OK(mortal_task_shield(task, true));  /* asked or not: the outer one is not over */
    CHECK_OK(mortal_task_shield(task, false));
    word_add(&stage->whole, 1);
    CHECK_OK(mortal_task_shield(task, false));
    word_add(&stage->behind, 1);
    return 0;
}

/* It interrupts the kill that asked it. */
static int update_unhindered(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct stage *stage = stage_of(input);
    CHECK_OK(mortal_task_shield(task, true));
    word_add(&stage->gate.arrived, 1);
    while (!mortal_task_should_stop(task))
        ;
    while (atomic_load(&stage->gate.open) == 0) {
        CHECK_EQ(kill(*owner, SIGUSR1), 0);
        harness_sleep_ms(1);
    }
    CHECK_OK(mortal_task_shield(task, false));
    CHECK_ERR(mortal_task_shield(task, true), -ECANCELED); /* it stays asked */
    return 0;
}

static int return_inside(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    CHECK_OK(mortal_task_shield(task, true));
    word_add(&stage_of(input)->gate.arrived, 1);
    while (!mortal_task_should_stop(task))
        ;
    return mortal_task_reply(task, "all of it", 10);
}

static int stay_inside(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    CHECK_OK(mortal_task_shield(task, true));
    word_add(&stage_of(input)->gate.arrived, 1);
    compute_for_ever();
}

/* In no section while it is asked; then it tries. */
static int begin_late(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    word_add(&stage_of(input)->gate.arrived, 1);
    while (!mortal_task_should_stop(task))
        ;
    CHECK_ERR(mortal_task_shield(task, true), -ECANCELED);
    CHECK_ERR(mortal_task_shield(task, false), -EINVAL);
    return 0;
}

static int tell_host(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return getpid();
}

static int call_it_wrongly(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    CHECK_ERR(mortal_task_shield(NULL, true), -EINVAL);
    CHECK_ERR(mortal_task_shield(task, false), -EINVAL);
    CHECK_OK(mortal_task_shield(task, true));
    CHECK_OK(mortal_task_shield(task, false));
    CHECK_ERR(mortal_task_shield(task, false), -EINVAL);
    return 0;
}

static uint32_t stage_next; /* one for each task */

static mortal_future start(mortal_pool *pool, mortal_function *function, mortal_task_options options)
{
    uint32_t number = stage_next++;
    mortal_future future = submit_like(pool, function, &number, sizeof number, options);
    word_await(&stages[number].gate.arrived, 1);
    return future;
}

enum how { FUTURE, POOL, RUNNING, GROUP, CLOSE, HOWS };

/* The grace is for ever: only the end of the section can end it. */
static void it_is_killed_at_the_end(enum how how)
{
    mortal_pool *pool = pool_with(1);
    mortal_group *group;
    mortal_kill_report report = {.killed = 1, .hosts = 1};
    CHECK_OK(mortal_group_open(&group, pool));
    const struct stage *stage = &stages[stage_next];
    mortal_future updater = start(pool, update, (mortal_task_options){.group = group});
    switch (how) {
    case FUTURE:
        CHECK_OK(mortal_future_kill(updater, MORTAL_FOREVER, MORTAL_FOREVER, NULL));
        break;
    case POOL:
        CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, MORTAL_FOREVER, MORTAL_FOREVER, &report));
        break;
    case RUNNING:
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, MORTAL_FOREVER, MORTAL_FOREVER, &report));
        break;
    case GROUP:
        CHECK_OK(mortal_group_kill(group, MORTAL_UNENDED, MORTAL_FOREVER, MORTAL_FOREVER, &report));
        break;
    default:
        CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, MORTAL_FOREVER, &report));
    }
    CHECK_EQ(report.killed, 1);
    CHECK_EQ(report.hosts, 1);
    CHECK_EQ(report.finished_first + report.still_dying + report.never_started, 0);
    CHECK_EQ(atomic_load(&stage->whole), 1);
    CHECK_EQ(atomic_load(&stage->behind), 0);
    if (how == CLOSE)
        return;
    mortal_verdict verdict = wait_for(updater);
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    CHECK_EQ(verdict.attempts, 1);
    check_pool_works(pool);
    drain(pool);
}

static void ignore(int number)
{
    (void)number;
}

/* Given up during its grace: nobody waits for the section any more, and its end is not the task's. */
static void a_kill_that_was_given_up_is_not_waited_for(mortal_pool *pool)
{
    struct sigaction action = {.sa_handler = ignore}, before;
    CHECK_EQ(sigaction(SIGUSR1, &action, &before), 0);
    struct stage *stage = &stages[stage_next];
    mortal_future future = start(pool, update_unhindered, (mortal_task_options){0});
    CHECK_ERR(mortal_future_kill(future, MORTAL_FOREVER, MORTAL_FOREVER, NULL), -EINTR);
    gate_open(&stage->gate);
    int error;
    while ((error = mortal_future_wait(future, LIMIT, NULL)) == -EINTR)
        ;
    CHECK_EQ(error, 0);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    struct stage *last = &stages[stage_next];
    future = start(pool, update_unhindered, (mortal_task_options){0});
    CHECK_ERR(mortal_pool_kill(pool, MORTAL_RUNNING, MORTAL_FOREVER, MORTAL_FOREVER, NULL), -EINTR);
    gate_open(&last->gate);
    while ((error = mortal_future_wait(future, LIMIT, NULL)) == -EINTR)
        ;
    CHECK_EQ(error, 0);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}

/* A section holds off what is aimed at its own task. */
static void a_neighbour_is_not_waited_for(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    mortal_future inside = start(pool, stay_inside, (mortal_task_options){0});
    mortal_future aimed_at = submit_at(pool, task_endless, &stages[stage_next].gate);
    word_await(&stages[stage_next++].gate.arrived, 1);
    CHECK_OK(mortal_future_kill(aimed_at, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(aimed_at), MORTAL_KILLED);
    CHECK_EQ(outcome_of(inside), MORTAL_COLLATERAL);
    drain(pool);
}

/* Its host is being replaced meanwhile, and claims nothing more: that changes nothing for what runs in it. */
static void in_a_host_that_leaves(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2, .recycle_tasks = 3});
    struct stage *stage = &stages[stage_next];
    mortal_verdict verdict = {0};
    mortal_future inside = start(pool, update, (mortal_task_options){0});
    pid_t host = host_of(inside), other = host;
    while (other == host) { /* until somebody else takes the others */
        mortal_future next = submit(pool, tell_host, NULL, 0);
        other = wait_for(next).status;
        CHECK_OK(mortal_future_release(next));
    }
    CHECK_OK(mortal_future_kill(inside, MORTAL_FOREVER, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    CHECK_EQ(atomic_load(&stage->whole), 1);
    CHECK_EQ(atomic_load(&stage->behind), 0);
    drain(pool);
}

static void the_bound_is_the_killers(mortal_pool *pool)
{
    mortal_verdict verdict = {0};
    CHECK_OK(mortal_future_kill(start(pool, stay_inside, (mortal_task_options){0}), 0, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    CHECK_OK(mortal_future_kill(start(pool, stay_inside, (mortal_task_options){0}), MS(20), MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    mortal_future inside = start(pool, stay_inside, (mortal_task_options){0});
    mortal_pool_kill_now(pool, MORTAL_RUNNING);
    CHECK_EQ(outcome_of(inside), MORTAL_KILLED);
    CHECK_OK(mortal_future_kill(start(pool, begin_late, (mortal_task_options){0}), LIMIT, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
}

static void who_returns_inside_has_finished(mortal_pool *pool)
{
    mortal_verdict verdict = {0};
    CHECK_OK(mortal_future_kill(start(pool, return_inside, (mortal_task_options){0}), LIMIT, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_STR((const char *)verdict.result, "all of it");
    for (unsigned i = 0; i < 4; i++) /* who comes next on that worker is in none */
        CHECK_EQ(outcome_of(submit(pool, call_it_wrongly, NULL, 0)), MORTAL_DONE);
}

void test(void)
{
    stages = harness_shared(64 * sizeof *stages);
    owner = harness_shared(sizeof *owner);
    *owner = getpid();
    for (enum how how = 0; how < HOWS; how++)
        it_is_killed_at_the_end(how);
    a_neighbour_is_not_waited_for();
    in_a_host_that_leaves();
    mortal_pool *pool = pool_with(1);
    the_bound_is_the_killers(pool);
    who_returns_inside_has_finished(pool);
    a_kill_that_was_given_up_is_not_waited_for(pool);
    check_pool_works(pool);
    drain(pool);
}
