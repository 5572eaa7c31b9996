/*
 * items.c - where items come from: the command line, a file, or standard input
 *
 * Input may be endless and slow, and single items may be longer than memory: one buffer, which grows to the longest
 * item that the pool would take. Of a longer one the beginning is kept for messages and the rest is read past.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map.h"

#define FIRST_ROOM (64 * 1024)
#define KEPT_OF_TOO_LONG 64

int items_open(struct items *items, const struct map_options *options) {
    *items = (struct items){.fd = -1, .delimiter = options->delimiter, .limit = SIZE_MAX, .name = "standard input"};
    if (options->word_count > 0) {
        items->words = options->words;
        items->word_count = (size_t)options->word_count;
        return STATUS_ALL_DONE;
    }
    if (!options->item_file || strcmp(options->item_file, "-") == 0) {
        items->fd = STDIN_FILENO;
        return STATUS_ALL_DONE;
    }
    struct stat status;
    items->name = options->item_file;
    items->fd = open(options->item_file, O_RDONLY | O_CLOEXEC);
    if (items->fd < 0 || fstat(items->fd, &status) < 0) {
        complain("cannot read items: %s: %s", items->name, strerror(errno));
        return STATUS_USAGE;
    }
    if (S_ISDIR(status.st_mode)) {
        complain("cannot read items: %s: it is a directory; 'find %s -type f | mortal map ...' lists its files",
                 items->name, items->name);
        return STATUS_USAGE;
    }
    return STATUS_ALL_DONE;
}

static int next_word(struct items *items, const char **text, size_t *text_bytes, bool *is_too_long) {
    if (items->next_word == items->word_count) {
        return ITEMS_END;
    }
    *text = items->words[items->next_word++];
    *text_bytes = strlen(*text);
    *is_too_long = *text_bytes > items->limit;
    return ITEMS_ONE;
}

/* Past the rest of an item that was too long. False: it goes on beyond what is in the buffer. */
static bool skip(struct items *items) {
    char *delimiter = items->end > items->start
                          ? memchr(items->bytes + items->start, items->delimiter, items->end - items->start) : NULL;
    items->start = delimiter ? (size_t)(delimiter - items->bytes) + 1 : items->end;
    items->searched = items->start;
    items->is_skipping = !delimiter && !items->is_at_end;
    return !items->is_skipping;
}

/* The text is good until the next call of items_fill(). */
int items_next(struct items *items, const char **text, size_t *text_bytes, bool *is_too_long) {
    if (items->words) {
        return next_word(items, text, text_bytes, is_too_long);
    }
    if (items->error) {
        return ITEMS_BROKEN;
    }
    if (items->is_skipping && !skip(items)) {
        return ITEMS_HUNGRY;
    }
    size_t unsearched = items->end - items->searched;
    char *delimiter = unsearched > 0 ? memchr(items->bytes + items->searched, items->delimiter, unsearched) : NULL;
    size_t length = (delimiter ? (size_t)(delimiter - items->bytes) : items->end) - items->start;
    bool is_whole = delimiter || (items->is_at_end && length > 0);
    if (!is_whole && length <= items->limit) {
        items->searched = items->end;
        return items->is_at_end ? ITEMS_END : ITEMS_HUNGRY;
    }
    *text = items->bytes + items->start;
    *is_too_long = length > items->limit;
    *text_bytes = *is_too_long ? KEPT_OF_TOO_LONG : length;
    items->start += length + (delimiter ? 1 : 0);
    items->searched = items->start;
    items->is_skipping = !is_whole;
    return ITEMS_ONE;
}

static bool make_room(struct items *items) {
    size_t used = items->end - items->start;
    if (items->start > 0) {
        memmove(items->bytes, items->bytes + items->start, used);
        items->searched -= items->start;
        items->start = 0;
        items->end = used;
    }
    if (used < items->room) {
        return true;
    }
    size_t room = items->room ? items->room * 2 : FIRST_ROOM;
    char *bytes = realloc(items->bytes, room);
    if (!bytes) {
        return false;
    }
    items->bytes = bytes;
    items->room = room;
    return true;
}

void items_fill(struct items *items) {
    if (!make_room(items)) {
        items->error = ENOMEM;
        return;
    }
    ssize_t count = read(items->fd, items->bytes + items->end, items->room - items->end);
    if (count > 0) {
        items->end += (size_t)count;
    } else if (count == 0) {
        items->is_at_end = true;
    } else if (errno != EINTR && errno != EAGAIN) {
        items->error = errno;
    }
}

void items_close(struct items *items) {
    if (items->fd > STDIN_FILENO) {
        close(items->fd);
    }
    free(items->bytes);
}
