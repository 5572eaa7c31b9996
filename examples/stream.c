/*
 * stream.c - a parser that meets a bad record: what it found before is kept
 *
 *     stream
 *
 * A task reads "name=number" lines and emits each as a record when it has it. One line makes it hang. Its deadline
 * ends it, and all records before are there; the rest of the input is then given to another task. Nobody had to know
 * beforehand how many records there are, and no more than stream_bytes of them wait in memory at a time.
 */
#include <mortal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char input[] = "apples=3\npears=5\nquinces=1\nloop=0\nplums=8\nfigs=2\n";

struct record {
    size_t behind; /* where its line ends */
    char name[24];
    int number;
};

static int parse(mortal_task *task, const void *text, size_t bytes) {
    const char *at = text, *end = at + bytes;
    while (at < end) {
        struct record record = {0};
        int used = 0;
        if (sscanf(at, "%23[^=]=%d%n", record.name, &record.number, &used) != 2)
            return 1;
        for (volatile int hang = strcmp(record.name, "loop") == 0; hang != 0;) {
            /* the bug that nobody has found yet */
        }
        at += used + 1;
        record.behind = (size_t)(at - (const char *)text);
        int error = mortal_task_emit(task, &record, sizeof record, MORTAL_FOREVER);
        if (error != 0)
            return error; /* asked to stop, or nobody listens any more */
    }
    return 0;
}

/* Records from that part of the input; returns how much of it was parsed. */
static size_t parse_from(mortal_pool *pool, size_t from, int *outcome) {
    mortal_task_options options = {.size = sizeof options, .deadline_ns = 200000000};
    mortal_future future;
    mortal_verdict verdict;
    mortal_part part;
    size_t behind = 0;
    if (mortal_pool_submit(pool, parse, input + from, sizeof input - 1 - from, &options, &future) != 0) {
        fprintf(stderr, "stream: %s\n", mortal_why());
        exit(1);
    }
    while (mortal_future_next(future, MORTAL_FOREVER, &part) == 0) {
        const struct record *record = part.data;
        printf("%d %s\n", record->number, record->name);
        behind = record->behind;
    }
    mortal_future_take(future, MORTAL_FOREVER, &verdict, NULL, 0);
    *outcome = verdict.outcome;
    return behind;
}

int main(void) {
    mortal_pool *pool;
    mortal_pool_options options = {.size = sizeof options, .workers = 1};
    if (mortal_pool_open(&pool, &options) != 0) {
        fprintf(stderr, "stream: %s\n", mortal_why());
        return 1;
    }
    int outcome = 0;
    for (size_t at = 0; at < sizeof input - 1;) {
        at += parse_from(pool, at, &outcome);
        if (outcome == MORTAL_DONE)
            break;
        const char *line = input + at, *next = strchr(line, '\n');
        printf("%s at '%.*s': going on behind it\n", mortal_outcome_name(outcome), (int)(next - line), line);
        at = (size_t)(next + 1 - input);
    }
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0;
}
