/*
 * pool.h - mortal's pools, as every measurement of them opens, awaits and closes one
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_POOL_H
#define BENCH_POOL_H

#include <mortal.h>

/* Ends the program unless result is 0. */
void pool_check(int result, const char *what);

/* Its size is filled in. Skips the measurement where a kind of containment is refused. */
mortal_pool *pool_open(mortal_pool_options options);
void         pool_close(mortal_pool *pool);          /* at once: what still runs is killed */

/* Until so many hosts and standbys are there and asleep, and nobody is dying. */
void pool_wait_at_rest(mortal_pool *pool, unsigned hosts, unsigned standby);

/* In the variant of a case: the kind of containment, instead of the one that a pool has unasked. */
#define POOL_CONTAINMENT(kind) (16 * (kind))
#define POOL_CONTAINMENT_OF(variant) ((variant) / 16)
#define POOL_VARIANT_OF(variant) ((variant) % 16)

#endif
