/* feed.h - an open map in the owner: what opening, feeding and ending it have in common. All under the lock of the pool */
#ifndef OWNER_FEED_H
#define OWNER_FEED_H

#include "owner/feedbook.h"
#include "owner/pool.h"

#define VIEWS 16u /* threads that look at what they took */
#define RESCUE_NS 1000000ull /* nothing ended for so long: one item may hold up others */

/* What a thread took last: it looks at it until it takes again. */
struct view {
    pthread_t thread;
    uint32_t  cell; /* NO_CELL: nobody */
    uint64_t  taken; /* how many were before it */
};

struct feed {
    struct mapping mapping;
    mortal_pool *handle;
    struct pool *pool;
    struct group *group;
    mortal_task_options options;
    mortal_function *run;
    mortal_buffer buffers[2]; /* the plan and the items; the board and the results */
    struct feed_book book;
    uint8_t *items;
    const uint8_t *results;
    uint64_t heeded;  /* how many kill_now of what is pending are known */
    uint32_t putters; /* sleep for room */
    uint32_t unsettled;
    uint64_t patience_ns; /* from one look for an item that holds up others to the next; NEVER: there is none */
    uint64_t looked_ns;
    bool is_ended, is_closing;
    struct view views[VIEWS];
    char *name; /* of its items, if they have one */
};

void feed_settle(struct feed *f); /* what ended: what it had has ended too, or waits again */
/* What waits is run, as far as there is room for more runners. 0, or why it is not; -ESHUTDOWN: the map may be gone. */
int  feed_start(struct feed *f);
void feed_cancel(struct feed *f); /* what was put and has not begun */
int  feed_explain(int error, const char *call); /* of a wait */

#endif
