/*
 * Threads that a task started and left behind, computing and with every signal blocked, may go on while their host
 * lives, beside the tasks that come after; a kill of one of those ends them, and so does closing the pool.
 * Broken by: a death that counts as certain while a thread of the host still runs.
 */
#include "hostile.h"

#include <pthread.h>

enum { THREADS = 3 };

struct scene {
    word started, turns;
};

static void *turn_for_ever(void *argument)
{
    struct scene *scene = argument;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    word_add(&scene->started, 1);
    for (;;) {
        atomic_fetch_add(&scene->turns, 1);
        usleep(200);
    }
    return NULL;
}

static int leave_threads(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    pthread_t thread;
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, turn_for_ever, scene) != 0 || pthread_detach(thread) != 0)
            return 1;
    word_await(&scene->started, THREADS);
    return 0;
}

static void still_turn(struct scene *scene)
{
    uint32_t seen = atomic_load(&scene->turns);
    POLL_UNTIL(atomic_load(&scene->turns) != seen);
}

static void do_not_turn(struct scene *scene)
{
    uint32_t seen = atomic_load(&scene->turns);
    harness_sleep_ms(5);
    CHECK_EQ(atomic_load(&scene->turns), seen);
}

void test(void)
{
    struct scene *scenes = harness_shared(2 * sizeof *scenes);
    struct gate *gate = gates_make(1);
    struct scene *killed = &scenes[0], *closed = &scenes[1];
    mortal_pool *pool = pool_with(1);
    CHECK_EQ(outcome_of(submit_at(pool, leave_threads, killed)), MORTAL_DONE);
    still_turn(killed);
    check_pool_works(pool);
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    still_turn(killed);
    CHECK_EQ(kill_and_read(endless), MORTAL_KILLED);
    do_not_turn(killed);
    check_pool_works(pool);
    CHECK_EQ(outcome_of(submit_at(pool, leave_threads, closed)), MORTAL_DONE);
    drain(pool);
    do_not_turn(closed);
    CHECK_EQ(harness_children(), 0);
}
