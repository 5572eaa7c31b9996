/*
 * When the supervisor itself is killed, everything unended ends lost, promptly, for whoever waits and however; what
 * had ended stays good, and close works.
 * Broken by: a sleeper that nobody wakes, a host that lives on without its supervisor, a finished result that is
 * lost too.
 */
#include "tasks.h"

#include <poll.h>
#include <pthread.h>

enum { PENDING = 5, SLEEPERS = 4 };

struct scene {
    mortal_pool *pool;
    mortal_group *group;
    mortal_future finished, running, pending[PENDING];
    int fd;
};

struct sleeper {
    struct scene *scene;
    unsigned role;
    word thread;
};

static void sleep_in_the_library(struct sleeper *sleeper)
{
    struct scene *scene = sleeper->scene;
    mortal_verdict verdict = {0};
    if (sleeper->role == 0) {
        CHECK_EQ(outcome_of(scene->running), MORTAL_LOST);
    } else if (sleeper->role == 1) {
        CHECK_EQ(outcome_of(scene->pending[0]), MORTAL_LOST);
    } else if (sleeper->role == 2) {
        CHECK_OK(mortal_group_next(scene->group, MORTAL_FOREVER, &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_LOST);
    } else {
        CHECK_ERR(mortal_pool_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EOWNERDEAD);
    }
}

static void *sleep_well(void *argument)
{
    struct sleeper *sleeper = argument;
    word_set(&sleeper->thread, (uint32_t)syscall(SYS_gettid));
    sleep_in_the_library(sleeper);
    return NULL;
}

static bool sleeps(struct sleeper *sleeper)
{
    char who[64];
    snprintf(who, sizeof who, "self/task/%u", atomic_load(&sleeper->thread));
    return state_of(who) == 'S';
}

static void make(struct scene *scene, struct gate *gate)
{
    scene->pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = PENDING});
    CHECK_OK(mortal_group_open(&scene->group, scene->pool));
    CHECK_OK(mortal_group_fd(scene->group, &scene->fd));
    scene->finished = submit(scene->pool, task_echo, "finished", 9);
    wait_for(scene->finished);
    scene->running = submit_at(scene->pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    for (unsigned i = 0; i < PENDING; i++)
        scene->pending[i] = submit_like(scene->pool, task_nothing, NULL, 0,
                                        (mortal_task_options){.group = i ? scene->group : NULL});
}

static void kill_the_supervisor(struct scene *scene)
{
    struct sleeper sleepers[SLEEPERS];
    pthread_t threads[SLEEPERS];
    for (unsigned i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (struct sleeper){.scene = scene, .role = i};
        CHECK_OK(pthread_create(&threads[i], NULL, sleep_well, &sleepers[i]));
        word_await(&sleepers[i].thread, 1);
        POLL_UNTIL(sleeps(&sleepers[i]));
    }
    CHECK_OK(kill(supervisor_of(scene->pool), SIGKILL));
    for (unsigned i = 0; i < SLEEPERS; i++)
        CHECK_OK(pthread_join(threads[i], NULL));
}

static void the_rest_is_told(struct scene *scene)
{
    struct pollfd poller = {.fd = scene->fd, .events = POLLIN};
    mortal_verdict verdict;
    unsigned delivered = 1; /* one sleeper had one */
    CHECK_EQ(poll(&poller, 1, 60000), 1);
    while (mortal_group_next(scene->group, 0, &verdict) == 0) {
        CHECK_EQ(verdict.outcome, MORTAL_LOST);
        delivered++;
    }
    CHECK_EQ(delivered, PENDING - 1);
    for (unsigned i = 0; i < PENDING; i++)
        CHECK_EQ(outcome_of(scene->pending[i]), MORTAL_LOST);
    CHECK_ERR(mortal_pool_kill(scene->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EOWNERDEAD);
    CHECK_ERR(mortal_pool_try_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EOWNERDEAD);
    mortal_pool_kill_now(scene->pool, MORTAL_UNENDED);
    mortal_pool_seal(scene->pool);
}

static void what_had_ended_is_good(struct scene *scene)
{
    mortal_verdict verdict = wait_for(scene->finished);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_STR((const char *)verdict.result, "finished");
    mortal_stats stats = stats_of(scene->pool);
    CHECK_EQ(stats.broken, 1);
    CHECK_EQ(stats.supervisor, 0);
    CHECK_EQ(stats.ended[MORTAL_LOST], PENDING + 1);
    CHECK_EQ(stats.pending + stats.running, 0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    struct scene scene;
    make(&scene, gate);
    pid_t host = host_of(scene.running);
    kill_the_supervisor(&scene);
    the_rest_is_told(&scene);
    what_had_ended_is_good(&scene);
    harness_wait_gone(host);
    drain(scene.pool);
    POLL_UNTIL(harness_children() == 0);
    until_single_threaded();
    scene.pool = pool_with(1);
    check_pool_works(scene.pool);
    drain(scene.pool);
}
