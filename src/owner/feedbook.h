/*
 * feedbook.h - what became of each item of an open map: the owner's side of region/feed.h
 *
 * An item that ends by itself has its outcome on the board. Which runner has which cells, and what the owner itself ended, is
 * private: hosts can write the board. No locks, no calls of the pool: this can be cut, copied and run on a picture of a board.
 */
#ifndef OWNER_FEEDBOOK_H
#define OWNER_FEEDBOOK_H

#include <stddef.h>

#include "region/feed.h"

#define FEED_RUNS_MOST 1024u
#define NO_CELL UINT32_MAX
#define NO_RUN UINT32_MAX

enum feed_state {
    CELL_FREE = 0,
    CELL_WAITS, /* no runner has it */
    CELL_OUT,   /* a runner has it */
    CELL_ENDED, /* and it is not taken */
    CELL_TAKEN  /* the program looks at it */
};

struct feed_item {
    uint64_t number;
    void    *tag;
    uint32_t starts; /* in vain */
    uint8_t  state;  /* enum feed_state */
    uint8_t  outcome; /* of one that ended */
    uint16_t doubts; /* how often a runner came to nothing with it */
};

/* What one runner has: the truth. */
struct feed_stint {
    uint64_t number;     /* of its first item */
    uint32_t first;      /* its cell */
    uint32_t count;      /* items that were given to it and not taken back */
    uint32_t name;       /* 0: this place is free */
    uint32_t seen_at;    /* how far it was when it was last looked for one that is stuck */
    bool     is_spoiled; /* who had it last may still write its word: it is not used again */
};

/* Cells in the order in which they came: a ring with a place for each. */
struct feed_line {
    uint32_t *cells;
    uint32_t head, count;
};

struct feed_book {
    struct feed_plan plan;  /* the owner's own */
    struct feed_plan *told; /* what hosts see of it */
    struct feed_board *board;
    struct feed_run *runs;
    _Atomic uint8_t *outcomes;
    const int32_t *statuses;
    bool in_order;
    uint32_t window, attempts;
    uint64_t deadline_ns; /* of an item; 0: none */
    struct feed_item *items;
    mortal_verdict *verdicts; /* of those that the owner ended */
    struct feed_stint *stints;
    struct feed_line waiting; /* cells that no runner has */
    struct feed_line coming;  /* what is to be taken: in order all that was put; as finished what has ended */
    uint64_t put, cancelled;  /* numbers: the next one; lower ones begin no more */
    uint64_t taken;           /* how many */
    uint32_t at;              /* cell for the next one, or behind it */
    uint32_t current;         /* runner that is given more, or NO_RUN */
    uint32_t next_run, out;   /* where a free place is looked for; runners under way */
    uint32_t names;
    uint32_t trust;           /* so many items one runner is given at most: less where some among them took long */
    uint64_t counts[MORTAL_LOST + 1]; /* of what the owner ended, by outcome */
};

/* Sizes and offsets of the board, for a plan with its cells and sizes. Returns its bytes; the results are not among them. */
uint64_t feedbook_plan(struct feed_plan *plan);
bool feedbook_open(struct feed_book *book, const struct feed_plan *plan, uint8_t *board); /* false: no memory */
void feedbook_close(struct feed_book *book);

/* ---- putting */

/* There are more cells than that, by as many as can be taken and not let go of. */
static inline bool feedbook_is_full(const struct feed_book *book) { return book->put - book->taken >= book->window; }
uint32_t feedbook_cell(struct feed_book *book);                         /* where the next item is to be; it is not full */
void     feedbook_put(struct feed_book *book, uint32_t cell, void *tag); /* it is there */

/* Give what waits to the runner that was given the last ones, if it is not through, and as far as it would not wait long. */
void feedbook_add(struct feed_book *book);

/* Give some of what waits to a new runner: its place, or NO_RUN if nothing waits, or there are too many. */
uint32_t feedbook_begin(struct feed_book *book, struct feed_runner *runner);
void     feedbook_undo(struct feed_book *book, uint32_t run); /* it could not be started */

/* ---- ending */

/* The runner in that place has ended so: what it had has ended too, or waits again. */
void feedbook_settle(struct feed_book *book, uint32_t run, const mortal_verdict *verdict, uint64_t now_ns);
/* One item that takes long among short ones holds up those behind it: they wait again, for another runner. To be called now
 * and then while nothing ends. False: no runner has any behind another. */
bool feedbook_rescue(struct feed_book *book);
void feedbook_cancel(struct feed_book *book);               /* what was put and has not begun begins no more */
bool feedbook_all_ended(const struct feed_book *book);      /* all that was put, taken or not */
void feedbook_dismiss(struct feed_book *book);              /* then: runners are to wait for no more */
void feedbook_give_up(struct feed_book *book, int outcome); /* what waits ends so */

/* ---- taking */

uint32_t feedbook_next(struct feed_book *book); /* the next one that has ended, or NO_CELL */
void     feedbook_take(struct feed_book *book, uint32_t cell, mortal_verdict *verdict); /* which that said; all but its result */
void     feedbook_let_go(struct feed_book *book, uint32_t cell); /* nobody looks at it any more */

/* For who waits: has that cell ended, or, with NO_CELL, any? Reads the board only, so no lock is needed. */
uint32_t feedbook_awaited(const struct feed_book *book);
bool     feedbook_peek(const struct feed_book *book, uint32_t cell);

#endif
