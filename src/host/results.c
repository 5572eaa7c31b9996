#include "host/results.h"

#include <stdlib.h>
#include <string.h>

#include "host/guard.h"
#include "host/worker.h"
#include "region/plant.h"
#include "region/stream.h"
#include "system/memory.h"

#define SWEEP_LEAST (1u << 20)

bool results_make_cell(struct host *host, uint32_t slot) {
    const struct region *r = host->region;
    uint64_t page = (uint64_t)slot * sizeof(struct cell) / PAGE_BYTES;
    _Atomic uint64_t *bits = (_Atomic uint64_t *)&host->cells_committed[page / 64];
    if (memory_commit(arena_of(r, host->place.life) + r->g.arena_cells + page * PAGE_BYTES, PAGE_BYTES, -1, 0) != 0)
        return false;
    atomic_fetch_or_explicit(bits, 1ull << page % 64, memory_order_relaxed);
    return true;
}

static struct block *block_of(struct host *host, uint32_t slot, enum block_kind kind) {
    uint32_t place = atomic_load_explicit(&host->block_at[slot][kind], memory_order_relaxed);
    return place == 0 ? NULL : &host->blocks[place - 1];
}

static void set_place(struct host *host, const struct block *block, uint32_t place) {
    atomic_store_explicit(&host->block_at[block->slot][block->kind], place, memory_order_relaxed);
}

/* Forget that entry; its memory stays taken. */
static void unlist(struct host *host, struct block *block) {
    set_place(host, block, 0);
    struct block *last = &host->blocks[--host->block_count];
    if (last == block)
        return;
    *block = *last;
    set_place(host, block, (uint32_t)(block - host->blocks) + 1);
}

static void drop_block(struct host *host, struct block *block) {
    heap_give(&host->heap, block->offset);
    unlist(host, block);
}

/* ORD(parts:reuse) pairs ORD(stream:take): the owner has copied them. */
static bool all_is_taken(const struct region *r, const struct block *block) {
    uint64_t taken = atomic_load_explicit(stream_taken_of(r, block->slot), memory_order_acquire);
    return stream_taken_in(taken, word_generation(block->word)) >= block->head;
}

/* Released: its slot went on to something else. RUNNING and DYING with that generation are the moment before it is
 * published. */
static bool is_released(struct host *host, const struct block *block) {
    if (block->word == 0)
        return false;
    if (PLANTED(PLANT_RECLAIM_HELD_RESULT))
        return true;
    /* ORD(result:reuse) pairs ORD(result:released): the owner has read what it will read of the result before. */
    uint64_t now = atomic_load(claim_of(host->region, block->slot));
    if (block->kind == BLOCK_PARTS && all_is_taken(host->region, block))
        return true;
    return now != block->word && now != word_with_phase(block->word, SLOT_RUNNING) &&
           now != word_with_phase(block->word, SLOT_DYING);
}

/* Give back what was released. Held blocks are looked at once per doubling of what is in use, so each costs a constant
 * share of its own allocation. */
static void sweep(struct host *host) {
    for (uint32_t i = 0; host->blocks != NULL && i < host->block_count;) {
        if (is_released(host, &host->blocks[i]))
            drop_block(host, &host->blocks[i]);
        else
            i++;
    }
    uint64_t twice = 2 * host->heap.used_bytes;
    host->sweep_at = twice > SWEEP_LEAST ? twice : SWEEP_LEAST;
}

static bool open_heap(struct host *host) {
    if (host->heap_is_open)
        return true;
    const struct region *r = host->region;
    host->heap_is_open = heap_open(&host->heap, heap_of(r, host->place.life), r->g.results_bytes, -1, 0) == 0;
    host->heap.is_lazy = true; /* see make_exist() */
    host->sweep_at = SWEEP_LEAST;
    return host->heap_is_open;
}

static bool is_lazy(const struct host *host) { return (host->region->g.results & MORTAL_RESULTS_LAZY) != 0; }

/* First it is noted how far pages go, which is what the supervisor gives back when this host is dead: making them takes
 * milliseconds, in which it may be killed. What the library itself writes to is there. */
static bool make_exist(struct host *host, enum block_kind kind, uint64_t offset, uint64_t bytes) {
    atomic_store_explicit(&host_head(host->region, host->place.life)->heap_top, host->heap.top, memory_order_relaxed);
    return (kind == BLOCK_RESULT && is_lazy(host)) || heap_make_exist(&host->heap, offset, bytes);
}

static struct block *new_block(struct host *host) {
    if (host->block_count == host->block_room) {
        uint32_t room = host->block_room == 0 ? 64 : host->block_room * 2;
        struct block *more = realloc(host->blocks, room * sizeof *more);
        if (more == NULL)
            return NULL;
        host->blocks = more;
        host->block_room = room;
    }
    return &host->blocks[host->block_count];
}

static uint64_t take_room(struct host *host, enum block_kind kind, uint64_t bytes) {
    uint64_t offset = heap_take(&host->heap, bytes);
    if (offset == HEAP_NONE || make_exist(host, kind, offset, bytes))
        return offset;
    heap_give(&host->heap, offset);
    return HEAP_NONE;
}

static uint64_t take(struct host *host, uint32_t slot, enum block_kind kind, uint64_t bytes) {
    if (!open_heap(host))
        return HEAP_NONE;
    if (host->heap.used_bytes + bytes > host->sweep_at)
        sweep(host);
    uint64_t offset = take_room(host, kind, bytes);
    if (offset == HEAP_NONE) {
        sweep(host);
        offset = take_room(host, kind, bytes);
    }
    if (offset == HEAP_NONE)
        return HEAP_NONE;
    struct block *block = new_block(host);
    if (block == NULL) {
        heap_give(&host->heap, offset);
        return HEAP_NONE;
    }
    *block = (struct block){.slot = slot, .kind = kind, .word = 0, .offset = offset};
    host->block_count++;
    set_place(host, block, host->block_count);
    return offset;
}

static uint8_t *current(struct mortal_task *task) {
    if (task->result_offset == HEAP_NONE)
        return task->small;
    return heap_of(task->worker->region, task->worker->host->place.life) + task->result_offset;
}

static bool grow_in_place(struct host *host, uint64_t offset, uint64_t bytes) {
    return heap_grow(&host->heap, offset, bytes) && make_exist(host, BLOCK_RESULT, offset, bytes);
}

/* A task that grows out of its block, and has a neighbour behind it, holds two for a moment, so blocks are known by slot
 * only once the old one is gone. */
static bool move_to_heap(struct host *host, struct mortal_task *task, uint64_t bytes) {
    bool in_heap = task->result_offset != HEAP_NONE;
    if (in_heap && bytes >= heap_room(&host->heap, task->result_offset) / 4 &&
        grow_in_place(host, task->result_offset, bytes))
        return true;
    struct block *old = block_of(host, task->slot, BLOCK_RESULT);
    uint64_t old_offset = task->result_offset;
    if (old != NULL)
        unlist(host, old);
    uint64_t offset = take(host, task->slot, BLOCK_RESULT, bytes);
    if (offset == HEAP_NONE) {
        if (in_heap) { /* keep what there was: there is room for its entry, it has just left */
            struct block *block = &host->blocks[host->block_count++];
            *block = (struct block){.slot = task->slot, .offset = old_offset};
            set_place(host, block, host->block_count);
        }
        /* A smaller one may stay where it is; for a larger one there may be room now, after the sweep. */
        return in_heap && (bytes <= task->result_bytes || grow_in_place(host, old_offset, bytes));
    }
    uint64_t keep = task->result_bytes < bytes ? task->result_bytes : bytes;
    if (keep != 0)
        memcpy(heap_of(host->region, host->place.life) + offset, current(task), keep);
    if (in_heap)
        heap_give(&host->heap, old_offset);
    task->result_offset = offset;
    return true;
}

static bool move_inline(struct host *host, struct mortal_task *task, uint64_t bytes) {
    if (!results_cell_exists(host, task->slot))
        return false;
    struct block *block = block_of(host, task->slot, BLOCK_RESULT);
    if (task->result_offset != HEAP_NONE && block != NULL) {
        memcpy(task->small, current(task), bytes);
        drop_block(host, block);
        task->result_offset = HEAP_NONE;
    }
    return true;
}

void *results_resize(struct mortal_task *task, uint64_t bytes) {
    struct host *host = task->worker->host;
    if (results_stay_in_cell(task, bytes)) {
        task->result_bytes = bytes;
        return bytes == 0 ? NULL : task->small;
    }
    int before = guard_open(host); /* a task calls this */
    pthread_mutex_lock(&host->results_lock);
    bool fits = bytes <= INLINE_RESULT_BYTES ? move_inline(host, task, bytes) : move_to_heap(host, task, bytes);
    pthread_mutex_unlock(&host->results_lock);
    guard_restore(host, before);
    if (!fits)
        return NULL;
    task->result_bytes = bytes;
    return bytes == 0 ? NULL : current(task);
}

uint64_t results_take_ring(struct mortal_task *task) {
    struct host *host = task->worker->host;
    pthread_mutex_lock(&host->results_lock);
    uint64_t offset = take(host, task->slot, BLOCK_PARTS, host->region->g.stream_bytes);
    pthread_mutex_unlock(&host->results_lock);
    return offset;
}

/* The owner reads all of it, and must not be who finds that a page is missing. If it is, the store to that page is where
 * this host ends, as any store of the task to it would have been. */
void results_complete(const struct mortal_task *task) {
    struct host *host = task->worker->host;
    if (!is_lazy(host) || task->result_offset == HEAP_NONE)
        return;
    pthread_mutex_lock(&host->results_lock);
    bool is_there = heap_make_exist(&host->heap, task->result_offset, task->result_bytes);
    pthread_mutex_unlock(&host->results_lock);
    if (is_there)
        return;
    volatile uint8_t *result = heap_of(host->region, host->place.life) + task->result_offset;
    for (uint64_t at = 0, last = task->result_bytes - 1;; at = last - at > PAGE_BYTES ? at + PAGE_BYTES : last) {
        uint8_t as_it_is = result[at];
        result[at] = as_it_is;
        if (at == last)
            return;
    }
}

void results_keep(const struct mortal_task *task, uint64_t word) {
    struct host *host = task->worker->host;
    pthread_mutex_lock(&host->results_lock);
    for (enum block_kind kind = 0; kind < BLOCK_KINDS; kind++) {
        struct block *block = block_of(host, task->slot, kind);
        if (block == NULL)
            continue;
        block->head = task->stream_head;
        block->word = word;
    }
    pthread_mutex_unlock(&host->results_lock);
}

void results_drop(struct host *host, uint32_t slot) {
    pthread_mutex_lock(&host->results_lock);
    for (enum block_kind kind = 0; kind < BLOCK_KINDS; kind++) {
        struct block *block = block_of(host, slot, kind);
        if (block != NULL)
            drop_block(host, block);
    }
    pthread_mutex_unlock(&host->results_lock);
}
