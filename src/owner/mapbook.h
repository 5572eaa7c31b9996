/*
 * mapbook.h - what became of each item of a map: the owner's side of region/map.h
 *
 * An item that ends by itself has its outcome on the board. What the owner ended, it also keeps to itself, since hosts can
 * write the board. No locks, no calls of the pool: this can be cut, copied and run on a picture of a board.
 */
#ifndef OWNER_MAPBOOK_H
#define OWNER_MAPBOOK_H

#include <stddef.h>

#include "region/map.h"

/* An item that cost its runner its life. */
struct map_ended {
    uint64_t item; /* + 1; 0: nothing here */
    uint32_t starts;
    uint8_t outcome; /* 0: it may start again */
};

/* What one that died has left: + 1; 0: none. */
struct map_left {
    uint64_t block, item;
};

struct map_book {
    const struct map_plan *plan; /* the owner's own */
    struct map_board *board;
    struct map_cell *cells;
    struct map_block *blocks;
    _Atomic uint8_t *outcomes;
    uint32_t attempts; /* how often an item may start by its own fault, at least 1 */
    uint64_t deadline_ns; /* of an item; 0: none */
    struct map_ended *ended; /* a hash table */
    size_t ended_count, ended_room;
    struct map_left *left; /* a stack */
    size_t left_count, left_room;
    uint64_t doubtful; /* the item at which a runner died last that had not begun it, it says */
    uint32_t doubts;   /* how often in a row */
    uint64_t deaths, open_before; /* since the last look at everything; what was open then */
};

/* The board, empty, for a plan with its count and cells. Everything but the buffers' addresses. */
void book_plan(struct map_plan *plan, uint64_t workers);
void book_open(struct map_book *book, const struct map_plan *plan, uint8_t *board);
void book_close(struct map_book *book);

/* The runner with that input, whose cell this is, has certainly ended, with that outcome. */
void book_settle(struct map_book *book, uint32_t cell, const struct map_runner *runner, int outcome, uint64_t now_ns);

/* Something for one more runner to begin with, if there is any. */
bool book_next(struct map_book *book, struct map_left *left);

void book_put_back(struct map_book *book, const struct map_left *left); /* it was not begun with */

/* No runner is left: is there anything that still has to run? Then it is where the next ones find it. */
bool book_look_at_all(struct map_book *book);

/* Nothing is to run any more. What has no outcome and cannot have begun gets this one, the rest that has none is lost. */
void book_finish(struct map_book *book, uint8_t rest);

/* An outcome for an item whose runner ended so, counted in *starts; 0: it may start again. */
uint8_t book_judge(int outcome, bool is_innocent, uint32_t attempts, uint32_t *starts);

/* How many of these are done. */
size_t book_count_done(const uint8_t *outcomes, size_t count);

#endif
