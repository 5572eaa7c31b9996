/*
 * judge.h - bury the host at one moment, in one way, and see whether all promises are kept
 *
 * What should have become of each task is worked out here from what it really did, and from the promises; not from what
 * the region says of it.
 */
#ifndef STEP_JUDGE_H
#define STEP_JUDGE_H

#include "undertaker.h"

/* A crash state: the region between two instructions, and the truth about it. */
struct moment {
    uint64_t     at;       /* instruction */
    uint64_t     changes;  /* how often the region had changed by then */
    bool         is_taken; /* the supervisor had decided to kill it, for whatever reason the ending says */
    struct truth truth;
    uint8_t     *picture;
};

/* How its host ends. */
struct ending {
    const char   *name;
    enum sentence sentence; /* decided at that moment, before the death */
    bool          asked;
    uint32_t      culprit;
};
enum { ENDINGS = 10 };
extern const struct ending endings[ENDINGS];
bool ending_fits(const struct ending *ending, const struct moment *moment);

struct fault {
    const char *promise; /* null: none was broken */
    char        detail[400];
};

/* The verdict on a copy. False: the fault says what is wrong. */
bool judge(struct stage *stage, const struct moment *moment, const struct ending *ending, struct fault *fault);

/* The parts of it. A region in which the host was buried, and the words as they were at its death, before sentences. */
struct scene {
    struct stage        *stage;
    struct region       *region;
    const struct ending *ending;
    struct death         death;
    const struct truth  *truth;
    struct fault        *fault;
    uint64_t             before[SLOTS];
    uint32_t             bells[WORKERS]; /* of the other host */
    bool                 idle[WORKERS];  /* its workers that said so */
};
/* As the owner reads it. False: it has not ended. */
bool judge_harvest(struct region *region, const struct part *part, uint32_t slot, mortal_verdict *verdict, uint8_t *result);

void         judge_note_words(struct scene *scene); /* fills before[] and bells[] from the region */
struct death judge_death_of(const struct ending *ending);
bool         judge_fates(struct scene *scene);     /* every task has the one right fate */
bool         judge_leavings(struct scene *scene, const struct undertaker *u); /* clean-ups were run, notes are whole */
bool         judge_queue(struct scene *scene);     /* what waits is found by the next host, in order: claims it all */
bool         judge_heir(struct scene *scene);      /* who took over, and what was counted */
bool         judge_bells(struct scene *scene);     /* whoever must look for work was rung, and will be */
bool         judge_told(struct scene *scene, const struct truth *told); /* every sleeper was woken, every group told */
bool         judge_breach(struct scene *scene, const char *promise, const char *format, ...) HARNESS_PRINTF(3, 4);

/* What can be broken. */
extern const char promise_found[], promise_waits[], promise_once[], promise_whole[], promise_decided[], promise_fate[],
    promise_others[], promise_order[], promise_again[], promise_cut[], promise_told[], promise_cap[], promise_doomed[],
    promise_ends[], promise_rung[], promise_count[], promise_heir[], promise_next[],
    promise_stays[], promise_pid[], promise_held[], promise_cleaned[], promise_noted[], promise_section[];

#endif
