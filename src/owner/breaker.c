/* breaker.c - the circuit breaker as the owner sees it: why it is open, and how it is closed */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "owner/seat.h"
#include "system/why.h"

/* ORD(*) what was mended is told by a word and then a write to the supervisor's bell, which the kernel orders. */

static void describe_end(int how, int value, char *text, size_t bytes) {
    const char *name = how == MORTAL_CAUSE_SIGNAL ? sigabbrev_np(value) : NULL;
    if (name != NULL)
        (void)snprintf(text, bytes, "by SIG%s", name);
    else if (how == MORTAL_CAUSE_SIGNAL)
        (void)snprintf(text, bytes, "by signal %d", value);
    else if (how == MORTAL_CAUSE_EXIT)
        (void)snprintf(text, bytes, "by exit, code %d", value);
    else
        (void)snprintf(text, bytes, how == MORTAL_CAUSE_EXEC ? "by exec" : "since a thread of it was ended");
}

static void describe_start(const char *what, int detail, int value, char *text, size_t bytes) {
    if (detail == DETAIL_TIMED_OUT)
        (void)snprintf(text, bytes, "since %s did not end within start_ns", what);
    else if (detail == DETAIL_CRASHED)
        (void)snprintf(text, bytes, "since %s ended its process (status or signal %d)", what, value);
    else if (detail == DETAIL_THREADS)
        (void)snprintf(text, bytes, "since %s left %d threads", what, value);
    else
        (void)snprintf(text, bytes, "since %s failed: it returned a status other than 0", what);
}

static void describe_period(uint64_t period_ns, char *text, size_t bytes) {
    if (period_ns == MORTAL_FOREVER)
        *text = '\0';
    else
        (void)snprintf(text, bytes, " within %g s", (double)period_ns / 1e9);
}

int breaker_refuse(struct pool *pool, const char *call) {
    const struct control_head *control = control_head(pool->region);
    int how = atomic_load_explicit(&control->breaker_how, memory_order_relaxed);
    int value = atomic_load_explicit(&control->breaker_value, memory_order_relaxed);
    int stage = atomic_load_explicit(&control->breaker_stage, memory_order_relaxed);
    char last[120], period[40];
    if (stage == STAGE_NONE)
        describe_end(how, value, last, sizeof last);
    else
        describe_start(stage == STAGE_PRELOAD ? "preload" : "init", how, value, last, sizeof last);
    describe_period(pool->heritage.deaths_period_ns, period, sizeof period);
    return why(-EHOSTDOWN, "%s: the circuit breaker is open and nothing starts: more than %u hosts ended unasked%s, the "
                           "last one %s: end the cause and call mortal_pool_mend, or close the pool",
               call, pool->heritage.deaths, period, last);
}

int mortal_pool_mend(mortal_pool *handle) {
    struct pool *pool;
    int error = seat_enter(handle, "mortal_pool_mend", &pool);
    if (error != 0)
        return error;
    struct control_head *control = control_head(pool->region);
    if (!watch_supervisor(pool)) {
        error = why(-EOWNERDEAD, "mortal_pool_mend: the supervisor of this pool died: close the pool and open another");
    } else if (breaker_is_open(pool->region)) {
        atomic_store(&control->breaker_mended, atomic_load(&control->breaker_opened));
        watch_ring_supervisor(pool);
    }
    seat_unlock(pool);
    return error;
}
