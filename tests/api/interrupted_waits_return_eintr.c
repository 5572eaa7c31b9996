/*
 * A signal handler without SA_RESTART ends a wait with -EINTR, and what was waited for goes on; close is not
 * interrupted.
 * Broken by: a Ctrl-C that a program cannot act on because it sleeps in the library, or a close that is left
 * half-way.
 */
#include "tasks.h"

#include <pthread.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;
static struct gate *opened_by_ticks;

static void tick(int signal)
{
    (void)signal;
    ticks++;
    if (opened_by_ticks && ticks >= 5)
        gate_open(opened_by_ticks);
}

/* Again and again, since a tick may fall before the call has begun to wait. */
static void tick_every_ms(unsigned interval_ms)
{
    struct itimerval timer = {.it_interval.tv_usec = interval_ms * 1000, .it_value.tv_usec = interval_ms * 1000};
    ticks = 0;
    CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
}

static void waits_are_interrupted(mortal_pool *pool, mortal_group *group, mortal_future held)
{
    mortal_verdict verdict;
    mortal_part part;
    tick_every_ms(3);
    CHECK_ERR(mortal_future_wait(held, MORTAL_FOREVER, &verdict), -EINTR);
    CHECK_ERR(mortal_future_wait(held, LIMIT, &verdict), -EINTR);
    CHECK_ERR(mortal_future_take(held, MORTAL_FOREVER, &verdict, NULL, 0), -EINTR);
    CHECK_ERR(mortal_group_next(group, MORTAL_FOREVER, &verdict), -EINTR);
    CHECK_OK(mortal_group_stream(group, held));
    CHECK_ERR(mortal_group_next_part(group, MORTAL_FOREVER, &part), -EINTR);
    uint64_t submitted = stats_of(pool).submitted;
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -EINTR);
    CHECK_EQ(stats_of(pool).submitted, submitted);
    tick_every_ms(0);
}

/* The grace would last for ever: whoever comes out of it was interrupted. The kill that was asked for goes on. */
static void a_kill_is_interrupted(mortal_pool *pool, struct gate *gate, mortal_future held)
{
    tick_every_ms(3);
    CHECK_ERR(mortal_future_kill(held, SECONDS(3600), MORTAL_FOREVER, NULL), -EINTR);
    CHECK_ERR(mortal_pool_kill(pool, MORTAL_RUNNING, SECONDS(3600), MORTAL_FOREVER, NULL), -EINTR);
    tick_every_ms(0);
    CHECK_EQ(look_at(held).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(held), MORTAL_DONE);
}

static int hold_item(mortal_task *task, const void *item, void *result)
{
    (void)result;
    return task_held(task, item, sizeof(struct gate *));
}

/* No signals come here: it is there, so that somebody could take. */
static void *be_there(void *is_over)
{
    word_await(is_over, 1);
    return NULL;
}

static void putting_is_interrupted(mortal_map *map, struct gate *const *item)
{
    word is_over = 0;
    sigset_t ticks_only, before;
    pthread_t thread;
    CHECK_OK(sigemptyset(&ticks_only));
    CHECK_OK(sigaddset(&ticks_only, SIGALRM));
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &ticks_only, &before), 0);
    CHECK_EQ(pthread_create(&thread, NULL, be_there, &is_over), 0);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CHECK_ERR(mortal_map_put(map, item, NULL, MORTAL_FOREVER), -EINTR);
    word_set(&is_over, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    until_single_threaded();
}

/* Who takes sleeps beside the program's only thread, who puts is told that it is the only one, or sleeps as well. */
static void an_open_map_is_interrupted(mortal_pool *pool, struct gate *gate)
{
    mortal_map_options options = {.size = sizeof options, .item_bytes = sizeof gate, .window = 1};
    mortal_map_entry entry;
    mortal_map *map;
    CHECK_OK(mortal_map_open(&map, pool, hold_item, &options));
    CHECK_OK(mortal_map_put(map, &gate, NULL, 0));
    word_await(&gate->arrived, 1);
    tick_every_ms(3);
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -EINTR);
    putting_is_interrupted(map, &gate);
    CHECK_ERR(mortal_map_put(map, &gate, NULL, MORTAL_FOREVER), -EDEADLK);
    tick_every_ms(0);
    gate_open(gate);
    CHECK_OK(mortal_map_next(map, LIMIT, &entry));
    CHECK_EQ(entry.verdict.outcome, MORTAL_DONE);
    CHECK_OK(mortal_map_close(map));
}

static void close_is_not_interrupted(mortal_pool *pool, struct gate *gate)
{
    submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    opened_by_ticks = gate;
    tick_every_ms(3);
    drain(pool);
    CHECK_EQ(atomic_load(&gate->passed), 1);
    CHECK(ticks >= 5);
    tick_every_ms(0);
}

void test(void)
{
    struct gate *gates = gates_make(3);
    void *place = &gates[0];
    struct sigaction action = {.sa_handler = tick}, before;
    CHECK_OK(sigaction(SIGALRM, &action, &before));
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = 1});
    mortal_group *group = NULL;
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_future held = submit_like(pool, task_held, &place, sizeof place, (mortal_task_options){.group = group});
    word_await(&gates[0].arrived, 1);
    mortal_future pending = submit(pool, task_nothing, NULL, 0);

    waits_are_interrupted(pool, group, held);
    a_kill_is_interrupted(pool, &gates[0], held);
    CHECK_EQ(outcome_of(pending), MORTAL_DONE);
    an_open_map_is_interrupted(pool, &gates[2]);
    close_is_not_interrupted(pool, &gates[1]);
    CHECK_OK(sigaction(SIGALRM, &before, NULL));
}
