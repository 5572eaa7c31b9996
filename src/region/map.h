/*
 * map.h - one function over many items: what the owner and the runners of a map share
 *
 * The items are divided into blocks. A runner, which is a task like any other, owns a block by writing its name into the
 * block's word, and ends an item by moving the position in it on: each one swap, as with claim words, so a runner may die
 * anywhere and the word tells which item it had in hand. What is behind that item is free again for the next runner.
 *
 *    63       40 39             0
 *   +-----------+----------------+
 *   |  runner   |    position    |      runner 0: nobody; position: items of the block that have ended
 *   +-----------+----------------+
 *
 * The plan is in memory that hosts cannot write. The board they can: what the owner reads there is bounded, and believed
 * only as far as a claim word is.
 */
#ifndef REGION_MAP_H
#define REGION_MAP_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include <mortal.h>

#define MAP_RUNNERS_MOST 0xffffffu

enum map_items { MAP_NUMBERS = 0, MAP_ARRAY };

struct map_plan {
    uint64_t function;     /* as in an order */
    uint64_t count, per_block, blocks;
    uint64_t item_bytes, result_bytes;
    uint64_t items_offset, results_offset; /* in their windows */
    uint32_t items, items_window; /* enum map_items; numbers: an item is its own index */
    uint32_t has_deadline;
    uint32_t cells;
    mortal_buffer board;
    uint64_t board_cells, board_blocks, board_outcomes; /* offsets */
};

struct map_board {
    alignas(64) _Atomic uint64_t next; /* A  the first block that may be free: a hint */
    alignas(64) _Atomic uint32_t stop; /* O  1: begin no item more */
};

/* One runner's note, as a desk is a worker's. */
struct map_cell {
    alignas(64) _Atomic uint64_t begun; /* H  item + 1, stored before its function is called; 0: none since the last ended */
    _Atomic uint64_t started_ns;        /* H  when, if items have a deadline */
};

struct map_block {
    alignas(64) _Atomic uint64_t word; /* C */
};

/* What a runner is given as its input. */
struct map_runner {
    mortal_buffer plan;
    uint32_t name, cell;
};

enum map_return { MAP_NO_MORE = 0, MAP_MORE = 1 /* it made way for other tasks */, MAP_BROKEN = 2 };

static inline uint64_t map_word(uint32_t runner, uint64_t position) { return (uint64_t)runner << 40 | position; }
static inline uint32_t map_runner_of(uint64_t word) { return (uint32_t)(word >> 40); }
static inline uint64_t map_position_of(uint64_t word) { return word & 0xffffffffffull; }
static inline uint64_t map_items_in(const struct map_plan *plan, uint64_t block) {
    uint64_t first = block * plan->per_block;
    return plan->count - first < plan->per_block ? plan->count - first : plan->per_block;
}

#endif
