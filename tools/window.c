/*
 * window.c - the items that were read and whose results are not yet written
 *
 * Results come in any order and are written in the order of the items. What comes early waits here, copied out of the
 * pool's memory, so that the pool has room for the next.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

/* Enough to keep the workers busy behind one slow item, little enough for any machine. */
#define WINDOW_ITEMS 4096
#define WINDOW_BYTES (64u << 20)

bool window_has_room(const struct run *run) {
    return run->held_items < WINDOW_ITEMS && run->held_bytes < WINDOW_BYTES;
}

static size_t held_bytes_of(const struct item *item) {
    return sizeof *item + item->text_bytes + (item->verdict.result ? item->verdict.result_bytes : 0);
}

struct item *window_add(struct run *run, const char *text, size_t text_bytes) {
    struct item *item = calloc(1, sizeof *item);
    char *copy = malloc(text_bytes + 1);
    if (!item || !copy) {
        free(item);
        free(copy);
        return NULL;
    }
    memcpy(copy, text, text_bytes);
    copy[text_bytes] = '\0';
    item->number = ++run->tally.items;
    item->text = copy;
    item->text_bytes = text_bytes;
    item->previous = run->last;
    *(run->last ? &run->last->next : &run->first) = item;
    run->last = item;
    run->held_items++;
    run->held_bytes += held_bytes_of(item);
    return item;
}

static void remove_item(struct run *run, struct item *item) {
    *(item->previous ? &item->previous->next : &run->first) = item->next;
    *(item->next ? &item->next->previous : &run->last) = item->previous;
    run->held_items--;
    run->held_bytes -= held_bytes_of(item);
    free((void *)item->verdict.result);
    free(item->text);
    free(item);
}

static int write_result(const struct run *run, const struct item *item, const void *result) {
    const char *tag = run->options->is_tagged ? item->text : NULL;
    bool is_output = item->verdict.outcome == MORTAL_DONE && !run->status;
    return is_output ? output_result(tag, item->text_bytes, result, item->verdict.result_bytes) : 0;
}

/* All that are at the front of the window and have ended. */
int window_write(struct run *run) {
    int error = 0;
    for (struct item *item = run->first, *next; item && item->is_settled && !error; item = next) {
        next = item->next;
        error = write_result(run, item, item->verdict.result);
        remove_item(run, item);
    }
    return error;
}

/* Written straight from the pool's memory if it is the item's turn, else kept. Its view of the result may end then. */
int window_settle(struct run *run, struct item *item) {
    const void *result = item->verdict.result;
    item->verdict.result = NULL; /* from here on: what the item owns */
    if (run->options->is_unordered || item == run->first) {
        int error = write_result(run, item, result);
        remove_item(run, item);
        return error;
    }
    item->is_settled = true;
    if (item->verdict.outcome == MORTAL_DONE && item->verdict.result_bytes > 0) {
        void *copy = malloc(item->verdict.result_bytes);
        if (!copy) {
            return -ENOMEM;
        }
        memcpy(copy, result, item->verdict.result_bytes);
        item->verdict.result = copy;
        run->held_bytes += item->verdict.result_bytes;
    }
    return 0;
}
