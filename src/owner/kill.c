/* kill.c - ending many tasks at once, and telling what became of each */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "owner/seat.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/why.h"

/* ORD(*) what is looked at here decides only whom to ask about; who is hit, the supervisor's swap decides. */

#define STRIKES_MOST 8
#define LOOK_AGAIN_NS 100000000ull

struct target {
    uint32_t slot;
    uint64_t life;
    uint32_t host; /* the life of the host that ran it */
    bool was_asked;
    int32_t outcome; /* 0: it has not ended */
};

struct hunt {
    struct hunt *next;   /* of those of other threads that are under way */
    struct pool *pool;
    struct group *group; /* null: all */
    int scope;
    bool each;           /* one request per task, not one for all */
    uint64_t before;     /* tickets below */
    bool decided;        /* the supervisor has decided: who is not dying now started later, or is spared */
    bool missed;         /* somebody in the scope runs although it was decided */
    struct target *targets; /* were running */
    size_t count, room;
    mortal_kill_report report;
};

static bool is_meant(const struct hunt *hunt, const struct entry *entry) {
    return entry->state == ENTRY_LIVE && entry->ticket < hunt->before &&
           (hunt->group == NULL || entry->group == hunt->group ||
            (entry->group != NULL && entry->group->parent == hunt->group));
}

static bool add_target(struct hunt *hunt, uint32_t slot, uint32_t host) {
    uint64_t life = hunt->pool->entries[slot].life;
    for (size_t i = 0; i < hunt->count; i++)
        if (hunt->targets[i].slot == slot && hunt->targets[i].life == life)
            return true;
    if (hunt->count == hunt->room) {
        size_t room = hunt->room == 0 ? 16 : hunt->room * 2;
        struct target *more = realloc(hunt->targets, room * sizeof *more);
        if (more == NULL)
            return false;
        hunt->targets = more;
        hunt->room = room;
    }
    hunt->targets[hunt->count++] = (struct target){.slot = slot, .life = life, .host = host};
    return true;
}

/* It ran when it was looked at first, waits again, and was cancelled now: counted once. */
static void drop_target(struct hunt *hunt, uint32_t slot, uint64_t life) {
    for (size_t i = 0; i < hunt->count; i++)
        if (hunt->targets[i].slot == slot && hunt->targets[i].life == life)
            hunt->targets[i] = hunt->targets[--hunt->count];
}

static bool scan_slot(struct hunt *hunt, uint32_t slot) {
    struct pool *pool = hunt->pool;
    for (;;) {
        if (ledger_harvest(pool, slot))
            return true; /* it had ended before this kill began to look */
        uint64_t word = atomic_load(claim_of(pool->region, slot));
        enum slot_phase phase = word_phase(word);
        if (phase == SLOT_PENDING) {
            if ((hunt->scope & MORTAL_PENDING) == 0)
                return true;
            uint64_t life = pool->entries[slot].life;
            if (!future_try_cancel(pool, slot))
                continue;
            drop_target(hunt, slot, life);
            hunt->report.never_started++;
            group_ring(pool, slot);
            return true;
        }
        if (phase == SLOT_RUNNING && hunt->decided) {
            hunt->missed = true;
            return true;
        }
        if (phase_is_running(phase))
            return (hunt->scope & MORTAL_RUNNING) == 0 || add_target(hunt, slot, word_life(word));
    }
}

static bool scan(struct hunt *hunt) {
    struct pool *pool = hunt->pool;
    if (hunt->group != NULL && !mapping_is_below(pool, hunt->group)) {
        for (uint32_t slot = hunt->group->first; slot != NO_SLOT;) {
            uint32_t next = pool->entries[slot].next;
            if (is_meant(hunt, &pool->entries[slot]) && !scan_slot(hunt, slot))
                return false;
            slot = next;
        }
        return true;
    }
    for (uint32_t slot = 0; slot < pool->slots_used; slot++)
        if (is_meant(hunt, &pool->entries[slot]) && !scan_slot(hunt, slot))
            return false;
    return true;
}

/* Another thread may take the verdict and release it before this one looks. */
void kill_note(struct pool *pool, uint32_t slot, int outcome) {
    for (struct hunt *hunt = pool->hunts; hunt != NULL; hunt = hunt->next)
        for (size_t i = 0; i < hunt->count; i++)
            if (hunt->targets[i].slot == slot && hunt->targets[i].life == pool->entries[slot].life)
                hunt->targets[i].outcome = outcome;
}

static bool has_ended(const struct hunt *hunt, const struct target *target) {
    return hunt->pool->entries[target->slot].life != target->life || ledger_harvest(hunt->pool, target->slot);
}

static uint64_t word_of(const struct hunt *hunt, const struct target *target) {
    return atomic_load(claim_of(hunt->pool->region, target->slot));
}

/* One that was claimed but not begun when its host was ended does not: it waits again, or has started elsewhere since. */
static bool runs_where_it_ran(const struct target *target, uint64_t word) {
    return phase_is_running(word_phase(word)) && word_life(word) == target->host;
}

static bool is_to_be_struck(const struct hunt *hunt, const struct target *target) {
    uint64_t word = word_of(hunt, target);
    return !has_ended(hunt, target) && word_phase(word) == SLOT_RUNNING &&
           ((hunt->scope & MORTAL_PENDING) != 0 || runs_where_it_ran(target, word));
}

/* Where only what runs is meant, one that was claimed and has not begun waits again. */
static uint64_t strike_one(const struct hunt *hunt, const struct target *target) {
    return request_send(hunt->pool, REQUEST_KILL_TASK, target->slot, (uint32_t)target->life,
                        hunt->scope == MORTAL_RUNNING, 0);
}

/* Until all have ended or time is over; -EINTR and -ESHUTDOWN as everywhere. One that went back to the queue is waited for
 * only if waiting ones are meant too, and then it is struck again: it may have started elsewhere and never end. */
static int await_targets(struct hunt *hunt, uint64_t deadline_ns) {
    for (size_t i = 0; i < hunt->count;) {
        const struct target *target = &hunt->targets[i];
        uint64_t soon = clock_after(LOOK_AGAIN_NS);
        int error = watch_task(hunt->pool, target->slot, target->life, soon < deadline_ns ? soon : deadline_ns,
                               WATCH_END_OR_BREAKER);
        /* -EHOSTDOWN: that one is pending again, and will not start now */
        if (error != 0 && error != -ETIMEDOUT && error != -EHOSTDOWN)
            return error;
        bool is_meant_still = (hunt->scope & MORTAL_PENDING) != 0 || runs_where_it_ran(target, word_of(hunt, target));
        if (error != -ETIMEDOUT || clock_ns() >= deadline_ns || !is_meant_still)
            i++;
        else if (hunt->decided && watch_supervisor(hunt->pool))
            (void)strike_one(hunt, target);
    }
    return 0;
}

static int ask(struct hunt *hunt, uint64_t grace_ns) {
    if (grace_ns == 0 || hunt->count == 0)
        return 0;
    for (size_t i = 0; i < hunt->count; i++) {
        if (has_ended(hunt, &hunt->targets[i]))
            continue;
        hunt->targets[i].was_asked = true;
        ask_to_stop(hunt->pool, hunt->targets[i].slot);
    }
    int error = await_targets(hunt, clock_after(grace_ns));
    for (size_t i = 0; error != 0 && i < hunt->count; i++)
        if (hunt->targets[i].was_asked)
            ask_give_up(hunt->pool, hunt->targets[i].slot, hunt->targets[i].life);
    return error;
}

static int await_decision(struct pool *pool, uint64_t number, uint64_t deadline_ns) {
    struct control_head *control = control_head(pool->region);
    for (;;) {
        /* ORD(request:awaited) pairs ORD(request:decided) */
        uint32_t handled = atomic_load(&control->requests_handled);
        if ((int32_t)(handled - (uint32_t)number) >= 0 || pool->broken)
            return 0;
        struct waiting on = {.word = &control->requests_handled, .value = handled, .deadline_ns = deadline_ns};
        int error = watch_sleep(pool, &on);
        if (error != 0)
            return error;
    }
}

/* One request for the whole pool, so that tasks which start while it travels are met too. One per task for a group, and
 * where there was a grace: what started during it was not asked, and is not meant. */
static int strike(struct hunt *hunt, uint64_t deadline_ns) {
    struct pool *pool = hunt->pool;
    uint64_t number = 0;
    if (!hunt->each) {
        number = request_send(pool, REQUEST_KILL_RUNNING, 0, 0, hunt->scope == MORTAL_RUNNING, hunt->before);
    } else {
        for (size_t i = 0; i < hunt->count; i++)
            if (is_to_be_struck(hunt, &hunt->targets[i]))
                number = strike_one(hunt, &hunt->targets[i]);
    }
    return number == 0 ? 0 : await_decision(pool, number, deadline_ns);
}

static void count_up(struct hunt *hunt) {
    for (size_t i = 0; i < hunt->count; i++) {
        if (!has_ended(hunt, &hunt->targets[i])) {
            hunt->report.still_dying += runs_where_it_ran(&hunt->targets[i], word_of(hunt, &hunt->targets[i]));
            continue; /* else it went back: claimed but not begun, it was not running after all */
        }
        int outcome = hunt->targets[i].outcome;
        if (outcome == MORTAL_KILLED)
            hunt->report.killed++;
        else if (outcome == MORTAL_CANCELLED)
            hunt->report.never_started++;
        else
            hunt->report.finished_first++;
    }
}

static int hunt_down(struct hunt *hunt, uint64_t grace_ns, uint64_t timeout_ns) {
    if (!scan(hunt))
        return -ENOMEM;
    int error = ask(hunt, grace_ns);
    if (error != 0 || (hunt->scope & MORTAL_RUNNING) == 0 || !watch_supervisor(hunt->pool))
        return error;
    uint64_t deadline = clock_after(timeout_ns);
    /* A task that was claimed by a dying host goes back to the queue and may have started elsewhere since: if waiting ones
     * are meant too, it is struck again. */
    for (int strikes = 0; strikes < STRIKES_MOST; strikes++) {
        error = strike(hunt, deadline);
        if (error != 0)
            return error == -ETIMEDOUT ? 0 : error;
        hunt->decided = true;
        hunt->missed = false;
        if (!scan(hunt))
            return -ENOMEM;
        if (!hunt->missed || (hunt->scope & MORTAL_PENDING) == 0 || clock_ns() >= deadline)
            break;
    }
    /* The supervisor found its victims by what their desks say, and a task may have overwritten that: those it missed are
     * struck one by one, by what their claim words say. */
    hunt->each = true;
    error = strike(hunt, deadline);
    if (error != 0 && error != -ETIMEDOUT)
        return error;
    error = await_targets(hunt, deadline);
    if (error == 0 && hunt->count != 0)
        error = trees_await(hunt->pool, deadline);
    hunt->report.trees_left = error == -ETIMEDOUT;
    return error == -ETIMEDOUT ? 0 : error;
}

int kill_all(struct pool *pool, struct group *group, int scope, uint64_t grace_ns, uint64_t timeout_ns,
             mortal_kill_report *report) {
    struct hunt hunt = {.pool = pool, .group = group, .scope = scope,
                        .each = group != NULL || (grace_ns != 0 && scope == MORTAL_RUNNING),
                        .before = atomic_load(&orders_head(pool->region)->tickets)};
    if ((scope & MORTAL_PENDING) != 0)
        mapping_cancel(pool, group);
    uint64_t began = clock_ns();
    uint64_t deaths = atomic_load(&control_head(pool->region)->kills);
    hunt.next = pool->hunts;
    /* cppcheck-suppress autoVariables ; taken out of the list below, before this returns */
    pool->hunts = &hunt;
    int error = hunt_down(&hunt, grace_ns, timeout_ns);
    if (error != -ESHUTDOWN)
        count_up(&hunt);
    struct hunt **at = &pool->hunts;
    while (*at != &hunt)
        at = &(*at)->next;
    *at = hunt.next;
    free(hunt.targets);
    hunt.report.hosts = (uint32_t)(atomic_load(&control_head(pool->region)->kills) - deaths);
    hunt.report.took_ns = clock_ns() - began;
    if (report != NULL)
        *report = hunt.report;
    if (error == 0 && pool->broken)
        return -EOWNERDEAD;
    return error == 0 && (hunt.report.still_dying != 0 || hunt.report.trees_left != 0) ? -EINPROGRESS : error;
}

int kill_explain(int error, const char *call, const mortal_kill_report *report) {
    switch (error) {
    case -EINPROGRESS:
        if (report->still_dying == 0)
            return why(error, "%s: the tasks have ended, and processes that they had started were not all gone when the "
                              "time-out was over; they end when the kernel has ended them", call);
        return why(error, "%s: %u tasks were not certainly dead when the time-out was over; they end when the kernel has "
                          "ended their hosts, and what they left to be done is over", call, report->still_dying);
    case -EOWNERDEAD:
        return why(error, "%s: the supervisor of this pool died, and what had not ended is lost: close the pool", call);
    case -EINTR:
        return why(error, "%s: a signal handler ran; if that was during the grace the tasks were only asked: call again", call);
    case -ESHUTDOWN:
        return why(error, "%s: another thread is closing the pool", call);
    case -ENOMEM:
        return why(error, "%s: no memory for the list of running tasks", call);
    default:
        return error;
    }
}

int kill_check_scope(int scope, const char *call) {
    if (scope >= MORTAL_PENDING && scope <= MORTAL_UNENDED)
        return 0;
    return why(-EINVAL, "%s: scope is %d: it must be MORTAL_PENDING, MORTAL_RUNNING or MORTAL_UNENDED", call, scope);
}

int mortal_pool_kill(mortal_pool *handle, int scope, uint64_t grace_ns, uint64_t timeout_ns,
                     mortal_kill_report *report) {
    struct pool *pool;
    mortal_kill_report done = {0};
    int error = kill_check_scope(scope, "mortal_pool_kill");
    if (error == 0)
        error = seat_enter(handle, "mortal_pool_kill", &pool);
    if (error != 0)
        return error;
    error = kill_all(pool, NULL, scope, grace_ns, timeout_ns, &done);
    seat_unlock(pool);
    if (report != NULL)
        *report = done;
    return kill_explain(error, "mortal_pool_kill", &done);
}

int mortal_group_kill(mortal_group *handle, int scope, uint64_t grace_ns, uint64_t timeout_ns,
                      mortal_kill_report *report) {
    struct pool *pool;
    struct group *group;
    mortal_kill_report done = {0};
    int error = kill_check_scope(scope, "mortal_group_kill");
    if (error == 0)
        error = seat_enter_group(handle, "mortal_group_kill", &pool, &group);
    if (error != 0)
        return error;
    group->sleepers++; /* it must not be freed while this waits */
    error = kill_all(pool, group, scope, grace_ns, timeout_ns, &done);
    group_unpin(group);
    seat_unlock(pool);
    if (report != NULL)
        *report = done;
    return kill_explain(error, "mortal_group_kill", &done);
}

static void raise_to(_Atomic uint64_t *mark, uint64_t value) {
    uint64_t seen = atomic_load(mark);
    while (seen < value && !atomic_compare_exchange_weak(mark, &seen, value)) {
    }
}

/* Some stores and a write: all that a signal handler may do. */
void mortal_pool_kill_now(mortal_pool *handle, int scope) {
    struct pool *pool = seat_peek(handle);
    if (pool == NULL || scope < MORTAL_PENDING || scope > MORTAL_UNENDED)
        return;
    struct control_head *control = control_head(pool->region);
    uint64_t before = atomic_load(&orders_head(pool->region)->tickets), nobody = 0;
    if ((scope & MORTAL_PENDING) != 0) {
        raise_to(&control->now_pending, before);
        atomic_fetch_add(&control->now_kills, 1);
    }
    if ((scope & MORTAL_RUNNING) != 0) {
        (void)atomic_compare_exchange_strong(&control->now_asked_ns, &nobody, clock_ns());
        if (scope == MORTAL_UNENDED)
            raise_to(&control->now_unended, before);
        raise_to(&control->now_running, before);
    }
    watch_ring_supervisor(pool);
}
