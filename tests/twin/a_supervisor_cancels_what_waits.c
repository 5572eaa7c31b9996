/*
 * A signal handler's kill of all that waits is carried out by the supervisor, while owner and workers go on with the same
 * tasks: each ends once, as cancelled only if it never ran, and its group hears of it.
 * Broken by: an order that is read after its owner may have used the slot for another task.
 */
#include "twin.h"

enum { PRODUCERS = 2, TASKS_MOST = 60000 };

static mortal_pool *pool;
static mortal_group *groups[PRODUCERS];
static word runs[PRODUCERS][TASKS_MOST], producing, cancelled;
static uint32_t tasks_each;

static void take_in(const mortal_verdict *verdict)
{
    CHECK(verdict->outcome == MORTAL_DONE || verdict->outcome == MORTAL_CANCELLED);
    CHECK_EQ(atomic_load((word *)verdict->tag), verdict->outcome == MORTAL_DONE);
    atomic_fetch_add(&cancelled, verdict->outcome == MORTAL_CANCELLED);
    CHECK_OK(mortal_future_release(verdict->future)); /* its slot is used again at once */
}

/* Some are waited for by themselves, so that they are known to have ended before anybody says so to their group. */
static void *produce(void *argument)
{
    uint32_t number = *(const uint32_t *)argument;
    uint64_t dice = number;
    mortal_verdict verdict;
    for (uint32_t i = 0; i < tasks_each; i++) {
        word *counter = &runs[number][i];
        mortal_task_options options = {.size = sizeof options, .group = groups[number], .tag = counter};
        mortal_future future;
        CHECK_OK(mortal_pool_submit(pool, task_count, &counter, sizeof counter, &options, &future));
        uint32_t way = below(&dice, 3);
        int error = way == 0   ? mortal_future_wait(future, MORTAL_FOREVER, &verdict)
                    : way == 1 ? mortal_group_next(groups[number], MORTAL_FOREVER, &verdict)
                               : mortal_group_next(groups[number], 0, &verdict);
        if (error == 0)
            take_in(&verdict);
        CHECK(error == 0 || error == -ETIMEDOUT);
    }
    while (mortal_group_next(groups[number], MORTAL_FOREVER, &verdict) == 0)
        take_in(&verdict);
    atomic_fetch_sub(&producing, 1);
    return NULL;
}

static void check(uint32_t workers, uint32_t workers_per_host)
{
    struct supervisor s;
    pthread_t threads[PRODUCERS];
    uint32_t numbers[PRODUCERS], kills = 0;
    uint64_t dice = workers;
    pool = twin_open(workers, workers_per_host, (mortal_pool_options){.queue_tasks = 16, .held_tasks = 64});
    twin_supervisor_open(&s);
    memset(runs, 0, sizeof runs);
    atomic_store(&cancelled, 0);
    atomic_store(&producing, PRODUCERS);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        CHECK_OK(mortal_group_open(&groups[i], pool));
        numbers[i] = i;
        threads[i] = thread_start(produce, &numbers[i]);
    }
    for (; atomic_load(&producing) != 0; kills++) {
        mortal_pool_kill_now(pool, MORTAL_PENDING);
        condemn_requests(&s);
        spin(below(&dice, 20000));
        sched_yield();
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_DONE] + stats.ended[MORTAL_CANCELLED], PRODUCERS * tasks_each);
    CHECK_EQ(stats.ended[MORTAL_CANCELLED], atomic_load(&cancelled));
    harness_note("%u workers, %u a host: %u kills cancelled %u of %u", workers, workers_per_host, kills,
                 atomic_load(&cancelled), PRODUCERS * tasks_each);
    twin_supervisor_close(&s);
    twin_close(pool);
}

void test(void)
{
    tasks_each = more_if_long(2000);
    CHECK(tasks_each <= TASKS_MOST);
    check(1, 1);
    check(3, 1);
    check(2, 2);
}
