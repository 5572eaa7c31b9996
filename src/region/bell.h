/*
 * bell.h - idle workers, and waking no more of them than there is work for
 *
 *   worker                           owner or supervisor
 *   ------                           -------------------
 *   value = own bell                 make work visible
 *   set idle bit                     full barrier
 *   full barrier                     take one idle bit away
 *   work there? do not sleep         add to that worker's bell
 *   sleep while bell == value        wake it
 *
 * Without the second look for work a worker that read an empty queue just before the push, and set its bit just after the
 * owner looked, would sleep beside a full queue. A waker that takes the bit of a worker which dies before it wakes loses
 * the wake-up, and one that is a worker itself may die with a bit taken and nobody rung. So a recovery ends by ringing as
 * many sleepers as tasks wait, and everybody who neither runs a task nor has a bit that says what it does instead.
 *
 * There is no word in front of the bits that says whether any is set. Whoever wakes would have to clear it and set it again
 * if bits are left, and another waker in between would take it for "nobody sleeps": the task that both were about then waits
 * beside a sleeper. models/wake.pml shows how.
 */
#ifndef REGION_BELL_H
#define REGION_BELL_H

#include "region/layout.h"

/* Who pushes wakes nobody while somebody is awake and looks for work anyway; whoever of those finds some, and leaves nobody
 * looking behind, passes the call on if there is more. So a stream of small tasks is run by as few workers as keep up with
 * it, and a burst wakes one worker after the other. Go's scheduler wakes its threads like this. */
bool bell_call_idle(const struct region *r);

/* ORD(bell:sleepers) pairs ORD(bell:sleep): the work is visible before this look at who sleeps. */
static inline bool bell_anybody_idle(const struct region *r) {
    for (uint32_t i = 0; i < r->g.idle_words; i++)
        if (atomic_load_explicit(idle_word(r, i), memory_order_seq_cst) != 0)
            return true;
    return false;
}

/* After a push; after finding work, if there is more. True: somebody was rung. */
static inline bool bell_call(const struct region *r) { return bell_anybody_idle(r) && bell_call_idle(r); }
bool bell_ring_one(const struct region *r); /* one idle worker, if any; likewise */
void bell_ring_idle(const struct region *r, uint64_t most); /* so many, if so many are idle */
void bell_ring_all(const struct region *r);                       /* every worker of every berth, idle or not */
void bell_ring_berth(const struct region *r, uint32_t berth);
void bell_ring_worker(const struct region *r, uint32_t berth, uint32_t worker);

/*
 * To wake a worker costs some microseconds of whoever does it and a processor that somebody else may be using. Where tasks
 * last less than that, one worker that is just running one will be back before another is awake, and waking that one
 * makes the whole slower, on a machine with few processors by half. So while tasks are brisk nobody is woken, provided
 * that a deputy covers: one of the sleepers sleeps for DEPUTY_NS only and then looks by itself. A task that turns out to be
 * long therefore holds back the next one for that time at most. Whoever resigns as deputy looks for work afterwards:
 *
 *   deputy                           who pushes
 *   ------                           ----------
 *   resign                           make work visible
 *   full barrier                     full barrier
 *   work there? run it               a deputy? leave it to it
 *
 * The owner leaves its barrier to the other side (fence.h), and a deputy that finds work does not sleep: so it makes that
 * barrier before it looks whether there is more, if there is anybody whom it would wake for that.
 *
 * A deputy that dies covers no more: its burial resigns for it, before the look at what waits.
 */
#define DEPUTY_NS 200000u
#define BRISK_NS  1500u /* a task that is shorter, with what comes before the next one, is brisk */
bool bell_become_deputy(const struct region *r, uint32_t berth, uint32_t worker); /* false: not brisk, or there is one */
void bell_resign(const struct region *r, uint32_t berth, uint32_t worker);
void bell_note_pace(const struct region *r, bool brisk);
void bell_note_silence(const struct region *r); /* a deputy found nothing to do: unless others look, the stream is over */

/* The worker's side. */
void bell_say_idle(const struct region *r, uint32_t berth, uint32_t worker);
void bell_say_busy(const struct region *r, uint32_t berth, uint32_t worker);
bool bell_start_search(const struct region *r, uint32_t berth, uint32_t worker); /* false: enough others look already */
void bell_stop_search(const struct region *r, uint32_t berth, uint32_t worker);
bool bell_is_seen(const struct region *r, uint32_t berth, uint32_t worker); /* to be idle, or to look for work */

#endif
