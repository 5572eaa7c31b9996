#include "region/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "region/plant.h"
#include "system/memory.h"

static _Thread_local struct cell_writer *here;

void cells_be_writer(struct cell_writer *writer) { here = writer; }
struct cell_writer *cells_writer(void) { return here; }

static uint32_t buffers_of(const struct region *r) { return cells_buffer_of_owner(r) + 2; }

static bool is_open(const struct region *r, const struct cell_shape *shape) {
    /* ORD(cell:still-open) pairs ORD(cell:closed): after the word, or the word of the next cell there is taken for
     * this one's. */
    return atomic_load_explicit(&shared_cell_of(r, shape->index)->life, memory_order_acquire) == shape->life;
}

/* In words, each of them atomic: whoever writes at the same time makes the copy useless, but not undefined. */
static void copy_out(uint8_t *to, const uint8_t *from, uint64_t bytes) {
    const _Atomic uint64_t *words = (const _Atomic uint64_t *)(const void *)from;
    for (uint64_t at = 0; at < bytes; at += sizeof *words) {
        /* ORD(cell:value) pairs ORD(cell:write): who sees something of a later value sees a later word. */
        uint64_t word = atomic_load_explicit(&words[at / sizeof *words], memory_order_acquire);
        memcpy(to + at, &word, bytes - at < sizeof word ? bytes - at : sizeof word);
    }
}

static void copy_in(uint8_t *to, const uint8_t *from, uint64_t bytes) {
    _Atomic uint64_t *words = (_Atomic uint64_t *)(void *)to;
    for (uint64_t at = 0; at < bytes; at += sizeof *words) {
        uint64_t word = 0;
        memcpy(&word, from + at, bytes - at < sizeof word ? bytes - at : sizeof word);
        /* ORD(cell:write) pairs ORD(cell:value): after the word by which this buffer was seen idle. */
        atomic_store_explicit(&words[at / sizeof *words], word, memory_order_release);
    }
}

int cells_copy(const struct region *r, const struct cell_shape *shape, uint64_t *word, uint8_t *out) {
    _Atomic uint64_t *place = cell_word_of(r, shape->index);
    /* ORD(cell:look) pairs ORD(cell:swap) */
    uint64_t seen = atomic_load_explicit(place, memory_order_acquire);
    uint32_t buffer = (uint32_t)(seen & ((1u << CELL_BUFFER_BITS) - 1));
    if (!is_open(r, shape))
        return -ESTALE;
    if (buffer >= buffers_of(r))
        return -EBADMSG;
    copy_out(out, cell_buffer_of(r, buffer) + shape->offset, shape->bytes);
    /* After the copy, each load of which acquires: ORD(cell:value). */
    if (atomic_load_explicit(place, memory_order_relaxed) != seen && !PLANTED(PLANT_CELL_READ_ONCE))
        return -EAGAIN;
    *word = seen;
    return 0;
}

int cells_swap(const struct region *r, const struct cell_shape *shape, uint64_t word, uint32_t first_buffer,
               const uint8_t *value) {
    uint32_t current = (uint32_t)(word & ((1u << CELL_BUFFER_BITS) - 1));
    uint32_t idle = current == first_buffer ? first_buffer + 1 : first_buffer;
    if (PLANTED(PLANT_CELL_IN_PLACE))
        idle = current;
    uint64_t next = ((word >> CELL_BUFFER_BITS) + 1) << CELL_BUFFER_BITS | idle;
    /* Threads of the owner share its two, one after the other: if one of them was swapped in since, it is not idle. */
    if (atomic_load_explicit(cell_word_of(r, shape->index), memory_order_relaxed) != word)
        return -EAGAIN;
    if (PLANTED(PLANT_CELL_SWAP_FIRST) && !atomic_compare_exchange_strong(cell_word_of(r, shape->index), &word, next))
        return -EAGAIN;
    copy_in(cell_buffer_of(r, idle) + shape->offset, value, shape->bytes);
    if (PLANTED(PLANT_CELL_SWAP_FIRST))
        return 0;
    /* ORD(cell:swap) pairs ORD(cell:look): the value is complete before. */
    return atomic_compare_exchange_strong_explicit(cell_word_of(r, shape->index), &word, next, memory_order_seq_cst,
                                                   memory_order_relaxed)
               ? 0
               : -EAGAIN;
}

/* Memory that is missing is an error here, and not the end of the host at the first store. */
int cells_commit(struct cell_writer *writer, const struct cell_shape *shape) {
    const struct region *r = writer->region;
    for (uint32_t which = 0; which < 2; which++) {
        uint64_t last = (shape->offset + shape->bytes - 1) / PAGE_BYTES;
        for (uint64_t page = shape->offset / PAGE_BYTES; page <= last; page++) {
            uint64_t bit = which * CELLS_PAGES_MOST + page;
            if ((writer->committed[bit / 64] >> bit % 64 & 1) != 0)
                continue;
            uint64_t offset = r->g.cell_buffers + (writer->first_buffer + which) * r->g.cells_each + page * PAGE_BYTES;
            if (memory_commit(r->cells + offset, PAGE_BYTES, writer->fd, offset) != 0)
                return -ENOMEM;
            writer->committed[bit / 64] |= 1ull << bit % 64;
        }
    }
    return 0;
}

bool cells_reserve_copy(struct cell_writer *writer, size_t bytes) {
    if (bytes <= writer->copy_bytes)
        return true;
    uint8_t *more = realloc(writer->copy, bytes);
    if (more == NULL)
        return false;
    writer->copy = more;
    writer->copy_bytes = bytes;
    return true;
}
