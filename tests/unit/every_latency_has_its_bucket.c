/*
 * Every time falls into the first bucket whose bound it does not exceed, however long it was, and a quantile read from
 * the buckets is the bound of the one in which it lies, though never more than the longest time of all.
 * Broken by: a bound that is counted in the next bucket, a time past the last bound written beyond the table, a median
 * of none, a p99 that rounds down and so leaves the slowest of a hundred out.
 */
#include "unit.h"

#include "region/latency.h"

static void falls_into(uint64_t ns, uint32_t bucket)
{
    struct latency latency = {0};
    latency_count(&latency, ns);
    for (uint32_t i = 0; i < MORTAL_LATENCY_BUCKETS; i++)
        CHECK_EQ(atomic_load(&latency.counts[i]), i == bucket);
    CHECK_EQ(atomic_load(&latency.sum_ns), ns);
    CHECK_EQ(atomic_load(&latency.max_ns), ns);
}

static void bounds(void)
{
    falls_into(0, 0);
    for (uint32_t i = 0; i + 1 < MORTAL_LATENCY_BUCKETS; i++) {
        CHECK(i == 0 || latency_bound(i) > latency_bound(i - 1));
        CHECK(i == 0 || latency_bound(i) * 4 <= latency_bound(i - 1) * 5);
        falls_into(latency_bound(i), i);
        falls_into(latency_bound(i) + 1, i + 1);
    }
    CHECK_EQ(latency_bound(MORTAL_LATENCY_BUCKETS - 1), UINT64_MAX);
    CHECK_EQ(latency_bound(MORTAL_LATENCY_BUCKETS), UINT64_MAX);
    falls_into(UINT64_MAX, MORTAL_LATENCY_BUCKETS - 1);
    CHECK(latency_bound(MORTAL_LATENCY_BUCKETS - 2) > 500000000u);
}

static void quantiles(void)
{
    uint64_t counts[MORTAL_LATENCY_BUCKETS] = {0};
    CHECK_EQ(latency_quantile(counts, 0, 500), 0);
    counts[10] = 99;
    CHECK_EQ(latency_quantile(counts, UINT64_MAX, 990), latency_bound(10));
    counts[20] = 1;
    CHECK_EQ(latency_quantile(counts, UINT64_MAX, 500), latency_bound(10));
    CHECK_EQ(latency_quantile(counts, UINT64_MAX, 990), latency_bound(10));
    CHECK_EQ(latency_quantile(counts, UINT64_MAX, 991), latency_bound(20));
    CHECK_EQ(latency_quantile(counts, latency_bound(20) - 1, 1000), latency_bound(20) - 1);
    counts[20] = 2; /* two of 101 */
    CHECK_EQ(latency_quantile(counts, UINT64_MAX, 990), latency_bound(20));
    counts[MORTAL_LATENCY_BUCKETS - 1] = UINT64_MAX / 2; /* as many as there can be */
    CHECK_EQ(latency_quantile(counts, 7000000000u, 500), 7000000000u);
}

void test(void)
{
    bounds();
    quantiles();
}
