/*
 * plant.h - bugs planted on purpose, to prove that the tests catch them
 *
 * In the library PLANTED() is the constant 0 and leaves no trace. Only the tests compile with MORTAL_TESTING, where a
 * variable chooses the bug.
 */
#ifndef REGION_PLANT_H
#define REGION_PLANT_H

enum plant {
    PLANT_NONE = 0,
    /* the worker */
    PLANT_PUBLISH_BEFORE_RESULT, /* the word says done before the cell is complete */
    PLANT_CLAIM_THEN_RECORD,     /* the claim is made before it is known by whom to look for it */
    PLANT_BEGUN_TOO_EARLY,       /* begun is stored before the doomed word is looked at again */
    PLANT_IGNORE_LOST_PUBLISH,   /* a worker whose publishing swap failed overwrites the word */
    PLANT_IGNORE_DOOM,           /* a worker claims and begins in a doomed host */
    PLANT_RECLAIM_HELD_RESULT,   /* memory of results that are held is taken for released */
    PLANT_GENERATION_UNCHECKED,  /* an entry of the queue is taken for its slot's next task */
    PLANT_COUNT_BEFORE_CLEANUP,  /* a clean-up counts before it is complete */
    PLANT_SECTION_LOOKS_FIRST,   /* who ends a critical section looks who waits before it says that it ended */
    PLANT_PROGRESS_BEFORE_COPY,  /* a copy of the progress is named whole before it is */
    PLANT_CELL_IN_PLACE,         /* a cell is changed where it is read */
    PLANT_CELL_SWAP_FIRST,       /* a cell's word names a buffer that is not complete */
    PLANT_CELL_READ_ONCE,        /* who copies a cell does not look whether it moved meanwhile */
    PLANT_HEAD_FIRST,            /* a part counts before it is complete */
    PLANT_NAMED_DRAFT,           /* no bug: a file system without files that have no name */
    /* the bells */
    PLANT_LOST_WAKE_UP,          /* a worker sleeps without a last look for work */
    PLANT_DEPUTY_STAYS,          /* a dead deputy keeps its office */
    PLANT_HINTS_STAY,            /* what a dead host said of itself is left standing */
    PLANT_SILENT_RECOVERY,       /* nobody is rung after a burial */
    /* the recovery */
    PLANT_DOUBLE_REQUEUE,        /* a task that another host has claimed since is returned once more */
    PLANT_DOUBLE_CHARGE,         /* a recovery that runs again charges again */
    PLANT_FATE_AFTER_WORD,       /* the word says how it ended before the fate says why */
    PLANT_RETURN_TO_THE_END,     /* what is returned forgets when it was submitted */
    /* the supervisor */
    PLANT_OVERWRITE_VERDICT,     /* a kill is stored, and not swapped: it takes back what was published meanwhile */
    PLANT_SKIP_DYING,            /* a kill dooms the host and leaves its worker the claim */
    PLANT_STALE_KILL,            /* a kill does not look at the generation */
    PLANT_STANDBY_COUNTED_TWICE, /* who took over still counts as standby */
    PLANT_REAP_BEFORE_RECOVERY,  /* the pid is given up while the berth still names it */
    PLANT_SETTLE_BEFORE_CLEANUP, /* a task has its verdict before what it left to be done is done */
    PLANT_CLEANUPS_OF_EARLIER,   /* what an earlier task of the worker left, and did not need, is done */
    PLANT_PIN_FORGOTTEN,         /* an arena is given out again while a result lies in it */
    /* maps */
    PLANT_MAP_NOT_NOTED,         /* an item is begun without a note of it */
    PLANT_MAP_ENDS_FIRST,        /* an item has its outcome before its function has returned */
    PLANT_MAP_STEALS_IN_HAND,    /* the item that another is at is taken from it */
    PLANT_MAP_FORGETS_HAND,      /* an item that was in hand is not settled, and begins again */
    PLANT_FEED_LEAVES_OPEN,      /* a runner ends and more can still be added to what it has */
    /* for storms */
    PLANT_CANCEL_BEGUN,          /* a task that was cut is told never started */
    PLANT_VERDICT_BEFORE_DEATH,  /* a kill has its verdict while the host still runs */
    PLANT_LOSE_RETURNED,         /* what a recovery made pending again is put where nobody looks */
    /* the lanes */
    PLANT_LANE_FORGOTTEN,        /* what is returned forgets its priority */
    PLANT_LANES_UNSEEN,          /* the last look before a sleep is at the normal lane only */
    /* in the owner */
    PLANT_NO_FENCE,              /* who goes to sleep makes no barrier in the owner */
    PLANT_NO_BARRIER,            /* a lock's favourite is not made to see that it is that no more */
    PLANT_NO_FENCE_FOR_SEARCHERS, /* who calls makes no barrier before it leaves that to who searches */
};

#ifdef MORTAL_TESTING
extern enum plant planted_bug;
#define PLANTED(bug) (planted_bug == (bug))
#else
#define PLANTED(bug) 0
#endif

#endif
