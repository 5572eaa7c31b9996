/*
 * obituaries.c - what is known of each process that died: a line of JSON each in a file, or text on standard error
 *
 * Each line is one write to a file opened for appending, as in the job log.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"

static int file = -1;

int obituaries_open(const char *path) {
    file = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666) : -1;
    return path && file < 0 ? -errno : 0;
}

static int write_json(const mortal_obituary *obituary) {
    size_t bytes = mortal_obituary_json(obituary, NULL, 0);
    char *line = malloc(bytes + 1);
    ssize_t written;
    if (!line) {
        return -ENOMEM;
    }
    mortal_obituary_json(obituary, line, bytes + 1);
    line[bytes] = '\n';
    do {
        written = write(file, line, bytes + 1);
    } while (written < 0 && errno == EINTR);
    free(line);
    return written < 0 ? -errno : (size_t)written == bytes + 1 ? 0 : -ENOSPC;
}

static void tell_text(const mortal_obituary *obituary) {
    size_t bytes = mortal_obituary_text(obituary, NULL, 0);
    char *text = malloc(bytes + 1), *rest = text;
    if (!text) {
        return;
    }
    mortal_obituary_text(obituary, text, bytes + 1);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        complain("%s", line);
    }
    free(text);
}

/* Those that came since it was called last, but for ones that so many have followed that they are not kept any more. */
int obituaries_tell(struct run *run) {
    static mortal_obituary obituary;
    mortal_stats stats;
    int error = 0;
    if (file < 0 && !run->options->is_verbose) {
        return 0;
    }
    if (mortal_pool_stats(run->pool, &stats)) {
        return 0;
    }
    while (run->obituaries < stats.obituaries && !error) {
        if (mortal_pool_obituary(run->pool, ++run->obituaries, &obituary)) {
            continue;
        }
        if (run->options->is_verbose) {
            tell_text(&obituary);
        }
        error = file >= 0 ? write_json(&obituary) : 0;
    }
    return error;
}

int obituaries_close(void) {
    int fd = file;
    file = -1;
    return fd >= 0 && close(fd) < 0 ? -errno : 0;
}
