/*
 * doctor.h - what the files of `mortal doctor` share
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <mortal.h>

#include "tool.h"

/* How much it matters that something is not there. */
enum weight {
    WEIGHT_FACT,    /* neither good nor bad */
    WEIGHT_EXTRA,   /* an option of the library, or of a user, that is not to be had */
    WEIGHT_PROMISE, /* a promise holds in a weaker form only */
    WEIGHT_NEEDED   /* a pool cannot work without it */
};

struct finding {
    const char *group, *name;
    enum weight weight;
    bool        has;
    uint32_t    promise; /* its number in docs/guarantees.md; 0: none in particular */
    const char *means;   /* not there: what is lost; may be null */
    const char *remedy;  /* and what would provide it; may be null */
    char        detail[384];
};

enum { FINDINGS_MOST = 64, TRIALS = 25 };

struct trial {
    bool     is_done;
    uint32_t kills;
    uint64_t open_ns, round_trip_ns, kill_least_ns, kill_median_ns, kill_most_ns, again_ns, deadline_late_ns;
    uint64_t exec_open_ns; /* 0: it did not open */
};

struct diagnosis {
    struct finding findings[FINDINGS_MOST];
    uint32_t       count;
    struct trial   trial;
};

/* Adds one; what it is told about comes as by printf. */
void diagnose(struct diagnosis *d, struct finding finding, const char *format, ...) __attribute__((format(printf, 3, 4)));

void doctor_try_pools(struct diagnosis *d); /* doctor_trial.c: opens on each rung, kills, measures */
void doctor_ask_kernel(struct diagnosis *d);/* doctor_kernel.c: calls, keys */
void doctor_ask_system(struct diagnosis *d);/* doctor_system.c: limits, files, processors */


#endif
