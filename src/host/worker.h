/* worker.h - a thread that claims tasks, runs them and publishes how they ended */
#ifndef HOST_WORKER_H
#define HOST_WORKER_H

#include "host/ear.h"
#include "host/host.h"
#include "region/cells.h"
#include "region/queue.h"

/* The context of the task that a worker runs. */
struct mortal_task {
    struct worker *worker;
    struct order *order;
    struct cell *cell;
    uint32_t slot;
    uint64_t word;          /* RUNNING, by this worker */
    uint64_t result_bytes;
    uint64_t result_offset; /* into the heap; HEAP_NONE: inline */
    uint64_t began_ns;
    uint64_t cpu_began_ns;
    bool has_caps;          /* of its own, on memory */
    uint8_t *small;         /* where a result of up to INLINE_RESULT_BYTES is made: in the cell, unless that is shut */
    uint32_t sections;      /* critical sections that it is in, one inside the other */
    bool is_cleanup;        /* of a task that was cut: it has no cell */
    bool has_parts;         /* it has a ring for what it gives before it ends */
    uint64_t stream_ring;   /* that, in the heap */
    uint64_t stream_head;   /* behind its last part */
    bool leaves;            /* it left clean-ups */
    unsigned item_attempt;  /* it runs items of a map, and this is the item's; 0: it does not */
};

struct worker {
    struct host *host;
    const struct region *region;
    struct desk *desk;
    struct berth *berth;
    _Atomic uint32_t *bell;
    uint32_t index;
    uint32_t search_us; /* how long it looks for work before it sleeps */
    bool found; /* its search ended with something to claim, or it was woken */
    uint32_t ran;       /* tasks since it last looked for more in vain */
    uint64_t looked_ns; /* when that was */
    struct claimant claimant;
    struct mortal_task task;
    alignas(16) uint8_t small[INLINE_RESULT_BYTES];
    struct ear ear;
    uint32_t begun;     /* tasks, all together */
    uint32_t errand_seen; /* the last clean-up that it was given */
    struct cell_writer cells;
    struct draft *drafts; /* files that its task has begun and not published */
    bool was_asleep;      /* since it searched last */
    bool resigned;        /* as deputy, and has not slept since */
};

void worker_prepare(struct worker *worker, struct host *host, uint32_t index);
void worker_settle(struct worker *worker); /* on its own thread, before anything else of it */
void worker_run(struct worker *worker);    /* returns only in tests: when its berth says RETIRED */
bool worker_step(struct worker *worker);   /* claim, run and publish one task if there is one: the path that is cut in tests */
void worker_notify_supervisor(const struct host *host);
void worker_ring_group(const struct worker *worker, uint32_t group); /* something arrived there; number from 0 */
/* What an order calls by that code; without its module this host is of no use to the pool, and ends. */
mortal_function *worker_function(struct host *host, uint64_t code);
struct worker *worker_self(void); /* of this thread, or null */
void worker_end_descendant(const struct host *host); /* ends a process that a task forked and that returned like it */

/* cleanup.c */
bool cleanup_run(struct worker *worker); /* what the supervisor gave this host to do, if anything */

/* On behalf of the library's own functions: the number of what was left, for cleanup_take_back(); or a negative errno. */
int  cleanup_leave(struct mortal_task *task, mortal_function *function, const void *input, size_t input_bytes);
void cleanup_take_back(struct mortal_task *task, int number);

void cleanup_forget(struct mortal_task *task); /* what it left is not needed any more */

/* draft.c */
void drafts_drop(struct mortal_task *task); /* what it did not publish */

enum doomed { BERTH_DOOMED = 1, BERTH_RETIRED = 2 };

#endif
