/*
 * feed.h - items that come one by one: what the owner and the runners of an open map share
 *
 * An item lies in a cell. The owner gives each runner, which is a task like any other, a stretch of cells, and tells it of
 * more as items are put, as long as the runner is not through; so what is put starts without another submit, or a call. Both
 * move one word by swaps:
 *
 *    63     41   40  39     20 19     0
 *   +---------+------+--------+--------+     name   of the runner; 0: nobody
 *   |  name   | shut |  top   |   at   |     at     items of the stretch before it were taken up by the runner
 *   +---------+------+--------+--------+     top    items of the stretch from here on are not its own
 *                                            shut   no more are added: the runner says so before it ends
 *
 * As in an array (map.h) an item ends by one store, that of its outcome, and is in hand if its runner noted it as begun and
 * it has no outcome. Which stretch a runner had is private to the owner: what of it has no outcome after the runner's certain
 * end was in hand, or begins anew in the stretch of another.
 *
 * The plan is in memory that hosts cannot write. The board they can: what the owner reads there is bounded, and believed
 * only as far as a claim word is.
 */
#ifndef REGION_FEED_H
#define REGION_FEED_H

#include <assert.h>

#include "region/map.h"

#define FEED_NAMES_MOST 0x7fffffu

struct feed_plan {
    uint64_t function;     /* as in an order */
    uint64_t item_bytes, result_bytes;
    uint64_t items_offset, results_offset; /* in the given window, in the shared one */
    uint32_t cells, runs;  /* how many */
    uint32_t has_deadline;
    uint32_t group;        /* number, of its runners' */
    mortal_buffer board;
    uint64_t board_runs, board_outcomes, board_statuses; /* offsets */
    alignas(64) _Atomic uint64_t cancelled; /* O  items with a lower number begin no more */
    _Atomic uint32_t take_most;             /* O  so many items are taken up at a time */
};

struct feed_board {
    alignas(64) _Atomic uint64_t pace_ns; /* A  how long an item takes, about; 0: not known */
};

/* What one runner has. */
struct feed_run {
    alignas(64) _Atomic uint64_t word; /* C */
    struct map_cell note;              /* H  begun: place in the stretch + 1 */
};

/* What a runner is given as its input. */
struct feed_runner {
    mortal_buffer plan;
    uint32_t name, run;
    uint64_t number;          /* of the first item of its stretch */
    uint32_t first, reserved; /* its cell */
    uint64_t kind;            /* FEED_KIND */
};
#define FEED_KIND 1u
static_assert(sizeof(struct feed_runner) != sizeof(struct map_runner), "one function runs both, by their size");

static inline uint64_t feed_word(uint32_t name, bool shut, uint64_t top, uint64_t at) {
    return (uint64_t)name << 41 | (uint64_t)shut << 40 | (top & 0xfffff) << 20 | (at & 0xfffff);
}
static inline uint32_t feed_name_of(uint64_t word) { return (uint32_t)(word >> 41); }
static inline bool feed_is_shut(uint64_t word) { return (word >> 40 & 1) != 0; }
static inline uint64_t feed_top_of(uint64_t word) { return word >> 20 & 0xfffff; }
static inline uint64_t feed_at_of(uint64_t word) { return word & 0xfffff; }

#endif
