/*
 * Every host that died has an obituary, in the order of deaths: it says whether a kill, a deadline, the end of a task's
 * whole time or a start that took too long asked for it, for whose sake, and which tasks only shared the host. A host
 * that was killed from outside, or while it ran nothing, has one too.
 * Broken by: a death without a number, a reason that is the last one's, a collateral task that is called the culprit.
 */
#include "tasks.h"

static mortal_obituary obituary;

struct scene {
    struct gate gates[4];
    word slow_starts;
};
static struct scene *scene;

/* With twice the time until it comes to say so: else it may expire, or be ended before it begins. */
static mortal_future start(mortal_pool *pool, mortal_function *function, unsigned gate, const char *name,
                           mortal_task_options options)
{
    struct gate *place = &scene->gates[gate];
    atomic_store(&place->arrived, 0);
    options.name = name;
    for (;;) {
        mortal_future future = submit_like(pool, function, &place, sizeof place, options);
        if (comes_to(future, &place->arrived))
            return future;
        (void)outcome_and_release(future);
        options.within_ns *= 2;
        options.deadline_ns *= 2;
    }
}

static void expect(mortal_pool *pool, const mortal_verdict *verdict, int outcome, int asked, const char *culprit)
{
    CHECK_EQ(verdict->outcome, outcome);
    CHECK_OK(mortal_pool_obituary(pool, verdict->obituary, &obituary));
    CHECK_EQ(obituary.asked, asked);
    CHECK_EQ(obituary.has_culprit, 1);
    CHECK_STR(obituary.culprit.name, culprit);
    CHECK_EQ(asked == MORTAL_ASKED_NOBODY, obituary.latency_ns == 0);
}

static void check_reasons(void)
{
    mortal_pool *pool = pool_with(1);
    mortal_verdict verdict;
    mortal_future future = start(pool, task_endless, 0, "kill me", (mortal_task_options){0});
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    expect(pool, &verdict, MORTAL_KILLED, MORTAL_ASKED_KILL, "kill me");
    verdict = wait_for(start(pool, task_endless, 0, "deadline", (mortal_task_options){.deadline_ns = MS(10)}));
    expect(pool, &verdict, MORTAL_TIMED_OUT, MORTAL_ASKED_DEADLINE, "deadline");
    verdict = wait_for(start(pool, task_endless, 0, "within", (mortal_task_options){.within_ns = MS(100)}));
    expect(pool, &verdict, MORTAL_TIMED_OUT, MORTAL_ASKED_WITHIN, "within");
    future = start(pool, task_endless, 0, "from outside", (mortal_task_options){0});
    kill(host_of(future), SIGKILL);
    verdict = wait_for(future);
    expect(pool, &verdict, MORTAL_CRASHED, MORTAL_ASKED_NOBODY, "from outside");
    future = start(pool, task_endless, 0, "now", (mortal_task_options){0});
    mortal_pool_kill_now(pool, MORTAL_RUNNING);
    verdict = wait_for(future);
    expect(pool, &verdict, MORTAL_KILLED, MORTAL_ASKED_KILL, "now");
    CHECK(obituary.number >= 5);
    verdict = wait_for(submit(pool, task_nothing, NULL, 0));
    CHECK_EQ(verdict.obituary, 0);

    atomic_store(&scene->gates[1].open, 0);
    kill(host_when_idle(pool, &scene->gates[1]), SIGKILL);
    do {
        harness_sleep_ms(1);
    } while (stats_of(pool).obituaries != 6);
    CHECK_OK(mortal_pool_obituary(pool, 6, &obituary));
    CHECK_EQ(obituary.has_culprit, 0);
    CHECK_EQ(obituary.collateral, 0);
    CHECK_EQ(obituary.stage, MORTAL_STAGE_ACTIVE);
    CHECK_EQ(obituary.signal, SIGKILL);
    drain(pool);
}

static void check_shared_host(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 4, .workers_per_host = 4});
    mortal_verdict verdict;
    char name[100];
    mortal_future futures[4];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "task %u %s", i, i == 3 ? "with a name of more than sixty-three bytes, as items of map have" : "");
        futures[i] = start(pool, task_endless, i, name, (mortal_task_options){0});
    }
    CHECK_OK(mortal_future_kill(futures[1], 0, MORTAL_FOREVER, &verdict));
    expect(pool, &verdict, MORTAL_KILLED, MORTAL_ASKED_KILL, "task 1 ");
    CHECK_EQ(obituary.condemned, 1);
    CHECK_EQ(obituary.collateral, 3);
    CHECK_EQ(obituary.culprit.ticket, 1);
    uint64_t tickets = 0;
    for (unsigned i = 0; i < 3; i++)
        tickets |= 1u << obituary.others[i].ticket;
    CHECK_EQ(tickets, 1u << 0 | 1u << 2 | 1u << 3);
    for (unsigned i = 0; i < 3; i++)
        if (obituary.others[i].ticket == 3)
            CHECK_STR(obituary.others[i].name, "task 3 with a name of more than sixty-three bytes, as items of ");
    for (unsigned i = 0; i < 4; i++) {
        mortal_verdict other = wait_for(futures[i]);
        CHECK_EQ(other.outcome, i == 1 ? MORTAL_KILLED : MORTAL_COLLATERAL);
        CHECK_EQ(other.obituary, verdict.obituary);
    }
    drain(pool);
}

static int slow_init(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    if (word_add(&scene->slow_starts, 1) == 2)
        compute_for_ever();
    return 0;
}

/* The third host is the one that is forked when the first has died. */
static void check_start(void)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .init = slow_init, .start_ns = 300000000});
    while (stats_of(pool).standby == 0)
        harness_sleep_ms(1);
    CHECK_EQ(outcome_of(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    while (stats_of(pool).obituaries < 2)
        harness_sleep_ms(1);
    CHECK_OK(mortal_pool_obituary(pool, 2, &obituary));
    CHECK_EQ(obituary.asked, MORTAL_ASKED_START);
    CHECK_EQ(obituary.stage, MORTAL_STAGE_STARTING);
    CHECK_EQ(obituary.tasks, 0);
    check_pool_works(pool);
    drain(pool);
}

void test(void)
{
    scene = harness_shared(sizeof *scene);
    check_reasons();
    check_shared_host();
    check_start();
}
