/*
 * office.h - what the supervisor does, one instruction at a time
 *
 * It shares its fate with all hosts: when it dies they die too, and the owner tells of each task what its word says, or
 * that it is lost. So after each instruction the owner reads all verdicts: each is the right one or none yet, and what
 * was told once stays. And after each instruction hosts and owner may do something themselves.
 */
#ifndef STEP_OFFICE_H
#define STEP_OFFICE_H

#include "judge.h"
#include "play.h"

enum visit {
    VISIT_NONE = 0,
    VISIT_CLAIM,   /* another host's worker takes the next task and is at it */
    VISIT_PUBLISH, /* a worker that is at its task publishes it */
    VISIT_RELEASE, /* the owner lets go of what has ended */
    VISIT_SUBMIT,  /* the owner submits one more */
    VISIT_OTHER,   /* see meanwhile */
    VISIT_LAST = VISIT_OTHER,
    VISIT_DEATH    /* this process kills itself: for a child of the test */
};

struct told {
    bool           is_told;
    uint32_t       generation;
    mortal_verdict verdict;
    uint64_t       result; /* a hash */
};

struct office {
    struct stage       stage;
    struct undertaker  u;
    uint32_t           free_lives[LIVES_MOST];
    uint8_t            life_marks[LIVES_MOST];
    struct heritage    heritage; /* the supervisor's */
    struct death       death;
    uint32_t           life; /* that was given out */
    pid_t              own_pid, child; /* child: really dead, or 0 */
    uint64_t           words[SLOTS]; /* when it began, and after the visit */
    struct told        told[SLOTS];
    const struct deed *deed;
    enum visit         visit;
    uint64_t           at;
    bool               is_visited, has_published, was_killed;
    struct fault       fault;
    char               where[200];
    uint64_t           killed_first, ended_first; /* of tasks that were to be killed */
    void (*meanwhile)(struct office *office); /* VISIT_OTHER: whoever prepares the deed says what */
    uint64_t           states, verdicts; /* instructions after which it was cut, verdicts read there */
};

/* One thing that it does. */
struct deed {
    const char *name;
    void (*prepare)(struct office *office);
    void (*act)(struct office *office);   /* stepped */
    void (*check)(struct office *office); /* afterwards */
    unsigned    visits;   /* a bit for each kind that can happen */
    bool        has_children, is_repeated; /* processes; somebody else may do it again, as recoveries are */
};
extern const struct deed deeds[];
extern const size_t      deed_count;

void office_open(struct office *office);
void office_close(struct office *office);
bool office_breach(struct office *office, const char *promise, const char *format, ...) HARNESS_PRINTF(3, 4);

/* A deed: undisturbed, and with each kind of visit after evenly spread instructions. */
void office_sweep(struct office *office, const struct deed *deed, uint64_t steps);

/* Another process did it and was killed somewhere: is all that is told the same as in the last run, which went to its end?
 * And what is to be done again leads there too. */
void office_check_after_death(struct office *office, const struct deed *deed);

/* One run of it. Returns how many instructions it had. */
uint64_t office_run(struct office *office, const struct deed *deed, enum visit visit, uint64_t at);

#endif
