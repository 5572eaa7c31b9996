/*
 * group_parts.c - a group that tells also of parts that some of its tasks give before they end
 *
 * Only of those that it was asked to tell of, the tellers: their hosts ring for the group with each part as they do with an
 * end, and whoever looks for parts asks each of these tasks, in turn. Nothing enters the logs of completions.
 */
#include <errno.h>
#include <stdlib.h>

#include "owner/seat.h"
#include "region/word.h"
#include "system/clock.h"
#include "system/why.h"

#define LOOKS_APART 16 /* a look at all of them costs more than a turn */

/* ORD(*) bells that are slept on, and words that tell whether a task waits: hints. */

bool group_has_parts(struct pool *pool, const struct group *group) {
    for (uint32_t i = 0; i < group->teller_count; i++)
        if (stream_is_there(pool, group->tellers[i]))
            return true;
    return false;
}

/* A part, or an end after which there will be none. */
static bool has_news(struct pool *pool, const struct group *group) {
    for (uint32_t i = 0; i < group->teller_count; i++)
        if (ledger_harvest(pool, group->tellers[i]) || stream_is_there(pool, group->tellers[i]))
            return true;
    return group->teller_count == 0;
}

void group_forget_parts(struct pool *pool, uint32_t slot) {
    const struct entry *entry = &pool->entries[slot];
    struct group *group = entry->group;
    if (entry->stream == NULL || *stream_place(entry) == 0)
        return;
    uint32_t place = *stream_place(entry), last = group->tellers[--group->teller_count];
    group->tellers[place - 1] = last;
    *stream_place(&pool->entries[last]) = place;
    *stream_place(entry) = 0;
}

static bool add_teller(struct group *group, struct entry *entry, uint32_t slot) {
    if (group->teller_count == group->teller_room) {
        uint32_t room = group->teller_room == 0 ? 16 : group->teller_room * 2;
        uint32_t *more = realloc(group->tellers, room * sizeof *more);
        if (more == NULL)
            return false;
        group->tellers = more;
        group->teller_room = room;
    }
    group->tellers[group->teller_count++] = slot;
    *stream_place(entry) = group->teller_count;
    return true;
}

static int stream_locked(struct pool *pool, mortal_group *handle, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    struct group *group = entry->group;
    if (group == NULL || handle != seat_group_handle(pool, group->number))
        return why(-EINVAL, "mortal_group_stream: this future is not one of that group: name the group in the task's options");
    if (!stream_make(entry) || (*stream_place(entry) == 0 && !add_teller(group, entry, slot)))
        return why(-ENOMEM, "mortal_group_stream: no memory");
    /* ORD(stream:group) pairs ORD(stream:watched): told before the look what is there, and before a waiter's next one. */
    atomic_fetch_or(&order_of(pool->region, slot)->watched, WATCHED_GROUP);
    group_settle(pool, group);
    return 0;
}

int mortal_group_stream(mortal_group *handle, mortal_future future) {
    struct pool *pool;
    uint32_t slot;
    int saved = errno;
    int error = seat_enter_future(future, "mortal_group_stream", &pool, &slot);
    if (error != 0)
        return error;
    error = stream_locked(pool, handle, slot);
    seat_unlock(pool);
    errno = saved;
    return error;
}

/* From one to the next, so that none has to wait for another's parts to end. -ENODATA: none now; -ENOENT: none any more. */
static int take_any(struct pool *pool, struct group *group, mortal_part *part) {
    for (uint32_t left = group->teller_count; left != 0; left--) {
        if (group->teller_next >= group->teller_count)
            group->teller_next = 0;
        uint32_t slot = group->tellers[group->teller_next];
        bool ended = ledger_harvest(pool, slot); /* before the look: what comes in between is found the next time */
        int error = stream_take(pool, slot, part);
        if (error == -ENODATA && ended) {
            group_forget_parts(pool, slot); /* another one has its place now */
            continue;
        }
        group->teller_next++;
        if (error != -ENODATA)
            return error;
    }
    return group->teller_count == 0 ? -ENOENT : -ENODATA;
}

static bool any_runs(const struct pool *pool, const struct group *group) {
    for (uint32_t i = 0; i < group->teller_count; i++)
        if (word_phase(atomic_load(claim_of(pool->region, group->tellers[i]))) != SLOT_PENDING)
            return true;
    return false;
}

static void spin_for_parts(struct pool *pool, const struct group *group) {
    struct spin spin = {.limit_us = pool->spin_us};
    while (spin_turn(&spin))
        if (spin.turn % LOOKS_APART == 0 && has_news(pool, group))
            return;
}

static int next_part(struct pool *pool, struct group *group, uint64_t deadline_ns, mortal_part *part) {
    bool is_late = deadline_ns == 0, has_spun = false;
    for (;;) {
        int error = take_any(pool, group, part);
        group_settle(pool, group);
        if (error != -ENODATA)
            return error;
        if (!watch_supervisor(pool)) /* what was unended is lost now, and what it gave before is there */
            continue;
        if (breaker_is_open(pool->region) && !any_runs(pool, group))
            return -EHOSTDOWN;
        if (is_late)
            return -ETIMEDOUT;
        if (!has_spun) {
            spin_for_parts(pool, group);
            has_spun = true;
            continue;
        }
        error = group_sleep(pool, group, deadline_ns, has_news);
        if (error == -ETIMEDOUT)
            is_late = true; /* one last look */
        else if (error != 0)
            return error;
    }
}

int mortal_group_next_part(mortal_group *handle, uint64_t timeout_ns, mortal_part *part) {
    struct pool *pool;
    struct group *group;
    int saved = errno;
    if (part == NULL)
        return why(-EINVAL, "mortal_group_next_part: part is null");
    int error = seat_enter_group(handle, "mortal_group_next_part", &pool, &group);
    if (error != 0)
        return error;
    error = next_part(pool, group, timeout_ns == 0 ? 0 : clock_after(timeout_ns), part);
    if (error == -ENOENT)
        error = why(error, "mortal_group_next_part: all of which this group is to tell parts have ended, and all was taken");
    else if (error != 0)
        error = stream_refuse(pool, "mortal_group_next_part", error);
    seat_unlock(pool);
    errno = saved;
    return error;
}
