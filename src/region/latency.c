#include "region/latency.h"

#define LEAST_NS 16000u /* no death that was asked for is faster */

uint64_t latency_bound(uint32_t bucket) {
    if (bucket >= MORTAL_LATENCY_BUCKETS - 1)
        return UINT64_MAX;
    return (uint64_t)(LEAST_NS / 4 * (4 + bucket % 4)) << bucket / 4;
}

/* ORD(*) counters, that nothing is read by. One process writes them, so a sum needs no swap. */
void latency_count(struct latency *latency, uint64_t ns) {
    uint32_t bucket = 0;
    while (ns > latency_bound(bucket))
        bucket++;
    atomic_fetch_add_explicit(&latency->counts[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&latency->sum_ns, ns, memory_order_relaxed);
    if (ns > atomic_load_explicit(&latency->max_ns, memory_order_relaxed))
        atomic_store_explicit(&latency->max_ns, ns, memory_order_relaxed);
}

uint64_t latency_quantile(const uint64_t counts[MORTAL_LATENCY_BUCKETS], uint64_t max_ns, uint32_t thousandths) {
    uint64_t all = 0, reached = 0;
    for (uint32_t i = 0; i < MORTAL_LATENCY_BUCKETS; i++)
        all += counts[i];
    uint64_t wanted = all / 1000 * thousandths + (all % 1000 * thousandths + 999) / 1000;
    for (uint32_t i = 0; i < MORTAL_LATENCY_BUCKETS && all != 0; i++) {
        reached += counts[i];
        if (reached >= wanted && reached != 0)
            return latency_bound(i) < max_ns ? latency_bound(i) : max_ns;
    }
    return 0;
}
