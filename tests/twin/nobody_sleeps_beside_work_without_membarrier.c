/*
 * Where membarrier is refused nobody sleeps beside work either: to the workers, after the pool was opened, by a filter that a
 * task installs, and to the owner from the beginning. In the second case the owner makes its own barriers at once, in the
 * first one once a worker was refused; and a second thread that uses the pool waits for nobody for ever.
 * Broken by: a refusal that the owner is not told of, a wait for a barrier that cannot be had.
 */
#include <sys/wait.h>

#include "twin.h"

#include "refuse.h"

enum { WORKERS = 3, ROUNDS = 1500 };

struct meeting {
    word here, expected;
    bool refuses;
};

/* One on each worker: none ends before all have begun. */
static int meet(mortal_task *task, const void *input, size_t input_bytes)
{
    struct meeting *meeting = *(struct meeting *const *)input;
    (void)task, (void)input_bytes;
    if (meeting->refuses)
        refuse_system_call(SYS_membarrier);
    atomic_fetch_add(&meeting->here, 1);
    while (atomic_load(&meeting->here) < atomic_load(&meeting->expected))
        sched_yield();
    return 0;
}

/* Who leaves the last one may still look at it. */
static struct meeting meetings[3];

static void hold_meeting(mortal_pool *pool, uint32_t number, bool refuses)
{
    struct meeting *meeting = &meetings[number % COUNT(meetings)];
    mortal_future futures[WORKERS];
    atomic_store(&meeting->here, 0);
    atomic_store(&meeting->expected, WORKERS);
    meeting->refuses = refuses;
    for (uint32_t i = 0; i < WORKERS; i++)
        futures[i] = submit_at(pool, meet, meeting);
    for (uint32_t i = 0; i < WORKERS; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
}

static void *submit_some(void *pool)
{
    refuse_system_call(SYS_membarrier);
    for (uint32_t i = 0; i < 10; i++) {
        mortal_future future = submit((mortal_pool *)pool, task_nothing, NULL, 0);
        CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    }
    return NULL;
}

static bool all_are_idle(void)
{
    uint64_t idle = 0;
    for (uint32_t i = 0; i < twin_region()->g.idle_words; i++)
        idle += (uint64_t)__builtin_popcountll(atomic_load(idle_word(twin_region(), i)));
    return idle == WORKERS;
}

static void check(bool owner_is_refused)
{
    uint64_t dice = 1;
    if (owner_is_refused)
        refuse_system_call(SYS_membarrier);
    mortal_pool *pool = twin_open(WORKERS, 1, (mortal_pool_options){.held_tasks = 64});
    const struct region *r = twin_region();
    bool is_light = fence_is_light(r); /* not where this kernel has no membarrier */
    CHECK(!(owner_is_refused && is_light));
    if (!owner_is_refused)
        hold_meeting(pool, 0, true);
    for (uint32_t round = 1; round < more_if_long(ROUNDS); round++) {
        hold_meeting(pool, round, false);
        spin(below(&dice, 40000)); /* about as long as a worker looks around before it sleeps */
        if (round % 100 == 0)
            POLL_UNTIL(all_are_idle());
    }
    CHECK(!fence_is_light(r)); /* some worker has slept by now, and said so */
    pthread_t thread = thread_start(submit_some, pool);
    pthread_join(thread, NULL);
    for (uint32_t i = 0; i < 100; i++)
        CHECK_EQ(outcome_and_release(submit(pool, task_nothing, NULL, 0)), MORTAL_DONE);
    twin_close(pool);
}

void test(void)
{
    check(false);
    check(true);
}
