/*
 * What an item of a map left behind ends with it, as if it were a task: its clean-ups run if it is cut and not if a later
 * item is, a file that it did not publish is dropped, a critical section that it did not end is over, and it knows which
 * attempt it is. Very many that end their hosts cost no more each than one does; and hosts are recycled between items.
 * Broken by: a runner that passes on what an item left; a search through all items, or blocks, for each death.
 */
#include "tasks.h"

enum { WORKERS = 2, MANY = 1000, MANY_LONG = 20000, FEW = 200 };

static _Atomic unsigned char *calls, *cleaned, *attempts;
static word *hosts; /* process ids of those that ran items */

static int clean_up(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    atomic_fetch_add(&cleaned[*(const uint64_t *)input], 1);
    return 0;
}

static int leave_things(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    int      fd;
    (void)result;
    atomic_fetch_add(&calls[number], 1);
    if (mortal_task_attempt(task) > atomic_load(&attempts[number]))
        atomic_store(&attempts[number], (unsigned char)mortal_task_attempt(task));
    if (number % 3 == 0 && mortal_task_on_death(task, clean_up, &number, sizeof number) != 0)
        return 2;
    if (number % 5 == 0 && mortal_task_file_open(task, "never published", 0666, &fd) != 0)
        return 3;
    if (number % 7 == 0 && mortal_task_shield(task, true) != 0)
        return 4;
    if (number % 20 == 11)
        raise(SIGKILL);
    return 0;
}

static void items_are_tasks(mortal_pool *pool)
{
    static uint8_t      outcomes[FEW];
    mortal_task_options options = {.size = sizeof options, .attempts = 3};
    size_t              done;
    CHECK_OK(mortal_pool_map(pool, leave_things, NULL, 0, NULL, 0, FEW, &options, outcomes, &done));
    for (unsigned i = 0; i < FEW; i++) {
        bool crashes = i % 20 == 11;
        CHECK_EQ(outcomes[i], crashes ? MORTAL_QUARANTINED : MORTAL_DONE);
        CHECK_EQ(atomic_load(&calls[i]), crashes ? 3 : 1);
        CHECK_EQ(atomic_load(&attempts[i]), crashes ? 3 : 1);
        CHECK_EQ(atomic_load(&cleaned[i]), crashes && i % 3 == 0 ? 3 : 0);
    }
    CHECK_EQ(access("never published", F_OK), -1);
}

static int crash(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    atomic_fetch_add(&calls[*(const uint64_t *)item], 1);
    raise(SIGKILL);
    return 0;
}

static void very_many_deaths(mortal_pool *pool)
{
    static uint8_t outcomes[MANY_LONG];
    size_t         done = 9, many = TEST_LONG ? MANY_LONG : MANY;
    memset((void *)calls, 0, many);
    CHECK_OK(mortal_pool_map(pool, crash, NULL, 0, NULL, 0, many, NULL, outcomes, &done));
    CHECK_EQ(done, 0);
    for (unsigned i = 0; i < many; i++) {
        CHECK_EQ(outcomes[i], MORTAL_CRASHED);
        CHECK_EQ(atomic_load(&calls[i]), 1);
    }
}

/* Long, until hosts that were not there at first run items too. */
static int work_until_replaced(mortal_task *task, const void *item, void *result)
{
    uint32_t pid = (uint32_t)getpid();
    (void)task, (void)result;
    atomic_fetch_add(&calls[*(const uint64_t *)item], 1);
    for (unsigned i = 0; i < WORKERS + 1; i++) {
        uint32_t nobody = 0;
        if (atomic_compare_exchange_strong(&hosts[i], &nobody, pid) || nobody == pid)
            break;
    }
    for (volatile unsigned turns = 0; turns < 300000 && atomic_load(&hosts[WORKERS]) == 0; turns++)
        ;
    return 0;
}

static void recycled_in_the_middle(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = WORKERS, .recycle_tasks = 20});
    size_t       done;
    memset((void *)calls, 0, MANY_LONG);
    CHECK_OK(mortal_pool_map(pool, work_until_replaced, NULL, 0, NULL, 0, MANY_LONG, NULL, NULL, &done));
    CHECK_EQ(done, MANY_LONG);
    for (unsigned i = 0; i < MANY_LONG; i++)
        CHECK_EQ(atomic_load(&calls[i]), 1);
    CHECK(atomic_load(&hosts[WORKERS]) != 0);
    CHECK(stats_of(pool).recycled != 0);
    end(pool);
}

void test(void)
{
    calls = harness_shared(MANY_LONG);
    cleaned = harness_shared(FEW);
    attempts = harness_shared(FEW);
    hosts = harness_shared((WORKERS + 1) * sizeof *hosts);
    mortal_pool *pool = pool_with(WORKERS);
    items_are_tasks(pool);
    very_many_deaths(pool);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
    recycled_in_the_middle();
}
