/*
 * measure.h - clocks, samples and records: what every bench program shares
 *
 * A program is a list of cases. It is run once for each round of each case, prints one record (a JSON object on a line
 * of its own) and ends: so the driver can interleave subjects in time, and no subject inherits another's heap, threads
 * or environment.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus /* some peers are C++ libraries */
extern "C" {
#endif

struct samples {
    double *value;
    size_t  count, room;
};

struct bench_case {
    const char *work, *subject, *unit;
    void (*run)(const struct bench_case *self, struct samples *out);
    unsigned workers;
    int      variant; /* for the case's own use */
};

/* Nanoseconds of CLOCK_MONOTONIC: comparable between processes of one machine, which the kill works rely on. */
uint64_t clock_ns(void);
void     sleep_ns(uint64_t ns);

/* The full size of a run, or the quick one when the environment has BENCH_QUICK=1. */
size_t measure_size(size_t full, size_t quick);

void samples_add(struct samples *samples, double value);

/* Ends the program: a bench that went on after a wrong result would publish the speed of something else. */
void measure_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Ends the program with code 77: this machine cannot run the case. */
void measure_skip(const char *why) __attribute__((noreturn));

/* PROGRAM --list prints "work subject" lines; PROGRAM WORK SUBJECT runs one round and prints its record. */
int measure_main(int argc, char **argv, const struct bench_case *cases, size_t case_count);

#ifdef __cplusplus
}
#endif
#endif
