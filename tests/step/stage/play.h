/* play.h - what the host is doing when it is cut */
#ifndef STEP_PLAY_H
#define STEP_PLAY_H

#include "stage.h"

enum { TESTED_FIRST = 2, TESTED_MOST = 3, HISTORY = 5, EXTRA = 6, LATER = 7 }; /* slots */

enum twist {
    TWIST_NONE = 0,
    TWIST_NEW_HOST, /* has never answered anything */
    TWIST_RETURNED, /* the first task came back from an earlier host */
    TWIST_REUSED,   /* its slot had another task before, whose result was large */
    TWIST_FULL,     /* no room for its result before released ones are swept out */
    TWIST_DEAD,     /* cancelled and expired tasks are ahead of it in the queue */
    TWIST_SLEEPERS  /* everybody sleeps who can: other workers, submitters, waiters, groups */
};

struct play {
    const char *name;
    enum twist  twist;
    unsigned    tasks;
    struct part parts[TESTED_MOST];
};

extern const struct play plays[];
extern const size_t      play_count;

/* Everything up to the moment before the first instruction of worker_step(). */
void play_prepare(struct stage *stage, const struct play *play);

/* The part that is cut: a worker_step() for each task. */
void play_run(struct stage *stage, const struct play *play);

#endif
