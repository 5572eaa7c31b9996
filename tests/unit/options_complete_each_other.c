/*
 * What is left at zero follows from what was asked: the queue is no longer than what may be held, what may be held no less
 * than the queue; and what a task leaves at zero it takes from its pool, but for group and tag.
 */
#include "unit.h"

#include "owner/pool.h"

static struct plan plan;

static struct limits limits_for(mortal_pool_options options)
{
    options.size = sizeof options;
    CHECK_OK(options_plan(&options, &plan));
    return plan.limits;
}

static void check_pool(void)
{
    struct limits l = limits_for((mortal_pool_options){.size = 0});
    CHECK(l.workers >= 1 && l.workers <= 1024);
    CHECK_EQ(l.workers, process_usable_cpus());
    CHECK_EQ(l.workers_per_host, 1);
    CHECK_EQ(l.standby, 1);
    CHECK_EQ(l.queue_tasks, 4096);
    CHECK_EQ(l.held_tasks, 131072);
    CHECK_EQ(l.inputs_bytes, 64 << 20);
    CHECK_EQ(l.results_bytes, 64 << 20);
    CHECK_EQ(l.measure, 0);
    CHECK_EQ(plan.start_ns, 60000000000);
    CHECK_EQ(limits_for((mortal_pool_options){.held_tasks = 5}).queue_tasks, 5);
    CHECK_EQ(limits_for((mortal_pool_options){.held_tasks = 5000}).queue_tasks, 4096);
    CHECK_EQ(limits_for((mortal_pool_options){.queue_tasks = 5}).held_tasks, 131072);
    CHECK_EQ(limits_for((mortal_pool_options){.queue_tasks = 500000}).held_tasks, 500000);
    CHECK_EQ(limits_for((mortal_pool_options){.standby = MORTAL_NONE}).standby, 0);
    CHECK_EQ(limits_for((mortal_pool_options){.workers = 8, .workers_per_host = 8}).workers_per_host, 8);
}

static void check_breaker(void)
{
    limits_for((mortal_pool_options){.size = 0});
    CHECK_EQ(plan.deaths_period_ns, 0); /* there is none */
    limits_for((mortal_pool_options){.deaths = 7});
    CHECK_EQ(plan.deaths, 7);
    CHECK_EQ(plan.deaths_period_ns, 60000000000);
    limits_for((mortal_pool_options){.deaths = MORTAL_NONE, .deaths_period_ns = 1});
    CHECK_EQ(plan.deaths, 0);
    CHECK_EQ(plan.deaths_period_ns, 1);
    limits_for((mortal_pool_options){.deaths = 1, .deaths_period_ns = MORTAL_FOREVER});
    CHECK_EQ(plan.deaths_period_ns, UINT64_MAX);
}

static void check_task(void)
{
    static struct pool pool;
    int tag;
    mortal_task_options asked = {.size = sizeof asked, .tag = &tag}, got;
    pool.defaults = (mortal_task_options){.name = "pool's", .within_ns = 1, .deadline_ns = 2, .attempts = 3};
    CHECK_OK(options_task(&pool, NULL, &got));
    CHECK_EQ(got.attempts, 3);
    CHECK_OK(options_task(&pool, &asked, &got));
    CHECK_STR(got.name, "pool's");
    CHECK_EQ(got.within_ns, 1);
    CHECK_EQ(got.deadline_ns, 2);
    CHECK_EQ(got.attempts, 3);
    CHECK(got.tag == &tag && got.group == NULL);
    asked = (mortal_task_options){.size = sizeof asked, .name = "own", .within_ns = 10, .deadline_ns = 20, .attempts = 1};
    CHECK_OK(options_task(&pool, &asked, &got));
    CHECK_STR(got.name, "own");
    CHECK_EQ(got.within_ns, 10);
    CHECK_EQ(got.deadline_ns, 20);
    CHECK_EQ(got.attempts, 1);
    CHECK(got.tag == NULL);
}

void test(void)
{
    check_pool();
    check_breaker();
    check_task();
}
