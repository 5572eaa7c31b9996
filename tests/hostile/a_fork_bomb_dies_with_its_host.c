/*
 * A task that forks processes which fork processes, a few hundred in all, in sessions of their own and with every signal
 * blocked, is killed with every one of them, while they multiply; so is what a task left behind that has ended, when its
 * pool is closed. Others go on.
 * Broken by: a look at the children that is taken once, and misses those that come after it.
 */
#include "hostile.h"

enum { BOMB = 200, BOMB_LONG = 600 };

struct scene {
    word born, most, arrived;
};

static _Noreturn void multiply(struct scene *scene)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    for (unsigned i = 0; i < 3; i++) {
        if (atomic_fetch_add(&scene->born, 1) >= atomic_load(&scene->most))
            break;
        if (fork() == 0)
            i = 0; /* it begins anew */
    }
    word_add(&scene->arrived, 1);
    for (;;)
        pause();
}

static int throw_bomb(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    if (fork() == 0)
        multiply(scene);
    word_await(&scene->arrived, 1);
    return 0;
}

static int throw_bomb_and_stay(mortal_task *task, const void *input, size_t input_bytes)
{
    throw_bomb(task, input, input_bytes);
    compute_for_ever();
}

/* Processes of this program, zombies not counted: all of the test's are forks of it. */
static unsigned processes_of_ours(void)
{
    unsigned count = 0;
    char mine[4096], other[4096], path[300];
    ssize_t length = readlink("/proc/self/exe", mine, sizeof mine);
    DIR *dir = opendir("/proc");
    CHECK(dir != NULL && length > 0);
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
                 readlink(path, other, sizeof other) == length && memcmp(mine, other, (size_t)length) == 0;
    }
    closedir(dir);
    return count;
}

static void throw(mortal_pool *pool, struct scene *scene, unsigned seen_at_least)
{
    mortal_future future = submit_at(pool, throw_bomb_and_stay, scene);
    word_await(&scene->arrived, seen_at_least);
    CHECK_EQ(kill_and_read(future), MORTAL_KILLED);
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    struct scene *scenes = harness_shared(4 * sizeof *scenes);
    mortal_pool *pool = pool_with(2);
    POLL_UNTIL(stats_of(pool).hosts == 2 && stats_of(pool).standby == 1);
    unsigned before = processes_of_ours(), most = TEST_LONG ? BOMB_LONG : BOMB;
    for (unsigned i = 0; i < 4; i++)
        atomic_store(&scenes[i].most, most);
    bystanders_begin(&bystanders, pool);
    throw(pool, &scenes[0], 1); /* at its beginning, in the middle, and when it has come to rest */
    throw(pool, &scenes[1], most / 2);
    throw(pool, &scenes[2], most);
    check_pool_works(pool);
    POLL_UNTIL(processes_of_ours() <= before);
    CHECK_EQ(outcome_of(submit_at(pool, throw_bomb, &scenes[3])), MORTAL_DONE);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(processes_of_ours(), 1);
    CHECK_EQ(harness_children(), 0);
}
