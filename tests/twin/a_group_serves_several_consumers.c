/*
 * Several threads take verdicts out of one group while several submit to it: each verdict goes to one of them, once, with
 * the result that belongs to it, whether they wait for ever, for a moment or not at all.
 * Broken by: a completion logged after it was rung, a sleeper that is not counted when a worker looks for sleepers.
 */
#include "twin.h"

enum { PRODUCERS = 3, CONSUMERS = 3, TASKS_MOST = 60000 };

static mortal_pool *pool;
static mortal_group *group;
static uint32_t tasks_each;
static word delivered[PRODUCERS * TASKS_MOST], delivered_all, submitted_all;

static int negate(mortal_task *task, const void *input, size_t input_bytes)
{
    uint64_t number;
    CHECK_EQ(input_bytes, sizeof number);
    memcpy(&number, input, sizeof number);
    number = ~number;
    return mortal_task_reply(task, &number, sizeof number);
}

static void *produce(void *argument)
{
    uint32_t first = *(const uint32_t *)argument * tasks_each;
    for (uint32_t i = first; i < first + tasks_each; i++) {
        mortal_task_options options = {.size = sizeof options, .group = group, .tag = &delivered[i]};
        mortal_future future = {0, 0}, *kept = NULL;
        bool keeps = i % 3 == 0; /* the others are known by their verdicts alone */
        int error;
        if (keeps)
            kept = &future;
        while ((error = mortal_pool_submit(pool, negate, &(uint64_t){i}, sizeof(uint64_t), &options, kept)) == -ENOBUFS)
            sched_yield(); /* consumers are behind with releasing */
        CHECK_OK(error);
        atomic_fetch_add(&submitted_all, 1);
        if (i % 30 == 0) { /* may be harvested here, and is delivered there all the same */
            error = mortal_future_wait(future, MORTAL_FOREVER, NULL);
            CHECK(error == 0 || error == -ESTALE);
        }
    }
    return NULL;
}

static void take_in(const mortal_verdict *verdict)
{
    uint64_t answer;
    word *mine = verdict->tag;
    CHECK_EQ(verdict->outcome, MORTAL_DONE);
    CHECK_EQ(verdict->result_bytes, sizeof answer);
    memcpy(&answer, verdict->result, sizeof answer);
    CHECK_EQ(~answer, mine - delivered);
    CHECK_EQ(atomic_fetch_add(mine, 1), 0);
    CHECK_OK(mortal_future_release(verdict->future));
    atomic_fetch_add(&delivered_all, 1);
}

static void *consume(void *argument)
{
    uint64_t dice = *(const uint32_t *)argument;
    while (atomic_load(&delivered_all) != PRODUCERS * tasks_each) {
        static const uint64_t limits[] = {0, 100000, MORTAL_FOREVER};
        mortal_verdict verdict;
        int error = mortal_group_next(group, limits[below(&dice, 3)], &verdict);
        if (error == 0)
            take_in(&verdict);
        else if (error == -ENOENT) /* all that there is was delivered, but perhaps not all that comes */
            sched_yield();
        else
            CHECK_EQ(error, -ETIMEDOUT);
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t workers_per_host)
{
    pthread_t threads[PRODUCERS + CONSUMERS];
    uint32_t numbers[PRODUCERS + CONSUMERS];
    pool = twin_open(workers, workers_per_host, (mortal_pool_options){.queue_tasks = 256, .held_tasks = 512});
    CHECK_OK(mortal_group_open(&group, pool));
    memset(delivered, 0, sizeof delivered);
    atomic_store(&delivered_all, 0);
    atomic_store(&submitted_all, 0);
    for (uint32_t i = 0; i < PRODUCERS + CONSUMERS; i++) {
        numbers[i] = i < PRODUCERS ? i : i * 17;
        threads[i] = thread_start(i < PRODUCERS ? produce : consume, &numbers[i]);
    }
    for (uint32_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        pthread_join(threads[i], NULL);
    mortal_verdict verdict;
    CHECK_EQ(mortal_group_next(group, 0, &verdict), -ENOENT);
    CHECK_EQ(stats_of(pool).held, 0);
    CHECK_OK(mortal_group_close(group));
    twin_close(pool);
}

void test(void)
{
    tasks_each = more_if_long(1500);
    CHECK(tasks_each <= TASKS_MOST);
    check(1, 1);
    check(4, 1);
    check(4, 4);
}
