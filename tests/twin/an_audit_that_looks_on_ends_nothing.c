/*
 * The supervisor's audit goes round and round while tasks are submitted, cancelled, run and released. It mends hints and
 * ends what nobody runs; here everything is in order, so it must find nothing: no task is lost, no host is doomed, nothing
 * is put before what was submitted earlier.
 * Broken by: a record of a worker that is read in the wrong order, a task that is looked at before it is complete.
 */
#include "twin.h"

enum { PRODUCERS = 2, IN_FLIGHT = 6 };

static mortal_pool *pool;
static word producing;
static uint32_t tasks_each;

static void *produce(void *argument)
{
    uint64_t dice = *(const uint32_t *)argument;
    mortal_future futures[IN_FLIGHT];
    for (uint32_t i = 0; i < tasks_each + IN_FLIGHT; i++) {
        if (i >= IN_FLIGHT) {
            int outcome = outcome_and_release(futures[i % IN_FLIGHT]);
            CHECK(outcome == MORTAL_DONE || outcome == MORTAL_CANCELLED);
        }
        if (i >= tasks_each)
            continue;
        futures[i % IN_FLIGHT] = submit(pool, i % 2 == 0 ? task_nothing : task_echo, &i, sizeof i);
        if (below(&dice, 10) == 0)
            (void)mortal_future_cancel(futures[i % IN_FLIGHT]);
    }
    atomic_fetch_sub(&producing, 1);
    return NULL;
}

/* Some things count only if they were so at the last audit too, half a second before. Here there is no such pause. */
static void forget_last_audit(struct supervisor *s)
{
    for (uint32_t i = 0; i < twin.host_count; i++)
        for (uint32_t j = 0; j < s->region->g.workers_per_host; j++)
            s->hosts[i].watches[j].orphaned = 0;
}

static void check(uint32_t workers, uint32_t workers_per_host)
{
    struct supervisor s;
    pthread_t threads[PRODUCERS];
    uint32_t numbers[PRODUCERS], audits = 0;
    pool = twin_open(workers, workers_per_host, (mortal_pool_options){.queue_tasks = 32, .held_tasks = 64});
    twin_supervisor_open(&s);
    atomic_store(&producing, PRODUCERS);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        numbers[i] = i;
        threads[i] = thread_start(produce, &numbers[i]);
    }
    for (; atomic_load(&producing) != 0; audits++) {
        audit(&s);
        (void)audit_finds_work(&s);
        audit_parked(&s);
        forget_last_audit(&s);
        sched_yield();
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    CHECK(!audit_finds_work(&s));
    for (uint32_t i = 0; i < twin.host_count; i++)
        CHECK_EQ(s.hosts[i].state, HOST_ACTIVE);
    CHECK_EQ(atomic_load(&control_head(twin_region())->returned_version), 0);
    CHECK_EQ(stats_of(pool).ended[MORTAL_LOST], 0);
    harness_note("%u workers, %u a host: %u audits", workers, workers_per_host, audits);
    twin_supervisor_close(&s);
    twin_close(pool);
}

void test(void)
{
    tasks_each = more_if_long(3000);
    check(1, 1);
    check(3, 1);
    check(3, 3);
}
