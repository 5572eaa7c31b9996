/* play.h - what the host is doing when it is cut */
#ifndef STEP_PLAY_H
#define STEP_PLAY_H

#include "stage.h"

enum { TESTED_FIRST = 2, TESTED_MOST = 3, HISTORY = 5, EXTRA = 6, LATER = 7, LATEST = EXTRA }; /* slots */

enum twist {
    TWIST_NONE = 0,
    TWIST_NEW_HOST, /* has never answered anything */
    TWIST_RETURNED, /* the first task came back from an earlier host */
    TWIST_REUSED,   /* its slot had another task before, whose result was large */
    TWIST_FULL,     /* no room for its result before released ones are swept out */
    TWIST_DEAD,     /* cancelled and expired tasks are ahead of it in the queue */
    TWIST_SLEEPERS, /* everybody sleeps who can: other workers, submitters, waiters, groups */
    TWIST_BRISK,    /* tasks are so short that a deputy will do */
    TWIST_DEPUTY,   /* the rival sleeps as that */
    TWIST_STANDBY,  /* the host is a standby, and is given work when it sleeps */
    TWIST_STARTING, /* the worker's thread begins with this */
    TWIST_LEFT,     /* an earlier task of the worker left clean-ups that were not needed */
    TWIST_ASIDE,    /* what is submitted meanwhile has high priority */
};

struct play {
    const char *name;
    enum twist  twist;
    bool        lives; /* the worker goes on until it sleeps for good; else it takes a step for each task */
    unsigned    tasks;
    struct part parts[TESTED_MOST];
};

extern const struct play plays[];
extern const size_t      play_count;

/* Everything up to the moment before the first instruction of worker_step(). */
void play_prepare(struct stage *stage, const struct play *play);

/* Is the slot LATEST free for a task that is submitted meanwhile? It is tested like the others. */
bool play_takes_more(const struct play *play);
bool play_leaves(const struct play *play); /* clean-ups and notes; and it has a critical section */
void play_submit_more(struct stage *stage, const struct play *play);

/* The part that is cut: a worker_step() for each task, or a worker's life from one sleep to another. */
void play_run(struct stage *stage, const struct play *play);

#endif
