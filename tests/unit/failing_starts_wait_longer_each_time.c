/*
 * After the first start that failed another is tried at once, then each waits twice as long, up to two seconds; starts
 * that were under way together count once, and one success makes the next failure the first.
 * Broken by: a respawn that keeps a processor busy, one that gives up, a wait that grows with the number of hosts.
 */
#include "unit.h"

#include "supervisor/state.h"
#include "system/clock.h"

#define SHORTEST 10000000u
#define LONGEST  2000000000u

static struct region r;
static struct heritage h; /* without a circuit breaker */
static struct supervisor s;

static uint64_t fail(uint64_t began_ns)
{
    spawn_failed(&s, began_ns, STAGE_INIT, DETAIL_STATUS, 1, -ECANCELED);
    return s.spawn_after - s.failed_at_ns;
}

static void check_series(void)
{
    CHECK_EQ(fail(clock_ns()), 0);
    for (uint64_t wait = SHORTEST; wait < LONGEST; wait *= 2)
        CHECK_EQ(fail(clock_ns()), wait);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(fail(clock_ns()), LONGEST);
    CHECK(s.spawn_after > clock_ns());
}

static void check_together(void)
{
    uint64_t began = clock_ns();
    CHECK_EQ(fail(clock_ns()), 0);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(fail(began), 0);
    CHECK_EQ(fail(clock_ns()), SHORTEST);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(fail(began), SHORTEST);
}

void test(void)
{
    region_make(&r, limits_of(8, 1, 1), 3);
    s = (struct supervisor){.region = &r, .heritage = &h, .ready = true};
    check_series();
    spawn_forgive(&s);
    CHECK_EQ(s.spawn_after, 0);
    check_together();
    spawn_forgive(&s);
    check_series();
    CHECK_EQ(atomic_load(&control_head(&r)->failed_starts), 2 * (9 + 100) + 2 * 101);
    CHECK(!s.quitting); /* only an opening ends with its first failure */
    s.ready = false;
    (void)fail(clock_ns());
    CHECK(s.quitting);
    region_destroy(&r);
}
