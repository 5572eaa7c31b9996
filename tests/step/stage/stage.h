/*
 * stage.h - a region with a host in it, and no processes: worker_step() runs in the test itself
 *
 * The region is seen three ways. The owner's view, as owner and supervisor have it. The host's view, where orders and
 * control are read-only and the answers are one arena, as in a real host: what it may not write it cannot write here
 * either. And a copy, in which recovery may do as it likes.
 */
#ifndef STEP_STAGE_H
#define STEP_STAGE_H

#include "harness.h"
#include "host/worker.h"
#include "owner/pool.h"
#include "region/recover.h"

#include <string.h>

enum {
    SLOTS = 8,
    WORKERS = 3, /* of the one host: */
    NEIGHBOUR = 0, /* is in the middle of a task all the time */
    ACTOR = 1,     /* is the one that is cut */
    RIVAL = 2,     /* may take a task away at any moment */
    LIFE = 5,
    BERTH = 2,
    OTHER_LIFE = 6, /* another host, which lives on */
    OTHER_BERTH = 3,
    STANDBY_LIFE = 3, /* a third, which takes over */
    STANDBY_BERTH = 4,
    NEXT_LIFE = 7, /* who comes after it, and more after that */
    CLEANER_LIFE = 2, /* runs clean-ups, and is made for them */
    CLEANER_BERTH = 5,
    GROUP = 3,     /* as orders have it: number + 1 */
    RESULTS_BYTES = 8192,
    PIECES = 8
};

/* What a task is to do: the first bytes of its input. */
struct act {
    uint32_t seed, input_bytes;
    uint32_t result_bytes; /* asked for first */
    uint32_t resized_bytes; /* then asked for, if not 0 */
    int32_t  status;
    uint32_t leaves; /* 1: it leaves clean-ups and notes, and has a critical section: leave.h */
    uint32_t reserved[2];
};

/* One slot's task. */
struct part {
    bool       is_cast;   /* the slot is in use */
    bool       is_tested; /* kills and deadlines are meant for it */
    bool       lives_on;  /* nothing that happens may touch it */
    struct act act;
    uint32_t   worker;    /* that runs it, where it runs */
    uint32_t   generation, attempts, starts; /* starts: charged by earlier hosts */
    uint32_t   flags, group;
    bool       watched;
    uint64_t   ticket;
};

/* What really happened, seen from outside the region. */
struct truth {
    uint8_t  entered[SLOTS], left[SLOTS]; /* an instruction of its function was executed; the last one was */
    uint8_t  taken[SLOTS];                /* 1: the supervisor's swap took the claim; 2: it cancelled the waiting task */
    uint8_t  woken[SLOTS];                /* who sleeps on its word was woken, after it ended */
    uint8_t  group_woken, room_woken;     /* after the last end of a task that concerns them */
    uint16_t reserved;                    /* no holes: it is compared as a whole */
    uint32_t about_to_enter;              /* slot + 1: it said begun, its function comes next */
    uint8_t  stands[SLOTS], may_stand[SLOTS]; /* clean-ups that it left, a bit each; and those, while that changes */
    uint8_t  said[SLOTS], may_say[SLOTS];     /* lines, and steps of progress; likewise */
};

struct stage {
    struct heritage heritage; /* whose region is the host's view */
    struct region   owner, copy;
    struct host     host;
    struct worker   workers[WORKERS];
    struct part    *parts; /* of SLOTS; shared with children */
    uint8_t        *other_arena; /* of the other host, as that one sees it */
    struct truth   *truth; /* shared with children */
    struct piece_of_region {
        uint8_t *(*base)(const struct region *);
        size_t offset, bytes;
    } pieces[PIECES]; /* what pictures show: picture.h */
    size_t   picture_bytes;
    uint8_t *once, *twice; /* pictures of the copy, for whoever judges */
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage);
void stage_clear(struct stage *stage);      /* nobody on it, as after region_create */
void stage_host_enters(struct stage *stage); /* a new host in its place: after stage_clear, and in a forked child */

/* What worker_settle() did to the thread that calls. */
void stage_unsettle(struct worker *worker);

/* Another host says that it is ready. */
void stage_say_ready(struct stage *stage, uint32_t life);

/* Submit a task as owner/submit.c does. The slot's earlier task, if any, is released. */
void stage_submit(struct stage *stage, uint32_t slot, struct part part);
void stage_release(struct stage *stage, uint32_t slot);

/* That worker claims the next task, begins it or not, and gets no further. Returns slot + 1; 0: there was none. */
uint32_t stage_claim(struct stage *stage, uint32_t life, uint32_t worker, bool begins);

/* What the part's act answers: length, and whether these bytes are it. */
size_t stage_answer_bytes(const struct act *act);
bool   stage_answer_is(const struct act *act, const uint8_t *bytes);
int    stage_act(mortal_task *task, const void *input, size_t input_bytes); /* the function of all tasks */

#endif
