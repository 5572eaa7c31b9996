/*
 * bell.h - idle workers, and waking no more of them than there is work for
 *
 *   worker                           owner or supervisor
 *   ------                           -------------------
 *   value = own bell                 make work visible
 *   set idle bit, then the hint      full barrier
 *   full barrier                     hint set? take a bit away
 *   work there? do not sleep         add to that worker's bell
 *   sleep while bell == value        wake it
 *
 * Without the second look for work a worker that read an empty queue just before the push, and set its bit just after the
 * owner looked, would sleep beside a full queue. A waker that takes the bit of a worker which dies before it wakes loses
 * the wake-up: recovery therefore ends by ringing everybody.
 */
#ifndef REGION_BELL_H
#define REGION_BELL_H

#include "region/layout.h"

void bell_ring_one(const struct region *r);                       /* one idle worker, if any */
void bell_ring_all(const struct region *r);                       /* every worker of every berth, idle or not */
void bell_ring_berth(const struct region *r, uint32_t berth);

/* The worker's side. */
void bell_say_idle(const struct region *r, uint32_t berth, uint32_t worker);
void bell_say_busy(const struct region *r, uint32_t berth, uint32_t worker);
bool bell_anybody_idle(const struct region *r);

#endif
