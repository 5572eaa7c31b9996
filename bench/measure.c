/*
 * measure.c - clocks, samples and records
 *
 * SPDX-License-Identifier: MIT
 */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t clock_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void sleep_ns(uint64_t ns) {
    struct timespec pause = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    nanosleep(&pause, NULL);
}

size_t measure_size(size_t full, size_t quick) {
    const char *wish = getenv("BENCH_QUICK");

    return wish != NULL && strcmp(wish, "1") == 0 ? quick : full;
}

void measure_fail(const char *format, ...) {
    va_list arguments;

    fputs("bench: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void measure_skip(const char *why) {
    fprintf(stderr, "bench: skipped: %s\n", why);
    exit(77);
}

void samples_add(struct samples *samples, double value) {
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? 1024 : samples->room * 2;
        samples->value = realloc(samples->value, samples->room * sizeof(double));
        if (samples->value == NULL)
            measure_fail("no memory for %zu samples", samples->room);
    }
    samples->value[samples->count++] = value;
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void print_record(const struct bench_case *self, struct samples *samples) {
    size_t middle = samples->count / 2;
    double median, p99;

    if (samples->count == 0)
        measure_fail("%s %s: no samples", self->work, self->subject);
    qsort(samples->value, samples->count, sizeof(double), by_value);
    median = samples->value[middle];
    if (samples->count % 2 == 0)
        median = (median + samples->value[middle - 1]) / 2;
    p99 = samples->value[(samples->count * 99 + 99) / 100 - 1];
    printf("{\"work\": \"%s\", \"subject\": \"%s\", \"median\": %.6g, \"p99\": %.6g, \"min\": %.6g, \"max\": %.6g, "
           "\"unit\": \"%s\", \"runs\": %zu}\n",
           self->work, self->subject, median, p99, samples->value[0], samples->value[samples->count - 1],
           self->unit, samples->count);
}

int measure_main(int argc, char **argv, const struct bench_case *cases, size_t case_count) {
    struct samples samples = {0};
    size_t         i;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (i = 0; i < case_count; i++)
            printf("%s %s\n", cases[i].work, cases[i].subject);
        return 0;
    }
    for (i = 0; argc == 3 && i < case_count; i++) {
        if (strcmp(cases[i].work, argv[1]) != 0 || strcmp(cases[i].subject, argv[2]) != 0)
            continue;
        cases[i].run(&cases[i], &samples);
        print_record(&cases[i], &samples);
        free(samples.value);
        return 0;
    }
    fprintf(stderr, "usage: %s --list | WORK SUBJECT\n", argv[0]);
    return 2;
}
