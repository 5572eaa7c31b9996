/*
 * breaker.c - hosts that keep dying: when nothing more is started, until somebody mended what is wrong
 *
 * Counted is every end of a host that nobody asked for. What was counted, and whether the breaker is open, is in
 * memory that only the supervisor can write; it tells by the number of openings, and is told by the opening that was
 * mended.
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "supervisor/state.h"
#include "system/futex.h"

/* ORD(*) what was mended is read after the owner's write to the bell. */

int breaker_open_tables(struct supervisor *s) {
    s->deaths_borne = s->heritage->deaths;
    s->deaths_period_ns = s->heritage->deaths_period_ns;
    if (s->deaths_period_ns == 0 || s->deaths_borne == 0)
        return 0;
    s->death_times = calloc(s->deaths_borne, sizeof *s->death_times);
    return s->death_times != NULL ? 0 : -1;
}

/* The times of the last so many deaths are in a ring: if the oldest of them is within the period, this is one too
 * many. */
static bool is_one_too_many(struct supervisor *s, uint64_t at_ns) {
    if (s->deaths_borne == 0)
        return true;
    uint64_t *oldest = &s->death_times[s->deaths_counted % s->deaths_borne];
    bool is_full = s->deaths_counted >= s->deaths_borne;
    bool too_many = is_full && at_ns - *oldest < s->deaths_period_ns;
    *oldest = at_ns;
    s->deaths_counted++;
    return too_many;
}

void breaker_count(struct supervisor *s, uint64_t at_ns, enum start_stage stage, int how, int value) {
    if (s->deaths_period_ns == 0 || s->breaker_is_open || !is_one_too_many(s, at_ns))
        return;
    struct control_head *control = control_head(s->region);
    atomic_store_explicit(&control->breaker_stage, (int32_t)stage, memory_order_relaxed);
    atomic_store_explicit(&control->breaker_how, how, memory_order_relaxed);
    atomic_store_explicit(&control->breaker_value, value, memory_order_relaxed);
    s->breaker_is_open = true;
    spawn_hold(s);
    /* ORD(breaker:open) pairs ORD(breaker:look): who sees it open can tell why; and before any verdict of this
     * death. */
    atomic_store_explicit(&control->breaker_opened, ++s->breaker_openings, memory_order_seq_cst);
}

void breaker_tell(struct supervisor *s) {
    if (!s->breaker_is_open)
        return;
    /* Whoever sleeps in the owner sleeps on this word too. One that is just going to sleep looks around by itself. */
    futex_wake(&control_head(s->region)->supervisor_lives, INT_MAX);
    groupfd_ring_all(s);
}

void breaker_heed(struct supervisor *s) {
    if (!s->breaker_is_open || atomic_load(&control_head(s->region)->breaker_mended) != s->breaker_openings)
        return;
    s->breaker_is_open = false;
    s->deaths_counted = 0;
    spawn_forgive(s);
    spawn_resume(s);
}
