/*
 * When the circuit breaker opens, everybody who waits for something that is pending is told so, asleep or not, by
 * whatever call and by the descriptor; what runs goes on; nothing starts, though a host is free; what is pending can
 * be cancelled, killed and expires; and after the mend all the rest runs.
 * Broken by: a waiter that nobody wakes, a survivor that goes on claiming, a queue that is lost or cut.
 */
#include "tasks.h"

#include <poll.h>
#include <pthread.h>

enum { PENDING = 8, SLEEPERS = 4, CANCELLED = 1, KILLED = 2 };

struct scene {
    struct gate *crash, *held;
    word *ran;
    mortal_pool *pool;
    mortal_group *polled, *slept_on, *with_one_that_runs;
    mortal_future crasher, holder, pending[PENDING];
    int fd;
};

struct sleeper {
    struct scene *scene;
    unsigned role;
    word thread;
};

static int crash_at_gate(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    gate_pass(*(struct gate *const *)input);
    abort();
}

static void *sleep_well(void *argument)
{
    struct sleeper *sleeper = argument;
    struct scene *scene = sleeper->scene;
    mortal_verdict verdict;
    word_set(&sleeper->thread, (uint32_t)syscall(SYS_gettid));
    if (sleeper->role == 0) {
        CHECK_ERR(mortal_future_wait(scene->pending[0], MORTAL_FOREVER, NULL), -EHOSTDOWN);
        CHECK(strstr(mortal_why(), "SIGABRT") != NULL);
    } else if (sleeper->role == 1) {
        CHECK_ERR(mortal_group_next(scene->slept_on, MORTAL_FOREVER, &verdict), -EHOSTDOWN);
    } else if (sleeper->role == 2) {
        CHECK_ERR(mortal_pool_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EHOSTDOWN);
    } else { /* something that it waits for runs */
        CHECK_OK(mortal_group_next(scene->with_one_that_runs, MORTAL_FOREVER, &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_ERR(mortal_group_next(scene->with_one_that_runs, MORTAL_FOREVER, &verdict), -EHOSTDOWN);
    }
    return NULL;
}

static bool sleeps(struct sleeper *sleeper)
{
    char who[64];
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&sleeper->thread));
    return state_of(who) == 'S';
}

/* Two hosts, two tasks at their gates, a full queue. */
static void set_up(struct scene *scene)
{
    mortal_pool_options options = {.workers = 2, .queue_tasks = PENDING, .deaths = MORTAL_NONE};
    scene->pool = pool_like(options);
    CHECK_OK(mortal_group_open(&scene->polled, scene->pool));
    CHECK_OK(mortal_group_open(&scene->slept_on, scene->pool));
    CHECK_OK(mortal_group_open(&scene->with_one_that_runs, scene->pool));
    CHECK_OK(mortal_group_fd(scene->polled, &scene->fd));
    scene->crasher = submit_at(scene->pool, crash_at_gate, scene->crash);
    scene->holder = submit_like(scene->pool, task_held, &scene->held, sizeof scene->held,
                                (mortal_task_options){.group = scene->with_one_that_runs});
    word_await(&scene->crash->arrived, 1);
    word_await(&scene->held->arrived, 1);
    mortal_group *groups[PENDING] = {NULL, NULL, NULL, NULL, scene->polled, scene->polled, scene->slept_on,
                                     scene->with_one_that_runs};
    for (unsigned i = 0; i < PENDING; i++)
        scene->pending[i] = submit_like(scene->pool, task_count, &scene->ran, sizeof scene->ran,
                                        (mortal_task_options){.group = groups[i]});
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, timeout_ms) == 1;
}

static void all_are_told(struct scene *scene)
{
    mortal_verdict verdict;
    mortal_part part;
    CHECK(is_readable(scene->fd, 60000));
    CHECK_ERR(mortal_group_next(scene->polled, 0, &verdict), -EHOSTDOWN);
    CHECK(!is_readable(scene->fd, 0)); /* said once: an event loop that goes on does not go round and round */
    CHECK_ERR(mortal_group_next(scene->polled, MORTAL_FOREVER, &verdict), -EHOSTDOWN);
    CHECK_ERR(mortal_group_next(scene->with_one_that_runs, 0, &verdict), -ETIMEDOUT);
    CHECK_ERR(mortal_future_wait(scene->holder, 0, &verdict), -ETIMEDOUT);
    for (unsigned i = 0; i < PENDING; i++) {
        CHECK_ERR(mortal_future_wait(scene->pending[i], 0, &verdict), -EHOSTDOWN);
        CHECK_ERR(mortal_future_take(scene->pending[i], MORTAL_FOREVER, &verdict, NULL, 0), -EHOSTDOWN);
        CHECK_EQ(look_at(scene->pending[i]).phase, MORTAL_PENDING);
    }
    CHECK_OK(mortal_group_stream(scene->slept_on, scene->pending[PENDING - 2]));
    CHECK_ERR(mortal_group_next_part(scene->slept_on, MORTAL_FOREVER, &part), -EHOSTDOWN);
    CHECK_OK(mortal_group_stream(scene->with_one_that_runs, scene->pending[PENDING - 1]));
    CHECK_OK(mortal_group_stream(scene->with_one_that_runs, scene->holder));
    CHECK_ERR(mortal_group_next_part(scene->with_one_that_runs, 0, &part), -ETIMEDOUT);
    CHECK_EQ(stats_of(scene->pool).pending, PENDING);
    CHECK_EQ(stats_of(scene->pool).running, 1);
}

static void what_waits_can_be_ended(struct scene *scene)
{
    mortal_verdict verdict;
    CHECK_OK(mortal_future_cancel(scene->pending[CANCELLED]));
    CHECK_OK(mortal_future_kill(scene->pending[KILLED], MORTAL_FOREVER, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_CANCELLED);
}

/* Whether it was told of the breaker before its time was over. Then it expired all the same. */
static bool is_told_and_expires(uint64_t within_ns)
{
    struct gate        *gate = gates_make(1);
    mortal_pool_options options = {.workers = 1, .deaths = MORTAL_NONE};
    mortal_pool        *pool = pool_like(options);
    mortal_future       crasher = submit_at(pool, crash_at_gate, gate), pending;
    mortal_verdict      verdict;
    bool                was_told = false;
    int                 error;
    word_await(&gate->arrived, 1);
    pending = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.within_ns = within_ns});
    gate_open(gate);
    CHECK_EQ(outcome_of(crasher), MORTAL_CRASHED);
    POLL_UNTIL((was_told |= (error = mortal_future_wait(pending, 0, &verdict)) == -EHOSTDOWN, error == 0));
    CHECK_EQ(verdict.outcome, MORTAL_EXPIRED);
    drain(pool);
    return was_told;
}

/* However slow all this is, some time is long enough. */
static void what_waits_expires(void)
{
    uint64_t within_ns = MS(50);
    while (!is_told_and_expires(within_ns))
        within_ns *= 2;
}

void test(void)
{
    what_waits_expires();
    struct gate *gates = gates_make(2);
    struct scene scene = {.crash = &gates[0], .held = &gates[1], .ran = harness_shared(sizeof(word))};
    struct sleeper sleepers[SLEEPERS];
    pthread_t threads[SLEEPERS];
    set_up(&scene);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (struct sleeper){.scene = &scene, .role = i};
        CHECK_OK(pthread_create(&threads[i], NULL, sleep_well, &sleepers[i]));
        word_await(&sleepers[i].thread, 1);
        POLL_UNTIL(sleeps(&sleepers[i]));
    }
    gate_open(scene.crash);
    CHECK_EQ(outcome_of(scene.crasher), MORTAL_CRASHED);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(pthread_join(threads[i], NULL));
    all_are_told(&scene);
    what_waits_can_be_ended(&scene);

    gate_open(scene.held);
    CHECK_EQ(outcome_of(scene.holder), MORTAL_DONE); /* its host is free now, and must not go on */
    CHECK_OK(pthread_join(threads[3], NULL));
    CHECK_EQ(atomic_load(scene.ran), 0);
    CHECK_OK(mortal_pool_mend(scene.pool));
    for (unsigned i = 0; i < PENDING; i++)
        CHECK_EQ(outcome_of(scene.pending[i]), i == CANCELLED || i == KILLED ? MORTAL_CANCELLED : MORTAL_DONE);
    CHECK_EQ(atomic_load(scene.ran), PENDING - 2);
    drain(scene.pool);
}
