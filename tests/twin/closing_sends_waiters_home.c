/*
 * Threads wait in every call that can wait when another one closes the pool: each comes back with -ESHUTDOWN, before the
 * pool is gone; whoever calls afterwards is told; what runs and what waits is run to its end all the same. And a sealed
 * pool takes nothing more while what is there goes on.
 */
#include "twin.h"

enum { WAITERS = 8, PENDING = 3 };

static mortal_pool *pool;
static mortal_group *group;
static mortal_future held;
static struct gate *gate;
static word started, home, ran;

static void *wait_for_future(void *argument)
{
    mortal_verdict verdict;
    word_add(&started, 1);
    if (argument != NULL)
        CHECK_ERR(mortal_future_take(held, SECONDS(3600), &verdict, NULL, 0), -ESHUTDOWN);
    else
        CHECK_ERR(mortal_future_wait(held, MORTAL_FOREVER, &verdict), -ESHUTDOWN);
    word_add(&home, 1);
    return NULL;
}

static void *wait_for_group(void *argument)
{
    mortal_verdict verdict;
    word_add(&started, 1);
    CHECK_ERR(mortal_group_next(group, argument != NULL ? SECONDS(3600) : MORTAL_FOREVER, &verdict), -ESHUTDOWN);
    word_add(&home, 1);
    return NULL;
}

static void *wait_for_parts(void *argument)
{
    mortal_part part;
    word_add(&started, 1);
    CHECK_ERR(mortal_group_next_part(group, argument != NULL ? SECONDS(3600) : MORTAL_FOREVER, &part), -ESHUTDOWN);
    word_add(&home, 1);
    return NULL;
}

/* The queue is full. */
static void *wait_for_room(void *argument)
{
    mortal_future future = {7, 7};
    word *counter = &ran;
    word_add(&started, 1);
    CHECK_ERR(mortal_pool_submit(pool, task_count, &counter, sizeof counter, NULL, &future), -ESHUTDOWN);
    CHECK(future.place == 7 && future.life == 7);
    word_add(&home, 1);
    return argument;
}

/* The last one home lets the held task go, which the closing waits for. */
static void *let_go(void *argument)
{
    mortal_stats stats;
    word_await(&home, WAITERS);
    CHECK_ERR(mortal_pool_stats(pool, &stats), -ESHUTDOWN);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -ESHUTDOWN);
    CHECK_ERR(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL), -EALREADY);
    CHECK_ERR(mortal_future_wait(held, 0, NULL), -ESHUTDOWN);
    CHECK_ERR(mortal_group_stream(group, held), -ESHUTDOWN);
    CHECK_ERR(mortal_group_close(group), -ESHUTDOWN);
    gate_open(gate);
    return argument;
}

static void fill_pool(void)
{
    struct gate *at = gate;
    mortal_task_options options = {.size = sizeof options, .group = group};
    word *counter = &ran;
    CHECK_OK(mortal_pool_submit(pool, task_held, &at, sizeof at, &options, &held));
    CHECK_OK(mortal_group_stream(group, held));
    word_await(&gate->arrived, 1);
    for (int i = 0; i < PENDING; i++)
        CHECK_OK(mortal_pool_submit(pool, task_count, &counter, sizeof counter, NULL, NULL));
}

static void check_round(uint32_t round)
{
    static void *(*const bodies[WAITERS])(void *) = {wait_for_future, wait_for_future, wait_for_group, wait_for_group,
                                                     wait_for_parts,  wait_for_parts,  wait_for_room,  wait_for_room};
    pthread_t threads[WAITERS];
    uint64_t dice = round;
    mortal_future last = held;
    pool = twin_open(1, 1, (mortal_pool_options){.queue_tasks = PENDING, .held_tasks = 16});
    CHECK_OK(mortal_group_open(&group, pool));
    memset(gate, 0, sizeof *gate);
    atomic_store(&started, 0);
    atomic_store(&home, 0);
    atomic_store(&ran, 0);
    fill_pool();
    for (uint32_t i = 0; i < WAITERS; i++)
        threads[i] = thread_start(bodies[i], i % 2 == 0 ? NULL : &dice);
    pthread_t last_one = thread_start(let_go, NULL);
    word_await(&started, WAITERS); /* some sleep, some are about to, some are not inside yet */
    if (round % 3 != 0)
        harness_sleep_ms(below(&dice, 3));
    twin_close(pool);
    for (uint32_t i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(last_one, NULL);
    CHECK_EQ(atomic_load(&ran), PENDING);
    CHECK_ERR(mortal_future_wait(held, 0, NULL), -ESTALE);
    CHECK_ERR(mortal_future_wait(last, 0, NULL), round == 0 ? -EINVAL : -ESTALE);
    CHECK_ERR(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, 0, NULL), -EINVAL);
}

static void check_sealed(void)
{
    mortal_pool *sealed = twin_open(2, 1, (mortal_pool_options){.held_tasks = 256});
    mortal_future futures[100];
    for (int i = 0; i < 100; i++)
        futures[i] = submit(sealed, task_nothing, NULL, 0);
    mortal_pool_seal(sealed);
    CHECK_ERR(mortal_pool_submit(sealed, task_nothing, NULL, 0, NULL, NULL), -ESHUTDOWN);
    CHECK_ERR(mortal_pool_try_submit(sealed, task_nothing, NULL, 0, NULL, NULL), -ESHUTDOWN);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    twin_close(sealed);
}

void test(void)
{
    gate = gates_make(1);
    for (uint32_t round = 0; round < more_if_long(30); round++)
        check_round(round);
    check_sealed();
}
