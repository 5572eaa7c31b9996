/*
 * cell.c - values that tasks and this program share: the public functions, in both
 *
 * How a value is read and changed stands in region/cells.h. In a task what the cell is comes from control, here from
 * the pool's own records; nothing that a host can write says where to look.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owner/seat.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/process.h"
#include "system/why.h"

#define TRIES 64 /* between two looks at the clock */
#define SMALL_BYTES 256u

/* ORD(*) the owner alone opens and closes cells, and life after life is another number. */

static _Atomic uint64_t lives; /* of all cells of all pools: a cell of one pool is none of another */

static int explain(int error, const char *call) {
    switch (error) {
    case -EAGAIN:
        return why(error, "%s: for a second others changed the cell faster than this could be done: call again", call);
    case -ESTALE:
        return why(error, "%s: this cell was closed", call);
    case -EBADMSG:
        return why(error, "%s: a task has overwritten this cell: close it and open another", call);
    case -ENOMEM:
        return why(error, "%s: no memory", call);
    case -ECANCELED:
        return why(error, "%s: the change function returned something else than 0, and the cell is as it was", call);
    default:
        return error;
    }
}

static int wrong_bytes(const char *call, size_t given, uint64_t bytes) {
    return why(-EINVAL, "%s: %zu bytes, and the cell has %llu", call, given, (unsigned long long)bytes);
}

/* ---- in a task ------------------------------------------------------------------------------------------------ */

static int shape_in_task(const struct cell_writer *writer, mortal_cell cell, const char *call, struct cell_shape *shape) {
    uint32_t index = (uint32_t)cell.place;
    if (cell.place == 0 || index >= CELLS_MOST || cell.life == 0 || writer->region->cells == NULL)
        return why(-EINVAL, "%s: this is no cell", call);
    const struct shared_cell *shared = shared_cell_of(writer->region, index);
    *shape = (struct cell_shape){.index = index, .life = cell.life};
    /* ORD(cell:shape) pairs ORD(cell:told): and what belongs to a later cell comes with a later life, which is looked
     * at again: ORD(cell:still-open). */
    shape->offset = atomic_load_explicit(&shared->offset, memory_order_acquire);
    shape->bytes = atomic_load_explicit(&shared->bytes, memory_order_acquire); /* ORD(cell:shape) */
    if (atomic_load_explicit(&shared->life, memory_order_acquire) != cell.life) /* ORD(cell:still-open) */
        return explain(-ESTALE, call);
    return 0;
}

static int copy_until(const struct region *r, const struct cell_shape *shape, uint64_t *word, uint8_t *out) {
    uint64_t until = 0;
    int error;
    for (unsigned tries = 1; (error = cells_copy(r, shape, word, out)) == -EAGAIN; tries++) {
        if (tries % TRIES != 0)
            continue;
        if (until == 0)
            until = clock_after(CELL_TRY_NS);
        else if (clock_ns() >= until)
            break;
    }
    return error;
}

/* With a copy of its own: that of an update may be in use. */
static int read_in_task(struct cell_writer *writer, mortal_cell cell, void *out, size_t bytes) {
    struct cell_shape shape = {0};
    uint8_t small[SMALL_BYTES];
    uint64_t word = 0;
    int error = shape_in_task(writer, cell, "mortal_cell_read", &shape);
    if (error != 0)
        return error;
    if (bytes != shape.bytes)
        return wrong_bytes("mortal_cell_read", bytes, shape.bytes);
    uint8_t *copy = bytes <= sizeof small ? small : malloc(bytes);
    error = copy != NULL ? copy_until(writer->region, &shape, &word, copy) : -ENOMEM;
    if (error == 0)
        memcpy(out, copy, bytes);
    if (copy != small)
        free(copy);
    return explain(error, "mortal_cell_read");
}

static int update_in_task(struct cell_writer *writer, mortal_cell cell, mortal_change *change, void *argument) {
    struct cell_shape shape = {0};
    uint64_t word = 0, until = 0;
    int error = shape_in_task(writer, cell, "mortal_cell_update", &shape);
    if (error != 0)
        return error;
    if (writer->is_changing)
        return why(-EPERM, "mortal_cell_update: called by a change function: it may change the copy that it was given");
    if (!cells_reserve_copy(writer, shape.bytes) || cells_commit(writer, &shape) != 0)
        return explain(-ENOMEM, "mortal_cell_update");
    for (unsigned tries = 1;; tries++) {
        error = copy_until(writer->region, &shape, &word, writer->copy);
        if (error != 0)
            break;
        writer->is_changing = true;
        int refused = change(writer->copy, argument);
        writer->is_changing = false;
        error = refused != 0 ? -ECANCELED : cells_swap(writer->region, &shape, word, writer->first_buffer, writer->copy);
        if (error != -EAGAIN)
            break;
        if (tries % TRIES == 0 && until == 0)
            until = clock_after(CELL_TRY_NS);
        else if (tries % TRIES == 0 && clock_ns() >= until)
            break;
    }
    return explain(error, "mortal_cell_update");
}

/* ---- in the owner --------------------------------------------------------------------------------------------- */

/* The lock is held in and out. */
static int enter(mortal_cell cell, const char *call, struct pool **pool, struct cell_shape *shape) {
    uint32_t index;
    int error = seat_enter_cell(cell, call, pool, &index);
    if (error != 0)
        return error;
    const struct owned_cell *owned = &(*pool)->cells[index];
    *shape = (struct cell_shape){.index = index, .life = owned->life, .offset = owned->offset, .bytes = owned->bytes};
    return 0;
}

/* A few attempts under the lock, then others of this program have their turn. */
static int copy_in_owner(mortal_cell cell, const char *call, uint64_t *word, uint8_t *copy, uint64_t bytes) {
    uint64_t until = clock_after(CELL_TRY_NS);
    for (;;) {
        struct pool *pool;
        struct cell_shape shape = {0};
        int error = enter(cell, call, &pool, &shape);
        if (error != 0)
            return error;
        error = bytes == shape.bytes ? -EAGAIN : wrong_bytes(call, bytes, shape.bytes);
        for (unsigned tries = 0; error == -EAGAIN && tries < TRIES; tries++)
            error = cells_copy(pool->region, &shape, word, copy);
        seat_unlock(pool);
        if (error != -EAGAIN || clock_ns() >= until)
            return error == -EINVAL ? error : explain(error, call);
    }
}

static int swap_in_owner(mortal_cell cell, uint64_t word, const uint8_t *value) {
    struct pool *pool;
    struct cell_shape shape = {0};
    int error = enter(cell, "mortal_cell_update", &pool, &shape);
    if (error != 0)
        return error;
    error = cells_swap(pool->region, &shape, word, pool->cell_writer.first_buffer, value);
    seat_unlock(pool);
    return error;
}

static int read_in_owner(mortal_cell cell, void *out, size_t bytes) {
    uint8_t small[SMALL_BYTES], *copy = bytes <= sizeof small ? small : malloc(bytes);
    uint64_t word = 0;
    if (copy == NULL)
        return explain(-ENOMEM, "mortal_cell_read");
    int error = copy_in_owner(cell, "mortal_cell_read", &word, copy, bytes);
    if (error == 0)
        memcpy(out, copy, bytes);
    if (copy != small)
        free(copy);
    return error;
}

/* Without the lock while change runs. */
static int change_in_owner(mortal_cell cell, uint8_t *copy, uint64_t bytes, mortal_change *change, void *argument) {
    uint64_t until = clock_after(CELL_TRY_NS), word = 0;
    for (;;) {
        int error = copy_in_owner(cell, "mortal_cell_update", &word, copy, bytes);
        if (error != 0)
            return error;
        if (change(copy, argument) != 0)
            return explain(-ECANCELED, "mortal_cell_update");
        error = swap_in_owner(cell, word, copy);
        if (error != -EAGAIN)
            return error;
        if (clock_ns() >= until)
            return explain(error, "mortal_cell_update");
    }
}

static int update_in_owner(mortal_cell cell, mortal_change *change, void *argument) {
    struct pool *pool;
    struct cell_shape shape = {0};
    int error = enter(cell, "mortal_cell_update", &pool, &shape);
    if (error != 0)
        return error;
    seat_unlock(pool);
    alignas(16) uint8_t small[SMALL_BYTES];
    uint8_t *copy = shape.bytes <= sizeof small ? small : malloc(shape.bytes);
    if (copy == NULL)
        return explain(-ENOMEM, "mortal_cell_update");
    error = change_in_owner(cell, copy, shape.bytes, change, argument);
    if (copy != small)
        free(copy);
    return error;
}

/* ---- the public face ------------------------------------------------------------------------------------------ */

/* In a process that runs tasks, but on no thread of the library's own. */
static int not_here(const char *call) {
    return why(-EPERM, "%s: called in preload or init, or on a thread that a task started: only the program itself, and "
                       "tasks on their own thread, may use cells", call);
}

int mortal_cell_read(mortal_cell cell, void *out, size_t bytes) {
    struct cell_writer *writer = cells_writer();
    if (out == NULL)
        return why(-EINVAL, "mortal_cell_read: out is null");
    if (writer != NULL)
        return read_in_task(writer, cell, out, bytes);
    return process_is_hosted() ? not_here("mortal_cell_read") : read_in_owner(cell, out, bytes);
}

int mortal_cell_update(mortal_cell cell, mortal_change *change, void *argument) {
    struct cell_writer *writer = cells_writer();
    if (change == NULL)
        return why(-EINVAL, "mortal_cell_update: the change function is null");
    if (writer != NULL)
        return update_in_task(writer, cell, change, argument);
    return process_is_hosted() ? not_here("mortal_cell_update") : update_in_owner(cell, change, argument);
}

static int ready_heap(struct pool *pool) {
    struct region *r = pool->region;
    if (r->cells == NULL)
        return why(-ENOBUFS, "mortal_cell_open: this pool has no cells, since there was no address space or no descriptor "
                             "for them: look at ulimit -v, -f and -n, or ask for them by cells_bytes to learn why");
    if (pool->cell_heap.bytes != 0)
        return 0;
    uint32_t buffer = cells_buffer_of_owner(r);
    pool->cell_writer = (struct cell_writer){.region = r, .fd = r->cells_fd, .first_buffer = buffer};
    uint64_t offset = r->g.cell_buffers + buffer * r->g.cells_each;
    return heap_open(&pool->cell_heap, cell_buffer_of(r, buffer), r->g.cells_each, r->cells_fd, offset) == 0
               ? 0
               : explain(-ENOMEM, "mortal_cell_open");
}

static int take(struct pool *pool, size_t bytes, struct cell_shape *shape) {
    uint32_t index = 0;
    while (index < CELLS_MOST && pool->cells[index].life != 0)
        index++;
    if (index == CELLS_MOST)
        return why(-ENOBUFS, "mortal_cell_open: %u cells are open: close some", CELLS_MOST);
    uint64_t offset = heap_take(&pool->cell_heap, bytes);
    if (offset == HEAP_NONE)
        return why(-ENOBUFS, "mortal_cell_open: no room for %zu bytes among the %llu of this pool: raise cells_bytes, or "
                             "close some cells", bytes, (unsigned long long)pool->region->g.cells_each);
    *shape = (struct cell_shape){.index = index, .life = atomic_fetch_add(&lives, 1) + 1, .offset = offset, .bytes = bytes};
    if (cells_commit(&pool->cell_writer, shape) == 0)
        return 0;
    heap_give(&pool->cell_heap, offset);
    return explain(-ENOMEM, "mortal_cell_open");
}

/* The value first, by the swap that every change of it goes through; then what it is; its life last. */
static void begin(struct pool *pool, const struct cell_shape *shape, const void *initial) {
    struct region *r = pool->region;
    _Atomic uint64_t *word = cell_word_of(r, shape->index);
    uint8_t *value = cell_buffer_of(r, pool->cell_writer.first_buffer) + shape->offset;
    _Atomic uint64_t *words = (_Atomic uint64_t *)(void *)value;
    for (uint64_t at = 0; at < shape->bytes; at += sizeof *words) {
        uint64_t part = 0, left = shape->bytes - at;
        if (initial != NULL)
            memcpy(&part, (const uint8_t *)initial + at, left < sizeof part ? left : sizeof part);
        atomic_store_explicit(&words[at / sizeof *words], part, memory_order_release); /* ORD(cell:write) */
    }
    uint64_t version = (atomic_load(word) >> CELL_BUFFER_BITS) + 1;
    atomic_store(word, version << CELL_BUFFER_BITS | pool->cell_writer.first_buffer);
    struct shared_cell *shared = shared_cell_of(r, shape->index);
    /* ORD(cell:told) pairs ORD(cell:shape): not before the last life was over. */
    atomic_store_explicit(&shared->offset, shape->offset, memory_order_release);
    atomic_store_explicit(&shared->bytes, shape->bytes, memory_order_release); /* ORD(cell:told) */
    atomic_store(&shared->life, shape->life);
    pool->cells[shape->index] =
        (struct owned_cell){.life = shape->life, .offset = shape->offset, .bytes = shape->bytes};
}

int mortal_cell_open(mortal_pool *handle, size_t bytes, const void *initial, mortal_cell *out) {
    struct pool *pool;
    struct cell_shape shape = {0};
    if (out == NULL || bytes == 0)
        return why(-EINVAL, "mortal_cell_open: %s", out == NULL ? "out is null" : "a cell has one byte at least");
    int error = seat_enter(handle, "mortal_cell_open", &pool);
    if (error != 0)
        return error;
    error = ready_heap(pool);
    if (error == 0)
        error = take(pool, bytes, &shape);
    if (error == 0) {
        begin(pool, &shape, initial);
        *out = seat_cell(pool, shape.index);
    }
    seat_unlock(pool);
    return error;
}

int mortal_cell_close(mortal_cell cell) {
    struct pool *pool;
    struct cell_shape shape = {0};
    if (process_is_hosted() || cells_writer() != NULL)
        return why(-EPERM, "mortal_cell_close: called inside a task: only the program itself may close a cell");
    int error = enter(cell, "mortal_cell_close", &pool, &shape);
    if (error != 0)
        return error;
    pool->cells[shape.index].life = 0;
    /* ORD(cell:closed) pairs ORD(cell:still-open): before its word or its memory is another's. Whoever copies it just
     * now finds that the word has moved. */
    atomic_store_explicit(&shared_cell_of(pool->region, shape.index)->life, 0, memory_order_seq_cst);
    atomic_fetch_add(cell_word_of(pool->region, shape.index), 1ull << CELL_BUFFER_BITS);
    heap_give(&pool->cell_heap, shape.offset);
    seat_unlock(pool);
    return 0;
}

void cell_end_all(struct pool *pool) {
    if (pool->cell_heap.bytes != 0)
        heap_close(&pool->cell_heap);
}
