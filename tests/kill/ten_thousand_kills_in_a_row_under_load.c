/*
 * Thousands of kills while other tasks wait and run: each hits its task, the rest comes back right and in order, the
 * counters add up, and supervisor and owner hold no more descriptors and memory than before.
 * Broken by: anything that goes wrong once in a thousand deaths, or costs a little each time.
 */
#include "hits.h"
#include "tasks.h"

enum { KILLS = 1500, KILLS_LONG = 10000, AROUND = 3, WARM = 200, SLACK_KB = 2048 };

struct scene {
    struct gate gate;
    word last; /* the highest number that has started: one worker, so numbers only grow */
};

struct numbered {
    struct scene *scene;
    uint32_t number;
};

struct use {
    unsigned descriptors, own_descriptors;
    long memory, own_memory;
};

static int run_in_order(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct numbered *mine = input;
    uint32_t before = atomic_exchange(&mine->scene->last, mine->number);
    if (before >= mine->number)
        return 1;
    return mortal_task_reply(task, &mine->number, sizeof mine->number);
}

static void submit_some(mortal_pool *pool, struct scene *scene, uint32_t *number, mortal_future *futures)
{
    for (unsigned i = 0; i < AROUND; i++) {
        struct numbered next = {scene, ++*number};
        futures[i] = submit(pool, run_in_order, &next, sizeof next);
    }
}

static void check_some(mortal_future *futures, uint32_t first)
{
    for (uint32_t i = 0; i < AROUND; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        uint32_t answer = 0;
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        memcpy(&answer, verdict.result, sizeof answer);
        CHECK_EQ(answer, first + i);
        CHECK_OK(mortal_future_release(futures[i]));
    }
}

static void kill_one_way_or_another(mortal_pool *pool, mortal_future victim, unsigned turn)
{
    if (turn % 3)
        CHECK_OK(mortal_future_kill(victim, 0, MORTAL_FOREVER, NULL));
    else
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
}

static void one_kill(mortal_pool *pool, struct scene *scene, uint32_t *number, uint32_t turn)
{
    mortal_future before[AROUND], after[AROUND];
    uint32_t first = *number + 1;
    submit_some(pool, scene, number, before);
    mortal_future victim = submit_at(pool, task_endless, &scene->gate);
    submit_some(pool, scene, number, after);
    word_await(&scene->gate.arrived, turn + 1);
    kill_one_way_or_another(pool, victim, turn);
    CHECK_EQ(outcome_and_release(victim), MORTAL_KILLED);
    check_some(before, first);
    check_some(after, first + AROUND);
}

static struct use measure(mortal_pool *pool)
{
    POLL_UNTIL(stats_of(pool).hosts == 1 && stats_of(pool).standby == 1 && stats_of(pool).dying == 0);
    pid_t supervisor = supervisor_of(pool);
    return (struct use){descriptors_of(supervisor), descriptors_of(getpid()), status_of(supervisor, "VmRSS:"),
                        status_of(getpid(), "VmRSS:")};
}

static void check_flat(struct use before, struct use after)
{
    harness_note("supervisor: %u descriptors, %ld KiB at first; %u, %ld KiB at last", before.descriptors, before.memory,
                 after.descriptors, after.memory);
    CHECK_EQ(after.descriptors, before.descriptors);
    CHECK_EQ(after.own_descriptors, before.own_descriptors);
    CHECK(after.memory <= before.memory + SLACK_KB);
    CHECK(after.own_memory <= before.own_memory + SLACK_KB);
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    uint32_t kills = TEST_LONG ? KILLS_LONG : KILLS, number = 0;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = 1});
    struct use before = {0};
    for (uint32_t turn = 0; turn < kills; turn++) {
        one_kill(pool, scene, &number, turn);
        if (turn == WARM)
            before = measure(pool);
    }
    check_flat(before, measure(pool));
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_KILLED], kills);
    CHECK_EQ(stats.ended[MORTAL_DONE], 2 * AROUND * kills);
    CHECK_EQ(stats.submitted, (2 * AROUND + 1) * kills);
    CHECK_EQ(stats.host_kills, kills);
    CHECK_EQ(stats.host_deaths, kills);
    CHECK_EQ(stats.held, 0);
    struct hits hits = {.of = {[HIT_RUNNING] = (uint32_t)stats.ended[MORTAL_KILLED]}}; /* each was waited for to arrive */
    hits_check("kills", &hits, 1u << HIT_RUNNING);
    drain(pool);
}
