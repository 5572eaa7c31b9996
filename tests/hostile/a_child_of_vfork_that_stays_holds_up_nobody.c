/*
 * A task in vfork whose child neither ends nor becomes another program, also one that blocks every signal: the thread
 * waits in the kernel, but a kill, a deadline or the pool's close ends it, and the child, which has the host's memory,
 * with it.
 * Broken by: a death that waits for the child, or one that leaves it behind.
 */
#include "hostile.h"

struct scene {
    word arrived, child;
};

static int stay_in_vfork(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (vfork() == 0) {
        atomic_store(&scene->child, (uint32_t)syscall(SYS_getpid));
        word_add(&scene->arrived, 1);
        for (;;)
            syscall(SYS_pause);
    }
    return 0;
}

static void check_gone(mortal_pool *pool, struct scene *scene)
{
    harness_wait_gone((pid_t)atomic_load(&scene->child));
    check_pool_works(pool);
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    struct scene *scenes = harness_shared(3 * sizeof *scenes);
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);
    mortal_future future = submit_at(pool, stay_in_vfork, &scenes[0]);
    word_await(&scenes[0].arrived, 1);
    CHECK_EQ(kill_and_read(future), MORTAL_KILLED);
    check_gone(pool, &scenes[0]);

    struct scene *second = &scenes[1];
    for (uint64_t soon_ns = MS(20); atomic_load(&second->arrived) == 0; soon_ns *= 2) {
        future = submit_like(pool, stay_in_vfork, &second, sizeof second, (mortal_task_options){.deadline_ns = soon_ns});
        (void)comes_to(future, &second->arrived);
        CHECK_EQ(outcome_and_release(future), MORTAL_TIMED_OUT);
    }
    check_gone(pool, second);

    (void)submit_at(pool, stay_in_vfork, &scenes[2]);
    word_await(&scenes[2].arrived, 1);
    bystanders_end(&bystanders);
    end(pool);
    CHECK(harness_process_gone((pid_t)atomic_load(&scenes[2].child)));
    CHECK_EQ(harness_children(), 0);
}
