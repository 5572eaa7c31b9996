/*
 * joblog.c - the job log: a table of tab-separated columns, one line per item, in the order in which items ended
 *
 * Each line is one write to a file opened for appending, so a log never ends in half a line, however the tool ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"

#define NUMBERS_ROOM 400

static const char header[] = "Seq\tItem\tOutcome\tStatus\tSignal\tExitCode\tFaultAddress\tAttempts\tStart\tRuntime\t"
                             "QueuedMs\tResultBytes\n";
static int log_fd = -1;

static int write_line(const char *line, size_t bytes) {
    ssize_t written;
    do {
        written = write(log_fd, line, bytes);
    } while (written < 0 && errno == EINTR);
    if (written < 0) {
        return -errno;
    }
    return (size_t)written == bytes ? 0 : -ENOSPC;
}

int joblog_open(const char *path) {
    log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    return log_fd < 0 ? -errno : write_line(header, sizeof header - 1);
}

/* When the last attempt began, in seconds since 1970; never begun: 0. */
static double start_of(const struct item *item) {
    if (item->attempts == 0) {
        return 0;
    }
    double after = ((double)item->submitted.tv_nsec + (double)item->verdict.queued_ns) / 1e9;
    return (double)item->submitted.tv_sec + after;
}

int joblog_write(const struct item *item) {
    const mortal_verdict *verdict = &item->verdict;
    if (log_fd < 0) {
        return 0;
    }
    size_t room = 32 + ESCAPED_ROOM(item->text_bytes) + NUMBERS_ROOM;
    char *line = malloc(room);
    if (!line) {
        return -ENOMEM;
    }
    size_t used = (size_t)snprintf(line, 32, "%" PRIu64 "\t", item->number);
    used += escape_text(item->text, item->text_bytes, line + used, ESCAPED_ROOM(item->text_bytes));
    used += (size_t)snprintf(line + used, room - used,
                             "\t%s\t%d\t%d\t%d\t0x%" PRIx64 "\t%" PRIu32 "\t%.6f\t%.6f\t%.3f\t%zu\n",
                             item->is_refused ? "refused" : mortal_outcome_name(verdict->outcome),
                             verdict->status, verdict->signal, verdict->exit_code, verdict->fault_address,
                             item->attempts, start_of(item), (double)verdict->ran_ns / 1e9,
                             (double)verdict->queued_ns / 1e6, verdict->result_bytes);
    int error = write_line(line, used);
    free(line);
    return error;
}

int joblog_close(void) {
    int fd = log_fd;
    log_fd = -1;
    return fd >= 0 && close(fd) < 0 ? -errno : 0;
}
