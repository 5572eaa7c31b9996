/*
 * The circuit breaker opens at the first death that has so many others before it within the period, to the nanosecond;
 * not before, not without the option, not twice; and it closes only for the owner that has seen this opening.
 */
#include "unit.h"

#include "supervisor/state.h"

static struct heritage h;
static struct supervisor s;

static void fresh(uint32_t deaths, uint64_t period_ns)
{
    free(s.death_times);
    s = (struct supervisor){.heritage = &h, .region = &h.region, .ready = true};
    s.hosts = calloc(h.region.g.berths, sizeof *s.hosts);
    h.deaths = deaths;
    h.deaths_period_ns = period_ns;
    atomic_store(&control_head(&h.region)->breaker_opened, 0);
    atomic_store(&control_head(&h.region)->breaker_mended, 0);
    CHECK_EQ(breaker_open_tables(&s), 0);
}

static bool opens_at(uint64_t at_ns)
{
    breaker_count(&s, at_ns, STAGE_NONE, MORTAL_CAUSE_SIGNAL, 11);
    CHECK_EQ(s.breaker_is_open, breaker_is_open(&h.region));
    return s.breaker_is_open;
}

static void check_window(uint32_t deaths)
{
    uint64_t period = 1000, last = 5000;
    fresh(deaths, period);
    for (uint32_t death = 0; death < deaths; death++)
        CHECK(!opens_at(last));
    for (uint32_t death = 0; death < 5 * deaths; death++) /* as dense as may be */
        CHECK(!opens_at(last += death % deaths == 0 ? period : 0));
    CHECK(opens_at(last + period - 1));
    free(s.hosts);
}

static void check_marginal_options(void)
{
    fresh(1, 0); /* none */
    for (uint32_t death = 0; death < 100; death++)
        CHECK(!opens_at(5000));
    free(s.hosts);
    fresh(0, 1000); /* not one */
    CHECK(opens_at(5000));
    free(s.hosts);
    fresh(1, UINT64_MAX); /* all count */
    CHECK(!opens_at(1));
    CHECK(opens_at(UINT64_MAX / 2));
    free(s.hosts);
}

static void check_mending(void)
{
    struct control_head *control = control_head(&h.region);
    fresh(0, 1000);
    CHECK(opens_at(5000));
    CHECK(opens_at(5000));
    CHECK_EQ(atomic_load(&control->breaker_opened), 1);
    breaker_heed(&s);
    CHECK(s.breaker_is_open);
    atomic_store(&control->breaker_mended, 1);
    breaker_heed(&s);
    CHECK(!s.breaker_is_open && s.deaths_counted == 0);
    CHECK(opens_at(5001));
    CHECK_EQ(atomic_load(&control->breaker_opened), 2);
    breaker_heed(&s); /* the mend of the first does not close the second */
    CHECK(s.breaker_is_open && breaker_is_open(&h.region));
    free(s.hosts);
    fresh(1, 1000); /* and counting starts afresh */
    for (uint32_t opening = 1; opening <= 3; opening++) {
        CHECK(!opens_at(5000));
        CHECK(opens_at(5000));
        atomic_store(&control->breaker_mended, opening);
        breaker_heed(&s);
    }
    free(s.hosts);
}

void test(void)
{
    region_make(&h.region, limits_of(8, 1, 1), 3);
    for (uint32_t deaths = 1; deaths <= 5; deaths++)
        check_window(deaths);
    check_marginal_options();
    check_mending();
    free(s.death_times);
    region_destroy(&h.region);
}
