/*
 * map.h - one function over many items: what the owner and the runners of a map share
 *
 * The items are divided into blocks. A runner, which is a task like any other, owns a block by writing its name into the
 * block's word; whoever finds no block any more takes the last item from a block of another. Each is one swap, as with
 * claim words, so a runner may die anywhere.
 *
 *    63       40 39     20 19     0
 *   +-----------+---------+--------+      runner    0: nobody
 *   |  runner   |   top   |   at   |      at        the item of the block that the runner is at; those before have ended
 *   +-----------+---------+--------+      top       items from here on were taken by others
 *
 * An item ends by one store, that of its outcome. An item in hand is one that its runner noted as begun and that has no
 * outcome: after the runner's certain end it gets one from the owner, or begins again. What a runner had taken and not
 * begun belongs to nobody then: the owner gives blocks to the next runner, and finds the rest when no runner is left.
 *
 * The plan is in memory that hosts cannot write. The board they can: what the owner reads there is bounded, and believed
 * only as far as a claim word is.
 */
#ifndef REGION_MAP_H
#define REGION_MAP_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mortal.h>

#define MAP_RUNNERS_MOST 0xffffffu
#define MAP_BLOCK_MOST 4096u

enum map_items { MAP_NUMBERS = 0, MAP_ARRAY };

struct map_plan {
    uint64_t function;     /* as in an order */
    uint64_t count, per_block, blocks;
    uint64_t item_bytes, result_bytes;
    uint64_t items_offset, results_offset; /* in their windows */
    uint32_t items, items_window; /* enum map_items; numbers: an item is its own index */
    uint32_t has_deadline;
    uint32_t cells;
    mortal_buffer file; /* that has the items, where their window is WINDOW_FILES; their offset is one into it then */
    mortal_buffer board;
    uint64_t board_cells, board_blocks, board_outcomes; /* offsets */
};

struct map_board {
    alignas(64) _Atomic uint64_t next; /* A  the first block that may be free: a hint */
    alignas(64) _Atomic uint32_t stop; /* O  1: begin no item more */
};

/* One runner's note, as a desk is a worker's. */
struct map_cell {
    alignas(64) _Atomic uint64_t begun; /* H  item + 1, stored before its function is called */
    _Atomic uint64_t block;             /* H  block + 1 that it owns or is about to take, stored before the claim: where to
                                              look for work to take over, and what it had when it has died */
    _Atomic uint64_t started_ns;        /* H  when it began the item, if items have a deadline */
};

struct map_block {
    alignas(64) _Atomic uint64_t word; /* C */
};

/* What a runner is given as its input. */
struct map_runner {
    mortal_buffer plan;
    uint32_t name, cell;
    uint64_t block, item; /* + 1; 0: none. To begin with: what one that died has left */
};

enum map_return { MAP_NO_MORE = 0, MAP_MORE = 1 /* it made way for other tasks */, MAP_BROKEN = 2 };

static inline uint64_t map_word(uint32_t runner, uint64_t top, uint64_t at) {
    return (uint64_t)runner << 40 | (top & 0xfffff) << 20 | (at & 0xfffff);
}
static inline uint32_t map_runner_of(uint64_t word) { return (uint32_t)(word >> 40); }
static inline uint64_t map_top_of(uint64_t word) { return word >> 20 & 0xfffff; }
static inline uint64_t map_at_of(uint64_t word) { return word & 0xfffff; }

/* The outcome of an item on the board: none yet, or that and how often it was begun in vain, or a mortal_outcome. */
static inline uint8_t map_begun_in_vain(uint32_t starts) { return (uint8_t)(0x80 | (starts > 0x7f ? 0x7f : starts)); }
static inline bool map_has_ended(uint8_t outcome) { return outcome != 0 && outcome < 0x80; }
static inline unsigned map_starts(uint8_t outcome) { return outcome & 0x7f; } /* of one that has not ended */

static inline uint64_t map_items_in(const struct map_plan *plan, uint64_t block) {
    uint64_t first = block * plan->per_block;
    return plan->count - first < plan->per_block ? plan->count - first : plan->per_block;
}
/* No part of it lies outside of the block. */
static inline bool map_word_fits(uint64_t word, uint64_t items) {
    return map_top_of(word) <= items && map_at_of(word) <= map_top_of(word);
}

#endif
