/*
 * What keeps a host's memory alive goes with the host: after kills and crashes of hosts with much memory, when the pool
 * is closed, when the supervisor is killed, and when the owner is.
 * Broken by: a sitter that nobody kills, or that does not notice its parent's end.
 */
#include "tasks.h"

#include <sys/mman.h>

enum { HEAVY = 64 << 20, MOST = 64, ROUNDS = 6 };

struct scene {
    struct gate gate;
    word count, sitters[MOST];
};

static int be_heavy(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    char *memory = mmap(NULL, HEAVY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    memset(memory, 1, HEAVY);
    word_add(&scene->gate.arrived, 1);
    word_await(&scene->gate.open, 1);
    *(volatile int *)16 = 1;
    return 0;
}

/* The supervisor's children of that name, added to the list. */
static void list_sitters(struct scene *scene, pid_t supervisor)
{
    char path[64], name[32];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    FILE *children = fopen(path, "re");
    CHECK(children != NULL);
    while (fscanf(children, "%d", &child) == 1) {
        snprintf(path, sizeof path, "/proc/%d/comm", child);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        uint32_t at = atomic_load(&scene->count);
        if (fgets(name, sizeof name, file) != NULL && strcmp(name, "mortal-sitter\n") == 0 && at < MOST) {
            atomic_store(&scene->sitters[at], (uint32_t)child);
            atomic_store(&scene->count, at + 1);
        }
        fclose(file);
    }
    fclose(children);
}

static uint32_t sitters_of(mortal_pool *pool)
{
    struct scene now = {0};
    list_sitters(&now, supervisor_of(pool));
    return atomic_load(&now.count);
}

static void check_gone(const struct scene *scene)
{
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(atomic_load(&scene->count) >= 2);
#endif
    for (uint32_t i = 0; i < atomic_load(&scene->count); i++)
        harness_wait_gone((pid_t)atomic_load(&scene->sitters[i]));
}

static mortal_pool *open_at_rest(void)
{
    mortal_pool *pool = pool_with(2);
    POLL_UNTIL(stats_of(pool).hosts == 2 && stats_of(pool).standby == 1);
    return pool;
}

static void hosts_die_one_after_another(struct scene *scene)
{
    mortal_pool *pool = open_at_rest();
    for (unsigned i = 0; i < ROUNDS; i++) {
        atomic_store(&scene->gate.open, 0);
        atomic_store(&scene->gate.arrived, 0);
        mortal_future both[2] = {submit_at(pool, be_heavy, scene), submit_at(pool, be_heavy, scene)};
        word_await(&scene->gate.arrived, 2);
        list_sitters(scene, supervisor_of(pool));
        if (i % 2 == 0)
            gate_open(&scene->gate);
        else
            CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
        for (unsigned k = 0; k < 2; k++)
            CHECK_EQ(outcome_and_release(both[k]), i % 2 == 0 ? MORTAL_CRASHED : MORTAL_KILLED);
        POLL_UNTIL(stats_of(pool).hosts == 2 && stats_of(pool).standby == 1);
        POLL_UNTIL(sitters_of(pool) <= 3); /* while the pool lives */
    }
    drain(pool);
    check_gone(scene);
}

static void the_supervisor_is_killed(struct scene *scene)
{
    mortal_pool *pool = open_at_rest();
    list_sitters(scene, supervisor_of(pool));
    CHECK_OK(kill(supervisor_of(pool), SIGKILL));
    check_gone(scene);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
}

static void the_owner_is_killed(struct scene *scene)
{
    pid_t owner = fork();
    if (owner == 0) {
        mortal_pool *pool = open_at_rest();
        list_sitters(scene, supervisor_of(pool));
        word_add(&scene->gate.passed, 1);
        for (;;)
            pause();
    }
    word_await(&scene->gate.passed, 1);
    CHECK_OK(kill(owner, SIGKILL));
    CHECK_EQ(waitpid(owner, NULL, 0), owner);
    check_gone(scene);
}

void test(void)
{
    struct scene *scenes = harness_shared(3 * sizeof *scenes);
    hosts_die_one_after_another(&scenes[0]);
    the_supervisor_is_killed(&scenes[1]);
    the_owner_is_killed(&scenes[2]);
    CHECK_EQ(harness_children(), 0);
}
