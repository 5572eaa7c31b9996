/*
 * rival.h - another worker of the host, on a thread of its own, that is held at a chosen point
 *
 * It is stepped too, so it stops exactly there, while the one that is cut goes on around it.
 */
#ifndef STEP_RIVAL_H
#define STEP_RIVAL_H

#include "stage.h"

enum rival_point {
    RIVAL_CLAIMED = 1, /* it has the claim, and has not said that it begins */
    RIVAL_ENTERED,     /* in its task's function */
    RIVAL_LEFT,        /* its function is over, and nothing is published */
    RIVAL_PUBLISHED,   /* it is published, and nobody is told */
    RIVAL_DEPUTY,      /* asleep as deputy */
};

/* Before anything is stepped. */
void rival_ready(void);

/* True: it is there. False: it had nothing to claim and went. Nobody may hold the host's locks. */
bool rival_goes(struct stage *stage, enum rival_point point);

/* It runs on to its end: when nobody looks at the region any more. Nothing, if there is none. */
void rival_ends(struct stage *stage);

#endif
