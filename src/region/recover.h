/*
 * recover.h - what becomes of the tasks of a host that is certainly dead
 *
 *   word when the host died      begun   becomes
 *   RUNNING                      no      PENDING again, uncharged; after 3 deaths that no kill asked for: as begun
 *   RUNNING, its own fault       yes     PENDING and charged while attempts are left, else CRASHED, or QUARANTINED
 *                                        if there were more than one; OUT_OF_MEMORY if that is why
 *   RUNNING, another's fault     yes     PENDING uncharged if restartable, else COLLATERAL
 *   RUNNING, host was killed     over-   PENDING and charged while attempts are left, else LOST; likewise if not begun,
 *                                written  after 3 hosts that were killed for serving nobody
 *   DYING                        no      by sentence: CANCELLED, EXPIRED, or PENDING
 *   DYING                        yes     by sentence: KILLED, TIMED_OUT, or PENDING and charged (deadline, attempts left);
 *                                        over a cap PENDING and charged while attempts are left, else OUT_OF_MEMORY,
 *                                        TIMED_OUT (processor time), CRASHED or QUARANTINED (processes)
 *   anything else                        is left as it is: a published result, somebody else's claim
 *
 * Precondition: the kernel has certified the death of every thread of the host (it could be waited for). Never call it
 * because something is late. Each step is one compare-and-swap, and what goes with it is stored before: it may be cut
 * anywhere and run again, and the outcome is the same.
 */
#ifndef REGION_RECOVER_H
#define REGION_RECOVER_H

#include "region/layout.h"

/* What the supervisor decided when it turned RUNNING into DYING. */
enum sentence {
    SENTENCE_NONE = 0,
    SENTENCE_KILL,         /* never begun: cancelled */
    SENTENCE_KILL_RUNNING, /* never begun: waits again */
    SENTENCE_DEADLINE,
    SENTENCE_WITHIN,
    SENTENCE_MEMORY,    /* over a cap, these three */
    SENTENCE_CPU,
    SENTENCE_PROCESSES,
};

struct death {
    int32_t  cause, signal, signal_code, exit_code;
    uint64_t fault_address;
    uint64_t at_ns;   /* when it was noticed */
    bool     asked;   /* the supervisor killed it: nobody in it is at fault but the sentenced */
    bool     suspected; /* asked, but only since a worker in it served nobody any more */
    uint32_t culprit; /* worker; NO_WORKER: not known, all that had begun are charged */
    bool     out_of_memory; /* it is why: a crash is told so */
    uint64_t cpu_ns, peak_bytes; /* of the whole host; 0: not measured, or not one task's alone */
    uint64_t obituary; /* its number */
    int32_t  cleanup; /* enum mortal_cleanup: how what the task left to be done went */
};

enum recovered { RECOVERED_NOTHING = 0, RECOVERED_RETURNED, RECOVERED_WAITING /* it is pending already */, RECOVERED_ENDED };

/* One slot, as far as it belongs to that worker of that life. */
enum recovered recover_slot(struct region *r, uint32_t slot, uint32_t life, uint32_t worker, const struct death *death,
                            enum sentence sentence);

/* The task that a desk says it was about, quickly. *slot is set unless nothing. A waiting one was not claimed yet, or was
 * given back by the doomed worker itself: it may stand behind the queue's cursor. */
enum recovered recover_desk(struct region *r, uint32_t life, uint32_t worker, const struct death *death,
                            enum sentence sentence, uint32_t *slot);

/* How many starts are charged to the task so far. */
static inline uint32_t care_attempts(struct care *care) {
    return (uint32_t)(atomic_load_explicit(&care->charged, memory_order_relaxed) >> 40);
}
#define CARE_UNCHARGED 0xffffffffffull /* no start charged, to nobody */

#endif
