/*
 * While a clean-up runs its task is still running for everybody: not started again, not killed twice, not lost to the
 * audit, counted; its worker's position is taken over meanwhile. A restartable task starts again after it, unless a kill
 * came meanwhile: that waits for the clean-up, within its time-out. Closing waits for it too. An open circuit breaker
 * does not keep clean-ups from running, and where no host can be made for one the verdict comes and says so.
 * Broken by: a task settled at its host's death, an audit that takes its word for a stray, a kill that is lost.
 */
#include "tasks.h"

struct scene {
    struct gate gate;    /* of the clean-up */
    word starts, cleaned;
    word started_before; /* an attempt began while the clean-up ran */
};

static int cleanup(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    uint32_t starts = atomic_load(&scene->starts);
    gate_pass(&scene->gate);
    if (atomic_load(&scene->starts) != starts)
        word_set(&scene->started_before, 1);
    word_add(&scene->cleaned, 1);
    return 0;
}

/* Crashes when it starts first. */
static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    struct scene *scene = *(struct scene *const *)input;
    word_add(&scene->starts, 1);
    if (mortal_task_attempt(task) > 1)
        return 0;
    CHECK_OK(mortal_task_on_death(task, cleanup, input, input_bytes));
    abort();
}

static mortal_future crash(mortal_pool *pool, struct scene *scene, uint32_t attempts)
{
    mortal_future future = submit_like(pool, body, &scene, sizeof scene, (mortal_task_options){.attempts = attempts});
    word_await(&scene->gate.arrived, 1);
    CHECK_EQ(look_at(future).phase, MORTAL_RUNNING);
    CHECK_EQ(stats_of(pool).running, 1);
    check_pool_works(pool); /* somebody else has taken over */
    return future;
}

/* Long enough for two audits. */
static void check_audits_leave_it(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = crash(pool, scene, 1);
    CHECK_ERR(mortal_future_wait(future, MS(1300), NULL), -ETIMEDOUT);
    CHECK_EQ(look_at(future).phase, MORTAL_RUNNING);
    gate_open(&scene->gate);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGABRT);
    CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_DONE);
    CHECK_EQ(atomic_load(&scene->cleaned), 1);
}

static void check_next_attempt_waits(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = crash(pool, scene, 2);
    gate_open(&scene->gate);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.attempts, 2);
    CHECK_EQ(verdict.cleanup, 0);
    CHECK_EQ(atomic_load(&scene->starts), 2);
    CHECK_EQ(atomic_load(&scene->cleaned), 1);
    CHECK_EQ(atomic_load(&scene->started_before), 0);
}

static void check_kill_meanwhile(mortal_pool *pool, struct scene *scene, bool all)
{
    mortal_future future = crash(pool, scene, 5);
    mortal_kill_report report;
    if (all) {
        CHECK_ERR(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MS(10), &report), -EINPROGRESS);
        CHECK_EQ(report.still_dying, 1);
    } else {
        CHECK_ERR(mortal_future_kill(future, 0, MS(10), NULL), -EINPROGRESS);
    }
    gate_open(&scene->gate);
    CHECK_EQ(wait_for(future).outcome, MORTAL_KILLED);
    CHECK_EQ(atomic_load(&scene->starts), 1);
    CHECK_EQ(atomic_load(&scene->cleaned), 1);
}

static void check_close_waits(struct scene *scene)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .cleanup_ns = MS(300)});
    (void)crash(pool, scene, 5);
    mortal_kill_report report;
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, &report)); /* nobody opens the gate */
    CHECK_EQ(report.killed, 1);
}

static void check_breaker(struct scene *scene)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .deaths = MORTAL_NONE, .standby = MORTAL_NONE});
    mortal_future future = submit_at(pool, body, scene);
    word_await(&scene->gate.arrived, 1);
    CHECK_EQ(stats_of(pool).breaker, 1);
    gate_open(&scene->gate);
    CHECK_EQ(wait_for(future).outcome, MORTAL_CRASHED);
    CHECK_EQ(atomic_load(&scene->cleaned), 1);
    CHECK_OK(mortal_pool_mend(pool));
    check_pool_works(pool);
    drain(pool);
}

static int init(const void *context, size_t context_bytes)
{
    (void)context_bytes;
    return atomic_load(*(word *const *)context) != 0;
}

static int body_that_spoils_init(mortal_task *task, const void *input, size_t input_bytes)
{
    struct scene *scene = *(struct scene *const *)input;
    CHECK_OK(mortal_task_on_death(task, cleanup, input, input_bytes));
    word_set(&scene->gate.passed, 1); /* the word that init looks at */
    abort();
}

static void check_missed(struct scene *scene)
{
    word *spoiled = &scene->gate.passed;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE, .init = init,
        .context = &spoiled, .context_bytes = sizeof spoiled, .cleanup_ns = MS(100)});
    mortal_verdict verdict = wait_for(submit_at(pool, body_that_spoils_init, scene));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cleanup, MORTAL_CLEANUP_MISSED);
    CHECK_EQ(atomic_load(&scene->cleaned), 0);
    word_set(spoiled, 0);
    check_pool_works(pool);
    drain(pool);
}

void test(void)
{
    struct scene *scenes = harness_shared(8 * sizeof *scenes);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .cleanup_ns = MORTAL_FOREVER});
    check_audits_leave_it(pool, &scenes[0]);
    check_next_attempt_waits(pool, &scenes[1]);
    check_kill_meanwhile(pool, &scenes[2], false);
    check_kill_meanwhile(pool, &scenes[3], true);
    drain(pool);
    check_close_waits(&scenes[4]);
    check_breaker(&scenes[5]);
    check_missed(&scenes[6]);
}
