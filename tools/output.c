/*
 * output.c - results on standard output
 *
 * Not stdio: a full pipe must still let a second Ctrl-C through, and a failed write must be known at the result it
 * lost, not at exit.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static char waiting[64 * 1024];
static size_t waiting_bytes;

static int write_all(const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written >= 0) {
            bytes += written;
            count -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
        if (count > 0 && stop_signals() > 1) {
            return -EINTR;
        }
    }
    return 0;
}

int output_flush(void) {
    size_t count = waiting_bytes;
    waiting_bytes = 0;
    if (count > 0) {
        progress_hide();
    }
    return write_all(waiting, count);
}

static int put(const char *bytes, size_t count) {
    if (count > sizeof waiting - waiting_bytes) {
        int error = output_flush();
        if (error) {
            return error;
        }
    }
    if (count > sizeof waiting) {
        return write_all(bytes, count);
    }
    if (count > 0) {
        memcpy(waiting + waiting_bytes, bytes, count);
    }
    waiting_bytes += count;
    return 0;
}

static int put_tag(const char *tag, size_t tag_bytes) {
    int error = tag ? put(tag, tag_bytes) : 0;
    return error || !tag ? error : put("\t", 1);
}

/* A result ends with a line feed, its own or ours. With a tag each line of it begins with the tag and a tab. */
int output_result(const char *tag, size_t tag_bytes, const char *result, size_t result_bytes) {
    if (result_bytes == 0) {
        return 0;
    }
    const char *end = result + result_bytes;
    while (result < end) {
        const char *feed = tag ? memchr(result, '\n', (size_t)(end - result)) : NULL;
        const char *next = feed ? feed + 1 : end;
        int error = put_tag(tag, tag_bytes);
        if (!error) {
            error = put(result, (size_t)(next - result));
        }
        if (error) {
            return error;
        }
        result = next;
    }
    return end[-1] == '\n' ? 0 : put("\n", 1);
}
