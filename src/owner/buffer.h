/* buffer.h - what opening a buffer and wrapping a file have in common; all under the lock */
#ifndef OWNER_BUFFER_H
#define OWNER_BUFFER_H

#include "owner/pool.h"

/* Where a buffer is to be, or what is to be found out about that. */
struct range {
    enum window_kind kind;
    uint64_t bytes;
    uint32_t lead;            /* of a file: bytes of the first page that are not part of it */
    bool     is_writable;     /* of a file */
    uint64_t file_offset;     /* of a file: of that page */
    uint32_t number, at;      /* filled in, as the rest: its own, and that many lie before it */
    uint64_t offset, room;    /* in the window, whole pages */
    bool     is_lazy;
};

int  buffer_range(struct pool *pool, const char *call, struct range *range); /* 0, or why there is no room */
void buffer_settle(struct pool *pool, const struct range *range, mortal_buffer *out); /* from here on tasks can know it */
int  buffer_open_locked(struct pool *pool, const char *call, size_t bytes, int flags, mortal_buffer *out);
/* The open file around those bytes, and where they begin in it. */
bool buffer_of_file(const struct pool *pool, const void *address, uint64_t bytes, mortal_buffer *out, uint64_t *offset);
void buffer_drop(struct pool *pool, uint32_t number); /* one holder less; the last one ends it */

/* file.c */
void file_let_go(struct pool *pool, const struct buffer *buffer); /* its record has no life any more */

#endif
