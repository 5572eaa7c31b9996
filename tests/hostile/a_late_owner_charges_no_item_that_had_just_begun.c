/*
 * The deadline of one item of an open map meets the next one, which had just begun in its place: it is collateral, or begins
 * again, however late the program calls. The item makes that happen itself, by the time stamp of the one before.
 * Broken by: asking how long it ran until the call, and not until its end.
 */
#include "hostile.h"

#include "openmap.h"

enum { DEADLINE_MS = 300 };

static word *entered;
static _Atomic uint64_t *stamp;

static int late(mortal_task *task, const void *item, void *result)
{
    _Atomic uint64_t *mine = &task->worker->desk->started_ns;
    (void)result;
    if (*(const uint64_t *)item == 0) {
        atomic_store(stamp, atomic_load(mine));
        harness_sleep_ms(DEADLINE_MS * 3 / 4);
        return 0;
    }
    if (word_add(entered, 1) != 0)
        return 0;
    atomic_store(mine, atomic_load(stamp));
    compute_for_ever();
    return 0;
}

static void check(mortal_pool *pool, unsigned attempts)
{
    uint64_t deaths = stats_of(pool).host_deaths;
    mortal_task_options task = {.size = sizeof task, .deadline_ns = MS(DEADLINE_MS), .attempts = attempts};
    mortal_map *map = map_like(pool, late, (mortal_map_options){.task = &task});
    word_set(entered, 0);
    CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    CHECK_OK(mortal_map_put(map, NULL, NULL, 0));
    POLL_UNTIL(stats_of(pool).host_deaths != deaths);
    harness_sleep_ms(DEADLINE_MS + 50);
    CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    CHECK_EQ(take(map).verdict.outcome, attempts > 1 ? MORTAL_DONE : MORTAL_COLLATERAL);
    end_map(map);
}

void test(void)
{
    entered = harness_shared(sizeof *entered);
    stamp = harness_shared(sizeof *stamp);
    mortal_pool *pool = pool_with(1);
    check(pool, 1);
    check(pool, 2);
    end(pool);
}
