/*
 * An option struct of an older caller is shorter: what it lacks is zero, and nothing behind its end is read. One of a newer
 * caller is longer: accepted while what this library does not know is zero, refused when it is not, since then something
 * was asked for that would silently not be done.
 */
#include "unit.h"

#include <sys/mman.h>

#include "owner/pool.h"

enum { LONGEST = 4096 };

static struct plan plan;
static struct pool pool; /* its task defaults are all zero */
static uint8_t *page_end;

/* A copy that ends where readable memory ends: one byte read too much is a crash. */
static void *at_the_edge(const void *from, size_t bytes)
{
    memcpy(page_end - bytes, from, bytes);
    *(size_t *)(void *)(page_end - bytes) = bytes;
    return page_end - bytes;
}

static void check_older_pool_options(void)
{
    mortal_pool_options full = {.name = "older", .workers = 3, .standby = MORTAL_NONE, .queue_tasks = 7, .held_tasks = 9,
                                .start_ns = 123, .measure = MORTAL_MEASURE_TIMES, .deaths = 8};
    for (size_t bytes = sizeof(size_t); bytes <= sizeof full; bytes += 8) {
        CHECK_OK(options_plan(at_the_edge(&full, bytes), &plan));
        CHECK_EQ(plan.asked.workers, bytes > offsetof(mortal_pool_options, workers) ? 3 : 0);
        CHECK_EQ(plan.limits.standby, bytes > offsetof(mortal_pool_options, standby) ? 0 : 1);
        CHECK_EQ(plan.limits.queue_tasks, bytes > offsetof(mortal_pool_options, queue_tasks) ? 7 : 4096);
        CHECK_EQ(plan.limits.measure, bytes > offsetof(mortal_pool_options, measure) ? MORTAL_MEASURE_TIMES : 0);
        CHECK_EQ(plan.deaths, bytes > offsetof(mortal_pool_options, deaths) ? 8 : 0);
        CHECK_EQ(plan.start_ns == 123, bytes > offsetof(mortal_pool_options, start_ns));
    }
    CHECK_ERR(options_plan(&(mortal_pool_options){.size = sizeof(size_t) - 1}, &plan), -EINVAL);
    CHECK_ERR(options_plan(&(mortal_pool_options){.size = 0, .workers = 1}, &plan), -EINVAL);
}

static void check_older_task_options(void)
{
    mortal_task_options full = {.name = "older", .tag = &full, .within_ns = 4, .deadline_ns = 5, .attempts = 6};
    for (size_t bytes = sizeof(size_t); bytes <= sizeof full; bytes += 8) {
        mortal_task_options out;
        CHECK_OK(options_task(&pool, at_the_edge(&full, bytes), &out));
        CHECK_EQ(out.tag == &full, bytes > offsetof(mortal_task_options, tag));
        CHECK_EQ(out.within_ns, bytes > offsetof(mortal_task_options, within_ns) ? 4 : 0);
        CHECK_EQ(out.deadline_ns, bytes > offsetof(mortal_task_options, deadline_ns) ? 5 : 0);
        CHECK_EQ(out.attempts, bytes > offsetof(mortal_task_options, attempts) ? 6 : 0);
        CHECK_EQ(out.group == NULL, true);
    }
}

static int plan_pool(const void *options)
{
    return options_plan(options, &plan);
}

static int plan_task(const void *options)
{
    mortal_task_options out;
    return options_task(&pool, options, &out);
}

/* One byte at each place behind what is known. */
static void check_newer(size_t known, int (*read_options)(const void *), const char *name)
{
    static uint8_t newer[LONGEST];
    for (size_t bytes = known + 8; bytes <= known + 64; bytes += 8) {
        memset(newer, 0, sizeof newer);
        CHECK_OK(read_options(at_the_edge(newer, bytes)));
        for (size_t at = known; at < bytes; at++) {
            newer[at] = 1;
            CHECK_ERR(read_options(at_the_edge(newer, bytes)), -EINVAL);
            CHECK(strstr(mortal_why(), name) != NULL);
            newer[at] = 0;
        }
    }
    CHECK_OK(read_options(at_the_edge(newer, LONGEST)));
    *(size_t *)(void *)newer = LONGEST + 1; /* no struct is that long: this was never set */
    CHECK_ERR(read_options(newer), -EINVAL);
    *(size_t *)(void *)newer = SIZE_MAX;
    CHECK_ERR(read_options(newer), -EINVAL);
}

void test(void)
{
    uint8_t *pages = mmap(NULL, 2 * LONGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_EQ(mprotect(pages + LONGEST, LONGEST, PROT_NONE), 0);
    page_end = pages + LONGEST;
    check_older_pool_options();
    check_older_task_options();
    check_newer(sizeof(mortal_pool_options), plan_pool, "mortal_pool_options");
    check_newer(sizeof(mortal_task_options), plan_task, "mortal_task_options");
    munmap(pages, 2 * LONGEST);
}
