/*
 * results.h - memory for what tasks answer
 *
 * A result of up to 32 bytes lies in the cell of its slot, larger ones in the heap of the host's arena. Nobody ever tells
 * a host that a result was released: it is when the claim word is no longer the one published with it, so nothing is lost
 * when owner or host die in between.
 */
#ifndef HOST_RESULTS_H
#define HOST_RESULTS_H

#include "host/host.h"

struct mortal_task;

void *results_resize(struct mortal_task *task, uint64_t bytes); /* null: no room, the old result stays */
uint64_t results_take_ring(struct mortal_task *task); /* for its parts: an offset into the heap, or HEAP_NONE */
void  results_keep(const struct mortal_task *task, uint64_t word); /* about to be published with that word */
void  results_forget(struct host *host, uint32_t slot);              /* the slot is claimed anew: its old result is not needed */
bool  results_cell_exists(struct host *host, uint32_t slot);         /* make sure; false: no memory */

#endif
