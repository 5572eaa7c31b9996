/*
 * A slow producer: workers look for work, go to sleep, sleep, or are just about to, when a task comes, or several. Nothing
 * comes after them that could wake a worker by the way, so each task must, by itself or through who was woken before.
 * Broken by: a last look for work before the sleeper is to be seen, a wake-up that is not passed on.
 */
#include "twin.h"

enum { BURST = 4, PAUSE_FIRST_NS = 20000, PAUSE_MOST_NS = 300000 };

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

static uint32_t rings(void)
{
    const struct region *r = twin_region();
    uint32_t count = 0;
    for (uint32_t i = 0; i < twin.host_count; i++)
        for (uint32_t j = 0; j < r->g.workers_per_host; j++)
            count += atomic_load(bell_of(r, i, j));
    return count;
}

/* Hunts for the very moment at which workers go to sleep. A submit that had to ring somebody came after it, one that had
 * not came before: so the pause before the next one is a little shorter, or a little longer. */
static void check_moment(uint32_t workers, uint32_t rounds)
{
    mortal_pool *pool = twin_open(workers, 1, (mortal_pool_options){.held_tasks = 64});
    word ran = 0;
    uint64_t dice = workers;
    uint32_t pause_ns = PAUSE_FIRST_NS, late = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        word *counter = &ran;
        uint32_t before = rings(), step_ns = 1u << below(&dice, 12);
        CHECK_OK(mortal_pool_submit(pool, task_count, &counter, sizeof counter, NULL, NULL));
        bool was_late = rings() != before;
        late += was_late;
        pause_ns = !was_late ? pause_ns + step_ns : pause_ns > step_ns ? pause_ns - step_ns : 0;
        if (pause_ns > PAUSE_MOST_NS) /* no worker looks around for that long: it has no processor to do it on */
            pause_ns = PAUSE_FIRST_NS;
        while (atomic_load(&ran) != round + 1)
            sched_yield();
        for (uint64_t until = mortal_now_ns() + pause_ns; mortal_now_ns() < until;)
            ;
    }
    harness_note("%u workers: %u of %u tasks found them asleep", workers, late, rounds);
    twin_close(pool);
}

struct meeting {
    word here, expected;
};

/* Ends when as many are there as are expected: none of them can wait for a worker that another one keeps. */
static int meet(mortal_task *task, const void *input, size_t input_bytes)
{
    struct meeting *meeting = *(struct meeting *const *)input;
    (void)task, (void)input_bytes;
    atomic_fetch_add(&meeting->here, 1);
    while (atomic_load(&meeting->here) < atomic_load(&meeting->expected))
        sched_yield();
    return 0;
}

/* As many tasks at once as there are workers, and each of them needs all the others: all must be woken. */
static void check_meetings(uint32_t workers, uint32_t workers_per_host, uint32_t rounds)
{
    static struct meeting meetings[3];
    mortal_pool *pool = twin_open(workers, workers_per_host, (mortal_pool_options){.held_tasks = 64});
    uint64_t dice = workers;
    for (uint32_t round = 0; round < rounds; round++) {
        struct meeting *meeting = &meetings[round % COUNT(meetings)]; /* who leaves the last one may still look at it */
        mortal_future futures[8];
        atomic_store(&meeting->here, 0);
        atomic_store(&meeting->expected, workers);
        if (below(&dice, 2) == 0)
            wait_for_quiet();
        for (uint32_t i = 0; i < workers; i++)
            futures[i] = submit_at(pool, meet, meeting);
        for (uint32_t i = 0; i < workers; i++)
            CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    }
    twin_close(pool);
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
    check_moment(1, more_if_long(4000));
    check_moment(2, more_if_long(4000));
    check_meetings(2, 1, more_if_long(300));
    check_meetings(6, 1, more_if_long(300));
    check_meetings(6, 3, more_if_long(300));
}
