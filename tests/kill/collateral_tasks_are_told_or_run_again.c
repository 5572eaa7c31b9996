/*
 * With several workers in a host, a kill or crash of one task takes the others with it: they end collateral, or run
 * again uncharged if they are restartable.
 * Broken by: an innocent that is called killed or crashed, or pays with an attempt for what another did.
 */
#include "tasks.h"

struct scene {
    struct gate innocent, culprit;
    word attempts; /* the sum of the attempt numbers that the innocent saw */
};

static int innocent(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    atomic_fetch_add(&scene->attempts, mortal_task_attempt(task));
    gate_pass(&scene->innocent);
    return 0;
}

static int crash_when_told(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    gate_pass(*(struct gate *const *)input);
    *(volatile int *)16 = 1;
    return 0;
}

static mortal_future submit_innocent(mortal_pool *pool, struct scene *scene, uint32_t attempts)
{
    mortal_task_options options = {.attempts = attempts};
    mortal_future future = submit_like(pool, innocent, &scene, sizeof scene, options);
    word_await(&scene->innocent.arrived, 1);
    return future;
}

static void bring_down(mortal_pool *pool, struct scene *scene, bool by_crash)
{
    mortal_future culprit = submit_at(pool, by_crash ? crash_when_told : task_endless, &scene->culprit);
    word_await(&scene->culprit.arrived, 1);
    if (by_crash)
        gate_open(&scene->culprit);
    else
        CHECK_OK(mortal_future_kill(culprit, 0, MORTAL_FOREVER, NULL));
    mortal_verdict verdict = wait_for(culprit);
    CHECK_EQ(verdict.outcome, by_crash ? MORTAL_CRASHED : MORTAL_KILLED);
    CHECK(verdict.culprit || !by_crash);
}

static void it_is_told(mortal_pool *pool, struct scene *scene, bool by_crash)
{
    mortal_future future = submit_innocent(pool, scene, 1);
    bring_down(pool, scene, by_crash);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_COLLATERAL);
    CHECK_EQ(verdict.cause, by_crash ? MORTAL_CAUSE_SIGNAL : 0);
    CHECK_EQ(verdict.signal, by_crash ? SIGSEGV : 0);
    CHECK_EQ(verdict.culprit, 0);
}

static void it_runs_again(mortal_pool *pool, struct scene *scene, bool by_crash)
{
    mortal_future future = submit_innocent(pool, scene, 2);
    uint64_t requeued = stats_of(pool).requeued;
    bring_down(pool, scene, by_crash);
    word_await(&scene->innocent.arrived, 2);
    gate_open(&scene->innocent);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.attempts, 1);
    CHECK_EQ(atomic_load(&scene->attempts), 2); /* both times it was told: the first */
    CHECK_EQ(stats_of(pool).requeued, requeued + 1);
}

void test(void)
{
    struct scene *scenes = harness_shared(4 * sizeof *scenes);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    for (unsigned by_crash = 0; by_crash < 2; by_crash++) {
        it_is_told(pool, &scenes[2 * by_crash], by_crash);
        it_runs_again(pool, &scenes[2 * by_crash + 1], by_crash);
    }
    check_pool_works(pool);
    drain(pool);
}
