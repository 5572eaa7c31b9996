/* ring.h - the streams of parts that mortal and the bare ring are measured with. SPDX-License-Identifier: MIT */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#define STREAM_BYTES (64u << 10)
#define STREAM_HEAD  16u

/* By variant: bytes of a part, and how many. */
static const struct {
    unsigned bytes, count, quick;
} streams[] = {{64, 2000000, 20000}, {4096, 200000, 2000}};

#endif
