/*
 * sweep.h - cut a play at every instruction, and judge every way to die there
 *
 * While the worker is stepped, each crash state that differs from all before it is kept; afterwards each is judged under
 * each ending. What does not differ need not be judged again, and is counted apart.
 */
#ifndef STEP_SWEEP_H
#define STEP_SWEEP_H

#include "judge.h"
#include "play.h"

/* What comes from outside while the worker goes on. */
enum event {
    EVENT_NONE = 0,
    EVENT_TAKEN,            /* the supervisor condemns its task; the host is doomed only after it has noticed itself */
    EVENT_TAKEN_AND_DOOMED, /* both at once */
    EVENT_DOOMED,           /* its host is doomed over somebody else's task */
    EVENT_RIVAL,            /* another worker of its host runs the next task from claim to publication */
    EVENT_RIVAL_CLAIMED,    /* or gets no further than the claim */
    EVENT_RIVAL_BEGUN,      /* or is still at it when the host dies */
    EVENT_OUTSIDER,         /* a worker of another host is at it, and goes on */
    EVENT_HELD_CLAIMED,     /* another worker of its host, on a thread of its own, is held at such a point: rival.h */
    EVENT_HELD_ENTERED,
    EVENT_HELD_LEFT,
    EVENT_HELD_PUBLISHED,
    EVENT_REUSED,           /* as soon as its first task has ended, the owner puts another one into that slot */
    EVENT_MORE,             /* the owner submits one more, and calls */
    EVENT_LATE_KILL,        /* a kill that was meant for an earlier task of the slot */
    EVENT_OVERDUE,          /* its deadline is over, and waits for the end of its critical section */
    EVENT_ASKED,            /* a kill in its grace does */
    EVENT_LAST = EVENT_ASKED,
    EVENT_DEATH             /* this process kills itself: for a child of the test */
};

/* Where a sanitizer makes every path several times as long. */
#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

struct sweep {
    struct stage stage;
    uint32_t one_recovery_in;  /* of those that differ in what they look at, so many are stepped themselves; 0: none */
    uint32_t one_event_in;     /* of the kinds of events so many in each play, others in the next; 0 or 1: all */
    struct fault fault;        /* the first one ends everything */
    char         where[200];   /* it was found */
    uint64_t states, distinct; /* instructions of workers after which the host was cut */
    uint64_t cut_states, cut_distinct; /* instructions of recoveries after which they were cut */
    uint64_t twice_states, twice_distinct; /* of recoveries that began where an earlier one was cut */
    uint64_t buried;                   /* hosts, all in all */
    uint64_t waiting, claimed, begun, published; /* the states, by what the first task was at */
    uint64_t *known;           /* hashes of what was judged */
    size_t    known_count;
    uint8_t  *album;           /* pictures of one run */
    struct moment *moments;
    size_t    moment_count;
    uint64_t  instructions;    /* of the undisturbed run */
    uint64_t  slept_at;        /* in it the worker slept first before that one; 0: it did not */
};

void sweep_open(struct sweep *sweep);
void sweep_close(struct sweep *sweep);

/* A whole play: undisturbed, and then with each kind of event after evenly spread instructions, so many that about that
 * many steps are taken for each kind. And the parts of that, in this order. */
void sweep_play(struct sweep *sweep, const struct play *play, uint64_t steps);
void sweep_measure(struct sweep *sweep, const struct play *play); /* only how long it is */
void sweep_undisturbed(struct sweep *sweep, const struct play *play);
void sweep_event(struct sweep *sweep, const struct play *play, enum event event, uint64_t steps);

/* One run of it; states are counted from the event on. Returns how many instructions it had. */
uint64_t sweep_run(struct sweep *sweep, const struct play *play, enum event event, uint64_t at);

/* Recovery itself, one instruction at a time. */
void sweep_recovery(struct sweep *sweep, const struct moment *moment, const struct ending *ending);

/* For those two. */
bool     sweep_is_new(struct sweep *sweep, uint64_t hash); /* and remember it */
uint8_t *sweep_page(struct sweep *sweep, size_t number);   /* of the album */
uint32_t sweep_ended(const struct stage *stage, const struct region *region); /* a bit for each slot */
void     sweep_note_ends(struct truth *truth, const struct stage *stage, uint32_t new_ends);
void     sweep_note_wake(struct truth *truth, const struct region *region, const void *woken, uint32_t ended);

#endif
