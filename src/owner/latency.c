/* latency.c - telling how long kills took */
#include <errno.h>

#include "owner/seat.h"
#include "system/why.h"

/* ORD(*) counters; each is read once, and those that belong together are reckoned from what was read. */
int mortal_pool_latency(mortal_pool *handle, int of, mortal_latency *latency) {
    struct pool *pool;
    if (latency == NULL)
        return why(-EINVAL, "mortal_pool_latency: latency is null");
    if (of != MORTAL_LATENCY_OF_KILLS && of != MORTAL_LATENCY_OF_DEADLINES)
        return why(-EINVAL, "mortal_pool_latency: of is %d: it must be MORTAL_LATENCY_OF_KILLS or _OF_DEADLINES", of);
    int error = seat_enter(handle, "mortal_pool_latency", &pool);
    if (error != 0)
        return error;
    const struct latency *counted = &control_head(pool->region)->latencies[of - MORTAL_LATENCY_OF_KILLS];
    mortal_latency now = {0};
    for (uint32_t i = 0; i < MORTAL_LATENCY_BUCKETS; i++) {
        now.bound_ns[i] = latency_bound(i);
        now.counts[i] = atomic_load_explicit(&counted->counts[i], memory_order_relaxed);
        now.count += now.counts[i];
    }
    now.sum_ns = atomic_load_explicit(&counted->sum_ns, memory_order_relaxed);
    now.max_ns = atomic_load_explicit(&counted->max_ns, memory_order_relaxed);
    now.median_ns = latency_quantile(now.counts, now.max_ns, 500);
    now.p99_ns = latency_quantile(now.counts, now.max_ns, 990);
    *latency = now;
    seat_unlock(pool);
    return 0;
}
