/*
 * stats.c - what `--stats` tells: how long kills took, and what became of the processes
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>

#include "map.h"

static void tell_latency(mortal_pool *pool, int of, const char *what, const char *since) {
    mortal_latency latency;
    char median[32], p99[32], most[32];
    if (mortal_pool_latency(pool, of, &latency) || latency.count == 0) {
        complain("%s: none", what);
        return;
    }
    format_duration(latency.median_ns, median, sizeof median);
    format_duration(latency.p99_ns, p99, sizeof p99);
    format_duration(latency.max_ns, most, sizeof most);
    complain("%s: %" PRIu64 ", certainly dead after the %s: median %s, 99%% within %s, at most %s", what, latency.count,
             since, median, p99, most);
}

void stats_tell(mortal_pool *pool) {
    mortal_stats stats;
    if (mortal_pool_stats(pool, &stats)) {
        complain("no statistics: %s", mortal_why());
        return;
    }
    complain("processes that ended: %" PRIu64 ", killed of these: %" PRIu64 ", replaced before they were dead: %" PRIu64
             ", still dying: %" PRIu32, stats.host_deaths, stats.host_kills, stats.replaced, stats.dying);
    complain("what they started was held by: %s", map_containment_name(stats.containment));
    tell_latency(pool, MORTAL_LATENCY_OF_DEADLINES, "killed at a deadline", "deadline");
    tell_latency(pool, MORTAL_LATENCY_OF_KILLS, "killed on request", "request");
}
