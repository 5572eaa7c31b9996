/*
 * Hosts that are replaced in their time, after so many tasks, under load: every task is done once, tasks start in the
 * order of submits, no more run at once than there are workers, there is a ready host at every moment, and none of it
 * counts as a kill or a death that nobody asked for.
 * Broken by: an old host that is ended while it may still claim, a new one that begins before the old one rests.
 */
#include "tasks.h"

enum { WAVE = 500, EVERY = 20, ENOUGH = 30 };

struct counts {
    word started, running, most, ahead;
};

struct plan {
    struct counts *counts;
    uint32_t number;
};

static int work(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct plan *plan = input;
    struct counts *counts = plan->counts;
    uint32_t running = word_add(&counts->running, 1) + 1, most = atomic_load(&counts->most);
    while (running > most && !atomic_compare_exchange_weak(&counts->most, &most, running))
        ;
    if (word_add(&counts->started, 1) != plan->number)
        word_add(&counts->ahead, 1);
    if (plan->number % 10 == 0) /* long enough to be cut, if somebody did */
        for (volatile unsigned turns = 0; turns < 300000; turns++)
            ;
    pid_t host = getpid();
    int error = mortal_task_reply(task, &host, sizeof host);
    atomic_fetch_sub(&counts->running, 1);
    return error;
}

/* Returns how often the host changed from one task to the next. */
static unsigned wave(mortal_pool *pool, struct counts *counts, uint32_t first)
{
    static mortal_future futures[WAVE];
    static pid_t before;
    unsigned changes = 0;
    for (unsigned i = 0; i < WAVE; i++) {
        struct plan plan = {counts, first + i};
        futures[i] = submit(pool, work, &plan, sizeof plan);
        if (i % 64 == 0)
            CHECK(stats_of(pool).hosts != 0);
    }
    for (unsigned i = 0; i < WAVE; i++) {
        mortal_verdict verdict = wait_for(futures[i]);
        pid_t host = 0;
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.attempts, 1);
        memcpy(&host, verdict.result, sizeof host);
        changes += host != before;
        before = host;
        CHECK_OK(mortal_future_release(futures[i]));
    }
    return changes;
}

static void check_like(mortal_pool_options options)
{
    struct counts *counts = harness_shared(sizeof *counts);
    options.recycle_tasks = EVERY;
    options.deaths = MORTAL_NONE;
    mortal_pool *pool = pool_like(options);
    unsigned tasks = 0, changes = 0;
    while (stats_of(pool).recycled < ENOUGH * (TEST_LONG ? 5 : 1)) {
        changes += wave(pool, counts, tasks);
        tasks += WAVE;
    }
    CHECK_EQ(atomic_load(&counts->started), tasks);
    CHECK(atomic_load(&counts->most) <= options.workers);
    CHECK(options.workers > 1 || atomic_load(&counts->ahead) == 0);
    CHECK(changes >= ENOUGH / 2);
    mortal_stats stats = stats_of(pool);
    harness_note("%u workers, %u in each host: %llu hosts recycled over %u tasks", options.workers,
                 options.workers_per_host, (unsigned long long)stats.recycled, tasks);
    CHECK_EQ(stats.host_kills, 0);
    CHECK_EQ(stats.breaker_opened, 0);
    CHECK_EQ(stats.requeued, 0);
    drain(pool);
}

void test(void)
{
    check_like((mortal_pool_options){.workers = 1, .workers_per_host = 1});
    check_like((mortal_pool_options){.workers = 1, .workers_per_host = 1, .standby = MORTAL_NONE});
    check_like((mortal_pool_options){.workers = 3, .workers_per_host = 1});
    check_like((mortal_pool_options){.workers = 4, .workers_per_host = 4});
    check_like((mortal_pool_options){.workers = 5, .workers_per_host = 2, .standby = 2});
}
