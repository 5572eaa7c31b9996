/*
 * pool.c - mortal's pools, as every measurement of them opens, awaits and closes one
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool.h"

#include <errno.h>
#include <string.h>

#include "measure.h"

#define REST_MS_MAX 10000

void pool_check(int result, const char *what) {
    if (result != 0)
        measure_fail("%s: %s (%s)", what, strerror(-result), mortal_why());
}

mortal_pool *pool_open(mortal_pool_options options) {
    mortal_pool *pool;
    int          error;

    options.size = sizeof options;
    error = mortal_pool_open(&pool, &options);
    if (options.containment != MORTAL_CONTAIN_AUTO && (error == -EPERM || error == -ENOTSUP))
        measure_skip(mortal_why());
    pool_check(error, "open");
    return pool;
}

void pool_close(mortal_pool *pool) {
    pool_check(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL), "close");
}

void pool_wait_at_rest(mortal_pool *pool, unsigned hosts, unsigned standby) {
    uint64_t     until = clock_ns() + REST_MS_MAX * UINT64_C(1000000);
    mortal_stats stats;

    do {
        sleep_ns(1000000);
        pool_check(mortal_pool_stats(pool, &stats), "stats");
        if (clock_ns() > until)
            measure_fail("the pool does not come to rest: %u hosts, %u standby", stats.hosts, stats.standby);
    } while (stats.hosts < hosts || stats.standby < standby || stats.dying != 0);
}
