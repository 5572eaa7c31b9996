/* host.h - the process in which tasks run */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <pthread.h>

#include "region/heritage.h"
#include "region/heap.h"

enum block_kind { BLOCK_RESULT = 0, BLOCK_PARTS, BLOCK_KINDS };

/* What the workers of one host share. Private to it: a mutex here dies with everybody who could hold it. */
struct host {
    struct region *region;
    struct heritage *heritage;
    struct host_place place;
    int key; /* what shuts the control words, see guard.h; 0: nothing does */
    uint32_t *still_here; /* reads as 0 in a process that a task forked */

    pthread_mutex_t results_lock;
    struct heap heap; /* opened with the first result that needs it */
    bool heap_is_open;
    uint64_t sweep_at;
    struct block {
        uint32_t slot;
        uint32_t kind; /* enum block_kind */
        uint64_t word; /* published with it; 0 while its task runs */
        uint64_t offset;
        uint64_t head; /* of parts: behind the last one */
    } *blocks; /* what of the heap is in use, in no order */
    uint32_t block_count, block_room;
    _Atomic uint32_t (*block_at)[BLOCK_KINDS]; /* per slot: 1 + its index in blocks, or 0 */
    uint64_t *cells_committed; /* a bit per page of the cells */
    _Atomic uint64_t soft_signals; /* a bit per signal that was looked at: nobody leaves it its default */

    bool minds;        /* all its tasks have caps, or are measured: limits.h */
    bool counts_tasks; /* it is replaced in its time */
    _Atomic uint32_t served;
    uint64_t data_limit;   /* on private memory, between tasks with a cap of their own */
    uint64_t data_untouched; /* that the kernel counts and nobody touched; 0: not yet known */

    pthread_mutex_t files_lock;
    struct mapped_file *_Atomic files; /* by buffer; null until the first one */
    uint32_t files_used;        /* numbers below may have one */
    _Atomic uint32_t files_call; /* 1: look what is to be unmapped, whoever has the lock */
};

/* The body of a host: never returns. */
void host_run(struct heritage *heritage, struct host_place place) __attribute__((noreturn));

/* Ready a host struct for workers. Tests use it without a process of its own. 0 or -ENOMEM. */
int host_prepare(struct host *host, struct heritage *heritage, struct host_place place);

/* What every process with user code does first: no descriptors but the kept ones, no owner's signal handlers, dies with
 * its supervisor, runs none of the owner's exit handlers. keep: at most 4 more descriptors that it needs. */
void host_manners(struct heritage *heritage, const int *keep, size_t keep_count);

#endif
