/*
 * batch.c - many tasks by one call
 *
 * What each submit does for itself is done once for a stretch of them: the lock, the look whether the pool is in order,
 * the new tail of the queue with its barrier, the look for sleepers. A stretch is short, since until its end others
 * wait for the lock, and workers see nothing of it.
 */
#include <errno.h>
#include <string.h>

#include "owner/seat.h"
#include "owner/usual.h"
#include "system/why.h"

#define STRETCH 32u

static inline bool is_usual(const struct pool *pool, const mortal_job *job, uint64_t tail) {
    return usual_fits(job->function, job->input, job->input_bytes) &&
           usual_has_code(pool, (uintptr_t)job->function) && usual_has_room(pool, tail);
}

/* As many from the first on as are usual. */
static size_t submit_usual(struct pool *pool, const mortal_job *jobs, size_t count, mortal_future *futures) {
    const struct region *r = pool->region;
    uint64_t tail = atomic_load_explicit(&orders_head(r)->tail, memory_order_relaxed);
    size_t done = 0;
    if (!usual_may_submit(pool))
        return 0;
    for (; done < count && is_usual(pool, &jobs[done], tail); done++, tail++) {
        const mortal_job *job = &jobs[done];
        if (!usual_make(pool, tail, (uintptr_t)job->function, job->input, job->input_bytes, job->tag, &futures[done]))
            break;
    }
    if (done == 0)
        return 0;
    queue_show(r, LANE_NORMAL, tail);
    usual_wake(pool);
    return done;
}

/* The first of them are usual, or none is. */
static int submit_some(mortal_pool *handle, const mortal_job *jobs, size_t count, const mortal_task_options *options,
                       mortal_future *futures, size_t *submitted) {
    if (options == NULL && futures != NULL) {
        struct pool *pool;
        int error = seat_enter(handle, "mortal_pool_submit_many", &pool);
        if (error != 0)
            return error;
        *submitted = submit_usual(pool, jobs, count, futures);
        seat_unlock(pool);
        if (*submitted != 0)
            return 0;
        count = 1; /* what comes behind it may be usual again */
    }
    return submit_stretch(handle, jobs, count, options, futures, submitted);
}

static int explain(int error, size_t submitted, size_t count) {
    char reason[320];
    strncpy(reason, why_reason(), sizeof reason - 1);
    reason[sizeof reason - 1] = 0;
    return why(error, "mortal_pool_submit_many: %zu of %zu were submitted, then: %s", submitted, count, reason);
}

int mortal_pool_submit_many(mortal_pool *handle, const mortal_job *jobs, size_t count,
                            const mortal_task_options *options, mortal_future *futures, size_t *submitted) {
    size_t done = 0;
    int error = 0;
    if (submitted != NULL)
        *submitted = 0;
    if (jobs == NULL && count != 0)
        return why(-EINVAL, "mortal_pool_submit_many: jobs is null and their count %zu", count);
    if (count == 0)
        error = submit_stretch(handle, NULL, 0, options, NULL, &done);
    while (error == 0 && done < count) {
        size_t left = count - done, more = 0;
        error = submit_some(handle, jobs + done, left < STRETCH ? left : STRETCH, options,
                            futures != NULL ? futures + done : NULL, &more);
        done += more;
    }
    if (submitted != NULL)
        *submitted = done;
    return error == 0 ? 0 : explain(error, done, count);
}
