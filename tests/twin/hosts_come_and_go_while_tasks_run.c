/*
 * Hosts are doomed in the middle of their work, buried, and followed by others, in the same berth and often in the very
 * arena of the one before. A doomed worker ends the task that it has begun and gives back the one that it has not; what
 * was given back runs elsewhere; so every task is done once, and its group hears of it at once.
 * Broken by: a task given back that nobody looks for, a record of completions that is taken for the dead host's.
 */
#include "twin.h"

#include "region/queue.h"

enum { HOSTS = 3, IN_FLIGHT = 50, TASKS_MOST = 200000 };

static mortal_pool *pool;
static mortal_group *group;
static word ran[2 * TASKS_MOST], producing;
static uint32_t tasks_each;

static int count_and_answer(mortal_task *task, const void *input, size_t input_bytes)
{
    uint32_t number;
    memcpy(&number, input, sizeof number);
    atomic_fetch_add(&ran[number], 1);
    CHECK_EQ(input_bytes, sizeof number);
    return number % 2 == 0 ? 0 : mortal_task_reply(task, &number, sizeof number);
}

static void check_verdict(const mortal_verdict *verdict)
{
    uint32_t number = (uint32_t)((word *)verdict->tag - ran);
    CHECK_EQ(verdict->outcome, MORTAL_DONE);
    CHECK_EQ(atomic_load(&ran[number]), 1);
    if (number % 2 != 0)
        CHECK(memcmp(verdict->result, &number, sizeof number) == 0);
    CHECK_OK(mortal_future_release(verdict->future));
}

static mortal_future submit_number(uint32_t number, mortal_group *to)
{
    mortal_task_options options = {.tag = &ran[number], .group = to};
    return submit_like(pool, count_and_answer, &number, sizeof number, options);
}

/* Waits for each task by itself, with some in flight. */
static void *produce_futures(void *argument)
{
    mortal_future futures[IN_FLIGHT];
    for (uint32_t i = 0; i < tasks_each + IN_FLIGHT; i++) {
        if (i >= IN_FLIGHT) {
            mortal_verdict verdict = wait_for(futures[i % IN_FLIGHT]);
            check_verdict(&verdict);
        }
        if (i < tasks_each)
            futures[i % IN_FLIGHT] = submit_number(i, NULL);
    }
    atomic_fetch_sub(&producing, 1);
    return argument;
}

/* Lets its group tell what has ended. */
static void *produce_for_group(void *argument)
{
    uint64_t dice = 1;
    mortal_verdict verdict;
    for (uint32_t i = 0; i < tasks_each; i++) {
        (void)submit_number(tasks_each + i, group);
        if (i + 1 != tasks_each && below(&dice, IN_FLIGHT) != 0)
            continue;
        while (mortal_group_next(group, MORTAL_FOREVER, &verdict) == 0)
            check_verdict(&verdict);
    }
    atomic_fetch_sub(&producing, 1);
    return argument;
}

/* To the other one of the two arenas that its berth has, or into the one that was just left. */
static void replace_host(struct supervisor *s, uint32_t berth, bool same_life)
{
    uint32_t life = s->hosts[berth].life, first = s->region->g.lives - 1 - berth;
    twin_replace_host(s, berth, same_life ? life : life == first ? first - HOSTS : first);
}

static void check(uint32_t workers_per_host)
{
    struct supervisor s;
    uint32_t replaced = 0;
    uint64_t dice = 9;
    pool = twin_open(HOSTS * workers_per_host, workers_per_host,
                     (mortal_pool_options){.queue_tasks = 64, .held_tasks = 4096});
    twin_supervisor_open(&s);
    CHECK_OK(mortal_group_open(&group, pool));
    memset(ran, 0, sizeof ran);
    atomic_store(&producing, 2);
    pthread_t futures = thread_start(produce_futures, NULL), groups = thread_start(produce_for_group, NULL);
    for (; atomic_load(&producing) != 0; replaced++) {
        while (queue_length(s.region) == 0 && atomic_load(&producing) != 0)
            sched_yield(); /* in the middle of work */
        spin(below(&dice, 2000));
        replace_host(&s, below(&dice, HOSTS), below(&dice, 2) == 0);
    }
    pthread_join(futures, NULL);
    pthread_join(groups, NULL);
    harness_note("%u workers a host: %u hosts replaced, %u tasks given back", workers_per_host, replaced,
                 (unsigned)stats_of(pool).requeued);
    twin_supervisor_close(&s);
    twin_close(pool);
}

void test(void)
{
    tasks_each = more_if_long(10000);
    CHECK(tasks_each <= TASKS_MOST);
    check(1);
    check(3);
}
