/*
 * A close ends whatever the circuit breaker does: with an open one, before, and while it opens; one that drains lets
 * what runs come to its end, and cancels what cannot start. So does the loss of the supervisor.
 * Broken by: a drain that waits for tasks that nobody will start.
 */
#include "tasks.h"

#include <pthread.h>

enum { PENDING = 5 };

struct scene {
    mortal_pool *pool;
    struct gate *gates;
    mortal_future crasher, holder, pending[PENDING];
};

struct opener {
    struct scene *scene;
    uint32_t waiter; /* the thread that closes the pool */
    pid_t crashes;   /* the host that is to die first, or 0 */
};

static int crash_at_gate(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    gate_pass(*(struct gate *const *)input);
    abort();
}

static struct scene make(struct gate *gates)
{
    struct scene scene = {.gates = gates};
    memset(gates, 0, 2 * sizeof *gates);
    scene.pool = pool_like((mortal_pool_options){.workers = 2, .deaths = MORTAL_NONE});
    scene.crasher = submit_at(scene.pool, crash_at_gate, &gates[0]);
    scene.holder = submit_at(scene.pool, task_held, &gates[1]);
    word_await(&gates[0].arrived, 1);
    word_await(&gates[1].arrived, 1);
    for (unsigned i = 0; i < PENDING; i++)
        scene.pending[i] = submit(scene.pool, task_nothing, NULL, 0);
    return scene;
}

static void open_breaker(struct scene *scene)
{
    gate_open(&scene->gates[0]);
    CHECK_EQ(outcome_of(scene->crasher), MORTAL_CRASHED);
    CHECK_EQ(stats_of(scene->pool).breaker, 1);
}

static void *open_when_it_sleeps(void *argument)
{
    const struct opener *opener = argument;
    char who[64];
    snprintf(who, sizeof who, "self/task/%u", opener->waiter);
    POLL_UNTIL(state_of(who) == 'S');
    if (opener->crashes != 0) {
        gate_open(&opener->scene->gates[0]);
        POLL_UNTIL(kill(opener->crashes, 0) != 0); /* reaped, which comes after the breaker opened; a zombie is not */
    }
    gate_open(&opener->scene->gates[1]);
    return NULL;
}

/* One host is free when the other's task is over, and would run all that waits. */
static void a_drain_ends(struct gate *gates, bool is_open_before)
{
    struct scene scene = make(gates);
    struct opener opener = {.scene = &scene, .waiter = (uint32_t)syscall(SYS_gettid)};
    mortal_kill_report report;
    pthread_t thread;
    if (is_open_before)
        open_breaker(&scene);
    else
        opener.crashes = host_of(scene.crasher);
    CHECK_OK(pthread_create(&thread, NULL, open_when_it_sleeps, &opener));
    CHECK_OK(mortal_pool_close(scene.pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, &report));
    CHECK_OK(pthread_join(thread, NULL));
    until_single_threaded();
    CHECK_EQ(atomic_load(&gates[1].passed), 1);
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.killed, 0);
}

static void the_other_ways(struct gate *gates)
{
    static const int ways[] = {MORTAL_CLOSE_CANCEL, MORTAL_CLOSE_KILL};
    for (unsigned i = 0; i < COUNT(ways); i++) {
        struct scene scene = make(gates);
        mortal_kill_report report;
        open_breaker(&scene);
        CHECK_OK(mortal_pool_close(scene.pool, ways[i], 0, &report));
        CHECK_EQ(report.never_started, PENDING);
        CHECK_EQ(report.killed, 1);
    }
}

/* What waits for the mend is lost with the supervisor, at once, and a mend says that it is too late. */
static void the_supervisor_is_lost(struct gate *gates)
{
    struct scene scene = make(gates);
    open_breaker(&scene);
    pid_t host = host_of(scene.holder);
    CHECK_OK(kill(supervisor_of(scene.pool), SIGKILL));
    CHECK_EQ(outcome_of(scene.holder), MORTAL_LOST);
    for (unsigned i = 0; i < PENDING; i++)
        CHECK_EQ(outcome_of(scene.pending[i]), MORTAL_LOST);
    CHECK_ERR(mortal_pool_mend(scene.pool), -EOWNERDEAD);
    CHECK_ERR(mortal_pool_submit(scene.pool, task_nothing, NULL, 0, NULL, NULL), -EOWNERDEAD);
    CHECK_EQ(stats_of(scene.pool).breaker, 0);
    harness_wait_gone(host);
    drain(scene.pool);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    a_drain_ends(gates, true);
    a_drain_ends(gates, false);
    the_other_ways(gates);
    the_supervisor_is_lost(gates);
}
