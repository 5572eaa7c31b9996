/*
 * recycle.c - a fresh host in the place of one that has served long enough
 *
 *   1. a standby is ready                      else one is made first
 *   2. it takes the position; the old host is LEAVING: none of its workers claims any more
 *   3. each worker, when it is between two tasks, says that it is at rest, and one of the new host's may claim instead
 *   4. when all are at rest the old host is ended
 *
 * So there is a ready host at every moment, never more tasks run at once than workers were asked for, and no task is cut.
 * That a worker is at rest only itself can say: it may have looked whether it may claim before it was told not to, and
 * claim long after. What it says is in memory that a task can overwrite, so it counts only while it holds no claim.
 */
#include "region/bell.h"
#include "supervisor/state.h"
#include "system/clock.h"

/* ORD(*) the other plain atomics here look at hints of when to do it. */

static bool is_due(const struct supervisor *s, const struct host_record *record, uint64_t now) {
    const struct pool_caps *caps = &s->heritage->caps;
    if (record->is_spent)
        return true;
    if (caps->recycle_tasks == 0 && caps->recycle_ns == 0)
        return false; /* without a look at the arena of each host */
    uint32_t served = atomic_load(&host_head(s->region, record->life)->served);
    return (caps->recycle_tasks != 0 && served > 1) ||
           (caps->recycle_ns != 0 && served != 0 && now - record->since_ns >= caps->recycle_ns);
}

static bool is_at_rest(const struct supervisor *s, const struct host_record *record, uint32_t worker) {
    const struct region *r = s->region;
    const struct desk *desk = desk_of(r, record->life, worker);
    /* ORD(recycle:seen) pairs ORD(worker:rests) */
    if (atomic_load_explicit(&desk->rested, memory_order_acquire) == 0)
        return false;
    uint32_t intent = atomic_load(&desk->intent);
    if (intent == 0 || intent > r->g.slots)
        return true;
    uint64_t word = atomic_load(claim_of(r, intent - 1));
    return !phase_is_running(word_phase(word)) || word_life(word) != record->life || word_worker(word) != worker;
}

uint32_t recycle_still_claimed(const struct supervisor *s, uint32_t position) {
    uint32_t claimed = 0;
    if (s->leaving_count == 0 || s->leaving[position] == 0)
        return 0;
    const struct host_record *record = &s->hosts[s->leaving[position] - 1];
    for (uint32_t worker = 0; worker < record->width; worker++)
        claimed += !is_at_rest(s, record, worker);
    return claimed;
}

void recycle_gone(struct supervisor *s, uint32_t berth) {
    for (uint32_t position = 0; s->leaving_count != 0 && position < s->region->g.hosts; position++) {
        if (s->leaving[position] != berth + 1)
            continue;
        s->leaving[position] = 0;
        s->leaving_count--;
        spawn_widen(s, position);
    }
}

static void let_go(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    struct berth *shared = berth_of(s->region, berth);
    uint32_t position = record->position;
    record->width = atomic_load(&shared->active);
    record->state = HOST_LEAVING;
    record->position = NO_POSITION;
    s->positions[position] = NO_POSITION;
    s->leaving[position] = berth + 1;
    s->leaving_count++;
    atomic_store(&shared->active, 0);
    /* ORD(recycle:rest) pairs ORD(worker:rest): who sees that it is to rest sees that it may not claim, now and from now
     * on. */
    atomic_store_explicit(&shared->resting, 1, memory_order_release);
    (void)spawn_take_over(s);
    bell_ring_berth(s->region, berth);
}

/* Those that hosts which leave still run in go on for as long as their tasks do, each beside the one that follows it: no
 * more of them than there are berths for. */
static bool may_let_go(const struct supervisor *s) {
    const struct geometry *g = &s->region->g;
    return s->leaving_count < (g->berths - g->hosts - g->standby) / 2 && !s->breaker_is_open && !s->quitting;
}

static bool has_standby(const struct supervisor *s) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_STANDBY)
            return true;
    return false;
}

/* All at rest: ended as asked. Its results stay, as after any death. */
static void end_rested(struct supervisor *s) {
    for (uint32_t position = 0; position < s->region->g.hosts; position++) {
        if (s->leaving[position] == 0 || s->hosts[s->leaving[position] - 1].state != HOST_LEAVING)
            continue;
        uint32_t berth = s->leaving[position] - 1;
        spawn_widen(s, position);
        if (recycle_still_claimed(s, position) != 0)
            continue;
        s->hosts[berth].is_excused = true;
        s->hosts[berth].asked_for = MORTAL_ASKED_RECYCLING;
        s->hosts[berth].asked_ns = clock_ns();
        atomic_fetch_add_explicit(&control_head(s->region)->recycled, 1, memory_order_relaxed);
        death_doom(s, berth);
    }
}

uint64_t recycle_check(struct supervisor *s, uint64_t now) {
    const struct pool_caps *caps = &s->heritage->caps;
    uint64_t next = NEVER;
    if (s->leaving_count != 0)
        end_rested(s);
    s->wants_heir = false;
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++) {
        struct host_record *record = &s->hosts[berth];
        if (record->state != HOST_ACTIVE || s->leaving[record->position] != 0)
            continue;
        if (!is_due(s, record, now)) {
            uint64_t due = caps->recycle_ns < NEVER - record->since_ns ? record->since_ns + caps->recycle_ns : NEVER;
            if (caps->recycle_ns != 0 && due < next && atomic_load(&host_head(s->region, record->life)->served) != 0)
                next = due;
        } else if (may_let_go(s)) {
            s->wants_heir = !has_standby(s);
            if (s->wants_heir)
                break;
            let_go(s, berth);
        }
    }
    if (s->wants_heir)
        spawn_fill(s);
    return next;
}
