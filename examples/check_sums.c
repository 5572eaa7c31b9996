/*
 * check_sums.c - a file as an argument, results in place: nothing is copied, whatever its size
 *
 *     check_sums FILE
 *
 * The file is wrapped, not read: tasks see its bytes where the program would. Each gets a part of it, and a place in a second
 * buffer for what it found out. A file that is cut off meanwhile costs the task that touches what is gone, not the program.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <mortal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS = 8 };

struct job {
    mortal_slice part, sum; /* to read; to write */
};

static void check(int error) {
    if (error) {
        fprintf(stderr, "check_sums: %s\n", mortal_why()[0] ? mortal_why() : strerror(-error));
        exit(1);
    }
}

/* Fletcher's, of 64 bits. */
static int check_sum(mortal_task *task, const void *input, size_t input_bytes) {
    const struct job *job = input;
    void *bytes, *place;
    uint64_t first = 1, second = 0;
    int error = mortal_task_slice(task, job->part, &bytes);
    if (error == 0)
        error = mortal_task_slice(task, job->sum, &place);
    if (error != 0 || input_bytes != sizeof *job)
        return 1;
    for (uint64_t i = 0; i < job->part.bytes; i++) {
        first += ((const unsigned char *)bytes)[i];
        second += first;
    }
    *(uint64_t *)place = second << 32 | (first & UINT32_MAX);
    return 0;
}

int main(int argc, char **argv) {
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, failed = 0;
    if (fd < 0) {
        fprintf(stderr, "usage: check_sums FILE\n");
        return 2;
    }
    mortal_pool_options options = {.size = sizeof options};
    mortal_pool *pool;
    mortal_buffer file, sums;
    mortal_future futures[PARTS];
    size_t bytes;
    void *found;
    check(mortal_pool_open(&pool, &options));
    check(mortal_buffer_wrap_fd(&file, pool, fd, 0, 0, 0));
    close(fd);
    check(mortal_buffer_view(file, NULL, &bytes));
    check(mortal_buffer_open(&sums, pool, PARTS * sizeof(uint64_t), 0));
    check(mortal_buffer_view(sums, &found, NULL));

    uint64_t step = bytes / PARTS + 1;
    for (uint64_t i = 0; i < PARTS; i++) {
        uint64_t from = i * step < bytes ? i * step : bytes, until = from + step < bytes ? from + step : bytes;
        struct job job = {.part = {file, from, until - from}, .sum = {sums, i * sizeof(uint64_t), sizeof(uint64_t)}};
        check(mortal_pool_submit(pool, check_sum, &job, sizeof job, NULL, &futures[i]));
    }
    for (unsigned i = 0; i < PARTS; i++) {
        char text[120];
        mortal_verdict verdict;
        check(mortal_future_take(futures[i], MORTAL_FOREVER, &verdict, NULL, 0)); /* the sum is in the buffer */
        (void)mortal_verdict_text(&verdict, text, sizeof text);
        if (verdict.outcome == MORTAL_DONE)
            printf("part %u: %016" PRIx64 "\n", i, ((const uint64_t *)found)[i]);
        else
            printf("part %u: %s\n", i, text);
        failed += verdict.outcome != MORTAL_DONE;
    }
    check(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL));
    return failed != 0;
}
