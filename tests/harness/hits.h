/*
 * In which state of its task each kill decided. A test whose kills always come too early, or too late, shows nothing: it
 * tells its counts, and fails if a state that it is meant to hit was never hit.
 *
 * Only the public face is asked, and what the task itself wrote outside of the pool: a task that was seen running just
 * before the kill and ends cancelled had been claimed, but its function had not begun.
 */
#ifndef HITS_H
#define HITS_H

#include "harness.h"

#include <stdio.h>

enum hit {
    HIT_PENDING,     /* nobody had claimed it */
    HIT_CLAIMED,     /* a worker had, but it had not begun */
    HIT_RUNNING,     /* in the middle of its function */
    HIT_RETURNED,    /* behind the last line of its function, and not published: as if it had been in the middle */
    HIT_FINISHED,    /* it had not ended when it was looked at, and was faster than the kill */
    HIT_ENDED,       /* it had its verdict before the kill was asked for */
    HIT_STATES
};

struct hits {
    uint32_t of[HIT_STATES];
};

/* phase_before: mortal_look.phase just before the kill. had_returned: the task said that it came to its last line. */
static inline enum hit hit_of(int phase_before, int outcome, bool had_returned)
{
    if (phase_before == MORTAL_ENDED)
        return HIT_ENDED;
    if (outcome == MORTAL_CANCELLED)
        return phase_before == MORTAL_PENDING ? HIT_PENDING : HIT_CLAIMED;
    if (outcome == MORTAL_KILLED)
        return had_returned ? HIT_RETURNED : HIT_RUNNING;
    return HIT_FINISHED;
}

static inline void hits_add(struct hits *to, const struct hits *more)
{
    for (int i = 0; i < HIT_STATES; i++)
        to->of[i] += more->of[i];
}

static inline bool hits_cover(const struct hits *hits, unsigned meant)
{
    for (int i = 0; i < HIT_STATES; i++)
        if ((meant & 1u << i) != 0 && hits->of[i] == 0)
            return false;
    return true;
}

/* meant: 1u << HIT_..., one bit for each state that must have been hit. */
static inline void hits_check(const char *what, const struct hits *hits, unsigned meant)
{
    static const char *const names[HIT_STATES] = {
        "pending", "claimed, not begun", "running", "returned, not published", "finished first", "ended before",
    };
    char line[256];
    int used = 0;
    for (int i = 0; i < HIT_STATES; i++)
        if (hits->of[i] != 0 || (meant & 1u << i) != 0)
            used += snprintf(line + used, sizeof line - (size_t)used, "%s%u %s", used ? ", " : "", hits->of[i], names[i]);
    harness_note("%s by state: %s", what, used ? line : "none");
    for (int i = 0; i < HIT_STATES; i++)
        if ((meant & 1u << i) != 0 && hits->of[i] == 0)
            harness_fail(__FILE__, __LINE__, "%s: none hit a task that was %s", what, names[i]);
}

#endif
