/*
 * While init fails, starts come ever less often and nothing is busy in between; tasks that wait can be killed and
 * expire meanwhile, and run as soon as init works again.
 * Broken by: a respawn without a pause, a supervisor that polls, a pause in which nobody listens.
 */
#include "tasks.h"

enum { FAILURES = 8, INITS_MOST = 64, SWITCHES_PER_START = 40 };

struct scene {
    struct gate gates[2];
    word inits, failures_left;
    uint64_t when[INITS_MOST];
};

static int prepare(const void *context, size_t context_bytes)
{
    (void)context_bytes;
    struct scene *scene = *(struct scene *const *)context;
    uint32_t number = atomic_load(&scene->inits);
    if (number < INITS_MOST)
        scene->when[number] = mortal_now_ns();
    word_add(&scene->inits, 1);
    uint32_t left = atomic_load(&scene->failures_left);
    if (left > 0)
        atomic_store(&scene->failures_left, left - 1);
    return left > 0;
}

static void kill_the_host(mortal_pool *pool, struct gate *gate)
{
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
}

/* Start 0 was good, then came the failures. The pause after the first one is none, then 10, 20, 40 ms and so on. */
static void check_pauses(const struct scene *scene)
{
    for (uint32_t failure = 2; failure <= FAILURES; failure++)
        CHECK(scene->when[failure + 1] - scene->when[failure] >= MS(10) << (failure - 2));
}

/* What the supervisor did between two starts, the longest pause so far among them. */
static void check_idle(mortal_pool *pool, struct scene *scene)
{
    pid_t supervisor = supervisor_of(pool);
    word_await(&scene->inits, FAILURES);
    long before = status_of(supervisor, "voluntary_ctxt_switches:");
    CHECK(before > 0);
    word_await(&scene->inits, FAILURES + 1);
    CHECK(status_of(supervisor, "voluntary_ctxt_switches:") - before < SWITCHES_PER_START);
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE, .init = prepare,
                                                        .context = &scene, .context_bytes = sizeof scene});
    atomic_store(&scene->failures_left, FAILURES);
    kill_the_host(pool, &scene->gates[0]);
    mortal_future patient = submit(pool, task_nothing, NULL, 0);
    mortal_future expires = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.within_ns = MS(30)});
    mortal_future killed = submit(pool, task_nothing, NULL, 0);
    CHECK_OK(mortal_future_kill(killed, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(killed), MORTAL_CANCELLED);
    check_idle(pool, scene);
    CHECK_EQ(outcome_of(expires), MORTAL_EXPIRED);
    CHECK_EQ(outcome_of(patient), MORTAL_DONE);
    CHECK_EQ(atomic_load(&scene->inits), 1 + FAILURES + 1);
    CHECK_EQ(stats_of(pool).failed_starts, FAILURES);
    check_pauses(scene);

    /* A close in the middle of a pause does not wait for its end. */
    atomic_store(&scene->failures_left, UINT32_MAX);
    kill_the_host(pool, &scene->gates[1]);
    word_await(&scene->inits, 1 + FAILURES + 1 + 3);
    submit(pool, task_nothing, NULL, 0);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_CANCEL, MORTAL_FOREVER, NULL));
}
