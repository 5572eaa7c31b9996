/*
 * heap.h - a buddy allocator over memory that it never touches
 *
 * All bookkeeping is private to the process that allocates (the owner for inputs, each host for its results), so nothing
 * that another process writes can mislead it, and nothing is left half done in the region when a host dies.
 * Knuth, The Art of Computer Programming, vol. 1, 2.5.
 */
#ifndef REGION_HEAP_H
#define REGION_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_UNIT 64u
#define HEAP_NONE UINT64_MAX
#define HEAP_ORDERS 32

struct heap {
    uint8_t *base; /* the memory itself; only its pages are made to exist */
    int fd;        /* its segment, or -1; see memory_commit */
    uint64_t fd_offset, bytes, used_bytes, top; /* top: no byte from there on was ever given out */
    uint32_t units;
    uint32_t *next, *previous; /* per unit, of free blocks */
    uint8_t  *state;           /* per unit, of the first of a block: order, FREE_BLOCK */
    uint64_t *committed;       /* a bit per page */
    uint32_t  first[HEAP_ORDERS];
    uint64_t  bookkeeping_bytes;
    bool      is_lazy; /* pages of blocks need not exist when they are given out; set right after heap_open() */
};

int      heap_open(struct heap *heap, uint8_t *base, uint64_t bytes, int fd, uint64_t fd_offset); /* 0 or -ENOMEM */
void     heap_close(struct heap *heap);
uint64_t heap_take(struct heap *heap, uint64_t bytes); /* an offset, aligned to 64; or HEAP_NONE */
bool     heap_make_exist(struct heap *heap, uint64_t offset, uint64_t bytes); /* pages of a lazy one; false: no memory */
bool     heap_grow(struct heap *heap, uint64_t offset, uint64_t bytes); /* where it is; its pages need not exist */
void     heap_give(struct heap *heap, uint64_t offset);
uint64_t heap_room(const struct heap *heap, uint64_t offset); /* bytes of a taken block */
uint64_t heap_largest(const struct heap *heap); /* the largest block that an empty heap of this size can give */
uint64_t heap_largest_of(uint64_t bytes);

#endif
