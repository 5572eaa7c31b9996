/*
 * undertaker.h - the supervisor's part, in a view of the region and without processes
 *
 * All of it is the supervisor's own code; only the process to be waited for is missing.
 */
#ifndef STEP_UNDERTAKER_H
#define STEP_UNDERTAKER_H

#include "stage.h"
#include "supervisor/state.h"

enum { BERTHS_MOST = 16, LIVES_MOST = 128, UNCLEAN_MOST = 16 };

struct undertaker {
    struct supervisor  supervisor;
    struct host_record hosts[BERTHS_MOST];
    struct watch       watches[BERTHS_MOST][WORKERS];
    uint16_t           life_berth[LIVES_MOST];
    uint32_t           positions[2], dead_lives[LIVES_MOST];
    struct returned    returned[RETURNED_ENTRIES];
    struct unclean     uncleans[UNCLEAN_MOST];
    uint8_t            cleaned[SLOTS]; /* clean-ups that were run for its task, a bit each */
    const char        *flaw;           /* in the way in which they were; null: none */
};

/* One that knows nothing yet, like a new process. */
void undertaker_open(struct undertaker *u, struct region *region);

/* What is decided while the host still lives: cancels what waits, takes what runs. */
void undertaker_condemn(struct undertaker *u, const struct stage *stage, enum sentence sentence);

/* What is done when it is certainly dead, a standby takes over and everybody is rung: as told, or as the supervisor finds
 * out from a child that ended. */
void undertaker_bury(struct undertaker *u, const struct death *death);

/* What the dead host's tasks left to be done, in a host that is made for it: part of the two others. */
void undertaker_clean(struct undertaker *u);
void undertaker_meet_cleaner(struct undertaker *u); /* that host is ready, */
void undertaker_run_errand(struct undertaker *u);   /* has done what it was given, */
void undertaker_end_cleaner(struct undertaker *u);  /* and is no more */
void undertaker_reap(struct undertaker *u, pid_t pid, bool asked);

#endif
