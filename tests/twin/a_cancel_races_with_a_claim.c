/*
 * Tasks are cancelled by another thread as workers reach for them. Either the cancel was first, and the function never
 * ran, or the worker was, and it ran once and is done; and the cancel's answer and the verdict agree.
 */
#include "twin.h"

enum { BATCH = 16, TASKS_MOST = 200000 };

static mortal_pool *pool;
static word runs[TASKS_MOST];

/* Takes as long as a cancel, or a little longer. */
static int count_run(mortal_task *task, const void *input, size_t input_bytes)
{
    spin(500);
    return task_count(task, input, input_bytes);
}

/* What one thread submitted and another cancels: taken over and given back at the barrier. */
static struct {
    mortal_future futures[BATCH];
    int answers[BATCH];
    uint32_t rounds;
    pthread_barrier_t ready, done;
} batch;

static void *cancel_them(void *argument)
{
    uint64_t dice = 5;
    for (uint32_t round = 0; round < batch.rounds; round++) {
        pthread_barrier_wait(&batch.ready);
        while (round % 3 != 0 && atomic_load(&runs[round * BATCH + below(&dice, 3)]) == 0)
            sched_yield(); /* workers are awake, and have just begun */
        for (uint32_t i = 0; i < BATCH; i++) { /* now from the front, where workers are, now from the back */
            uint32_t at = round % 2 == 0 ? i : BATCH - 1 - i;
            batch.answers[at] = mortal_future_cancel(batch.futures[at]);
        }
        pthread_barrier_wait(&batch.done);
    }
    return argument;
}

static void check_answer(uint32_t i, word *ran, uint32_t *cancelled)
{
    int outcome = outcome_and_release(batch.futures[i]);
    if (batch.answers[i] == 0) {
        CHECK_EQ(outcome, MORTAL_CANCELLED);
        CHECK_EQ(atomic_load(ran), 0);
        ++*cancelled;
        return;
    }
    CHECK(batch.answers[i] == -EBUSY || batch.answers[i] == -EALREADY);
    CHECK_EQ(outcome, MORTAL_DONE);
    CHECK_EQ(atomic_load(ran), 1);
}

static void check(uint32_t workers, uint32_t workers_per_host, uint32_t rounds)
{
    uint32_t cancelled = 0;
    pool = twin_open(workers, workers_per_host, (mortal_pool_options){.held_tasks = 64});
    memset(runs, 0, sizeof runs);
    batch.rounds = rounds;
    CHECK(rounds * BATCH <= TASKS_MOST);
    pthread_barrier_init(&batch.ready, NULL, 2);
    pthread_barrier_init(&batch.done, NULL, 2);
    pthread_t canceller = thread_start(cancel_them, NULL);
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < BATCH; i++)
            batch.futures[i] = submit_at(pool, count_run, &runs[round * BATCH + i]);
        pthread_barrier_wait(&batch.ready);
        pthread_barrier_wait(&batch.done);
        for (uint32_t i = 0; i < BATCH; i++)
            check_answer(i, &runs[round * BATCH + i], &cancelled);
    }
    pthread_join(canceller, NULL);
    harness_note("%u workers, %u a host: %u of %u tasks cancelled in time", workers, workers_per_host, cancelled,
                 rounds * BATCH);
    pthread_barrier_destroy(&batch.ready);
    pthread_barrier_destroy(&batch.done);
    twin_close(pool);
}

void test(void)
{
    check(1, 1, more_if_long(300));
    check(2, 1, more_if_long(300));
    check(3, 3, more_if_long(300));
}
