/*
 * When a kill returns, everything is gone that the killed task had started: a tree of two hundred processes, each in a
 * session of its own, and processes that fork and end, fork and end, so that there is always one that nobody has seen.
 * Broken by: a kill that waits for the host only; a look at the children that is taken once.
 */
#include "tasks.h"

#include <sys/prctl.h>

enum { TREE = 200, COMETS = 8, ROUNDS = 3 };

struct scene {
    word born, there, flights, comets;
    word pids[TREE];
    char name[16];
};

static void branch(struct scene *scene)
{
    for (unsigned i = 0; i < 3; i++) {
        uint32_t number = atomic_fetch_add(&scene->born, 1);
        if (number >= TREE)
            return;
        if (fork() == 0) {
            setsid();
            atomic_store(&scene->pids[number], (uint32_t)getpid());
            word_add(&scene->there, 1);
            i = (unsigned)-1;
        }
    }
}

static int grow_tree(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    pid_t root = getpid();
    branch(scene);
    while (getpid() != root)
        pause();
    compute_for_ever();
}

static _Noreturn void fly(struct scene *scene)
{
    prctl(PR_SET_NAME, scene->name);
    setsid();
    for (;;) {
        word_add(&scene->flights, 1);
        pid_t next = fork();
        if (next > 0)
            _exit(0);
    }
}

static int launch_comets(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    for (unsigned i = 0; i < COMETS; i++)
        if (fork() == 0)
            fly(scene);
    compute_for_ever();
}

/* Zombies too. */
static unsigned processes_by_name(const char *name)
{
    unsigned count = 0;
    char path[300], line[64], wanted[32];
    DIR *dir = opendir("/proc");
    CHECK(dir != NULL);
    snprintf(wanted, sizeof wanted, "%s\n", name);
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (file == NULL)
            continue;
        count += fgets(line, sizeof line, file) != NULL && strcmp(line, wanted) == 0;
        fclose(file);
    }
    closedir(dir);
    return count;
}

static void check_tree(mortal_pool *pool, struct scene *scene, bool by_pool)
{
    mortal_kill_report report;
    mortal_future future = submit_at(pool, grow_tree, scene);
    word_await(&scene->there, TREE);
    if (by_pool) {
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report));
        CHECK_EQ(report.killed, 1);
        CHECK_EQ(report.trees_left, 0);
    } else {
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    }
    for (unsigned i = 0; i < TREE; i++)
        CHECK(kill((pid_t)atomic_load(&scene->pids[i]), 0) < 0 && errno == ESRCH);
    CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
}

static void check_comets(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = submit_at(pool, launch_comets, scene);
    word_await(&scene->flights, 10 * COMETS);
    CHECK(processes_by_name(scene->name) != 0);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(processes_by_name(scene->name), 0);
    CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
}

void test(void)
{
    struct scene *scenes = harness_shared(3 * ROUNDS * sizeof *scenes);
    mortal_pool *pool = pool_with(2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(scenes[3 * i + 2].name, sizeof scenes->name, "comet-%d", (int)getpid());
        check_tree(pool, &scenes[3 * i], false);
        check_tree(pool, &scenes[3 * i + 1], true);
        check_comets(pool, &scenes[3 * i + 2]);
        check_pool_works(pool);
    }
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
