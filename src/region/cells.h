/*
 * cells.h - shared values of fixed size, changed by copy and one swap
 *
 * A cell is one word, version << 16 | buffer, and for each who may write (the owner, each worker of each berth) two
 * buffers of its own. Who changes it copies the current buffer, changes the copy, writes the result to that one of its
 * own two buffers which is not current, and swaps the word. So a writer that dies leaves the old value or the new one:
 * until the swap nobody reads what it wrote, and nothing is needed after it. The next host of its berth writes there
 * again.
 *
 *   writer                                  reader
 *   ------                                  ------
 *   word = the cell's word                  word = the cell's word
 *   copy its buffer; word unchanged?        copy its buffer
 *   change the copy                         word unchanged? else again
 *   write it to an own, idle buffer
 *   swap word, or all again
 *
 * Somebody always gets on, and nobody holds anything. A buffer is written again only when it is not current any more, so
 * a reader that saw something of that sees another word afterwards.
 *
 * Place and size of each cell are in control, where no host can write. Word and buffers are in a segment that all write:
 * what is read there is bounded, and a word that names no buffer is an error.
 */
#ifndef REGION_CELLS_H
#define REGION_CELLS_H

#include "region/layout.h"

#define CELL_BUFFER_BITS 16
#define CELL_TRY_NS 1000000000ull /* then whoever gets no turn is told so */

/* Who writes. Private to its thread, or used under a lock. */
struct cell_writer {
    const struct region *region;
    uint32_t first_buffer;   /* and the one after it */
    int      fd;             /* of the segment, or -1; see memory_commit */
    bool     is_changing;    /* the caller's function runs on the copy */
    uint8_t *copy;           /* malloced */
    size_t   copy_bytes;
    uint64_t committed[2 * CELLS_PAGES_MOST / 64]; /* a bit per page of its buffers that is known to exist */
};

/* Of the worker whose thread this is; null in all others. */
void cells_be_writer(struct cell_writer *writer);
struct cell_writer *cells_writer(void);

/* The owner's are the last two. */
static inline uint32_t cells_buffer_of_worker(const struct region *r, uint32_t berth, uint32_t worker) {
    return 2 * (berth * r->g.workers_per_host + worker);
}
static inline uint32_t cells_buffer_of_owner(const struct region *r) {
    return 2 * r->g.berths * r->g.workers_per_host;
}

/* What a cell is: from control in a host, from its own records in the owner. */
struct cell_shape {
    uint32_t index;
    uint64_t life, offset, bytes;
};

/* One attempt each. 0, or -EAGAIN: it moved; -ESTALE: it is closed; -EBADMSG: its word was overwritten. */
int cells_copy(const struct region *r, const struct cell_shape *shape, uint64_t *word, uint8_t *out);
int cells_swap(const struct region *r, const struct cell_shape *shape, uint64_t word, uint32_t first_buffer,
               const uint8_t *value);

int  cells_commit(struct cell_writer *writer, const struct cell_shape *shape); /* 0 or -ENOMEM */
bool cells_reserve_copy(struct cell_writer *writer, size_t bytes);

#endif
