/*
 * A slow producer: workers look for work, go to sleep, sleep, or are just about to, when a task comes, or several. Nothing
 * comes after them that could wake a worker by the way, so each task must, by itself or through who was woken before.
 * Broken by: a last look for work before the sleeper is to be seen, a wake-up that is not passed on.
 */
#include "twin.h"

enum { BURST = 4 };

/* Until nobody is awake. Where there is no wake-up to be lost any more, none can be. */
static void wait_for_quiet(void)
{
    const struct region *r = twin_region();
    for (uint32_t asleep = 0; asleep != r->g.workers; sched_yield()) {
        asleep = 0;
        for (uint32_t i = 0; i < r->g.idle_words; i++)
            asleep += (uint32_t)__builtin_popcountll(atomic_load(idle_word(r, i)));
    }
}

static void check(uint32_t workers, uint32_t workers_per_host, uint32_t rounds)
{
    mortal_pool *pool = twin_open(workers, workers_per_host, (mortal_pool_options){.held_tasks = 64});
    word ran = 0;
    uint64_t dice = workers * 7 + workers_per_host;
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t burst = 1 + below(&dice, BURST), before = atomic_load(&ran);
        uint32_t pause = below(&dice, 3);
        if (pause == 0)
            wait_for_quiet();
        else if (pause == 1)
            spin(below(&dice, 20000)); /* about as long as a worker looks around before it sleeps */
        for (uint32_t i = 0; i < burst; i++) {
            word *counter = &ran;
            CHECK_OK(mortal_pool_submit(pool, task_count, &counter, sizeof counter, NULL, NULL));
            if (below(&dice, 2) == 0)
                spin(below(&dice, 2000));
        }
        word_await(&ran, before + burst); /* the pool is not asked: asking might wake somebody */
    }
    twin_close(pool);
}

void test(void)
{
    check(1, 1, more_if_long(2000));
    check(3, 1, more_if_long(2000));
    check(4, 4, more_if_long(2000));
}
