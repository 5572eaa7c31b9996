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
    PLANT_PUBLISH_BEFORE_RESULT, /* the word says done before the cell is complete */
    PLANT_CLAIM_THEN_RECORD,     /* the claim is made before it is known by whom to look for it */
    PLANT_BEGUN_TOO_EARLY,       /* begun is stored before the doomed word is looked at again */
    PLANT_IGNORE_LOST_PUBLISH,   /* a worker whose publishing swap failed overwrites the word */
};

#ifdef MORTAL_TESTING
extern enum plant planted_bug;
#define PLANTED(bug) (planted_bug == (bug))
#else
#define PLANTED(bug) 0
#endif

#endif
