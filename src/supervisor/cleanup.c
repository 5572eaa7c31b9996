/*
 * cleanup.c - what tasks that were cut left to be done, done in fresh hosts
 *
 * A clean-up lies in the arena of the host that died. Its task's claim word stays as that host left it until all its
 * clean-ups are over, so that nobody has a verdict before, and no next attempt begins. Only the task waits: its worker's
 * position is taken over at once. A clean-up is never run twice, and has a limit in time of its own; what of it went
 * wrong is told in the verdict, and the next one runs all the same.
 *
 * They run in standbys that were never active, a few at a time, so nothing that the library or a task holds is at stake
 * if one crashes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "region/bell.h"
#include "region/plant.h"
#include "supervisor/state.h"
#include "system/clock.h"

/* ORD(*) the plain atomics here look at words and arenas of hosts that are certainly dead, or count for people. */

int cleanup_open(struct supervisor *s) {
    const struct geometry *g = &s->region->g;
    /* A host of each berth may die, and all its tasks leave something, while as many wait: see cleanup_is_behind(). */
    s->unclean_room = 2 * g->berths * g->workers_per_host;
    s->uncleans = calloc(s->unclean_room, sizeof *s->uncleans);
    return s->uncleans != NULL ? 0 : -ENOMEM;
}

bool cleanup_takes(struct supervisor *s, const struct host_record *record, uint32_t worker, const struct death *death) {
    const struct region *r = s->region;
    const struct desk *desk = desk_of(r, record->life, worker);
    const struct cleanups *left = cleanups_of(r, record->life, worker);
    if (s->unclean_count == s->unclean_room || !arena_is_its_own(s, record))
        return false;
    uint32_t count = atomic_load(&left->count), intent = atomic_load(&desk->intent);
    if (count == 0 || count > CLEANUPS || intent == 0 || intent > r->g.slots)
        return false;
    uint64_t word = atomic_load(claim_of(r, intent - 1));
    if (!phase_is_running(word_phase(word)) || word_life(word) != record->life || word_worker(word) != worker)
        return false;
    word = word_with_phase(word, SLOT_RUNNING);
    bool is_its = atomic_load(&left->word) == word && atomic_load(&left->slot) == intent - 1;
    if (!is_its && !PLANTED(PLANT_CLEANUPS_OF_EARLIER))
        return false; /* an earlier task's; this one had begun, whatever else is said of it */
    s->uncleans[s->unclean_count++] = (struct unclean){
        .slot = intent - 1, .life = record->life, .worker = worker, .word = word, .death = *death,
        .sentence = record->watches[worker].sentence,
        .left = count, .berth = NO_POSITION, .since_ns = clock_ns()};
    s->has_cleaned = true;
    return true;
}

bool cleanup_needs_life(const struct supervisor *s, uint32_t life) {
    for (uint32_t i = 0; i < s->unclean_count; i++)
        if (s->uncleans[i].life == life)
            return true;
    return false;
}

enum sentence *cleanup_sentence(const struct supervisor *s, uint32_t slot, uint64_t word) {
    for (uint32_t i = 0; i < s->unclean_count; i++)
        if (s->uncleans[i].slot == slot && s->uncleans[i].word == word_with_phase(word, SLOT_RUNNING))
            return &s->uncleans[i].sentence;
    return NULL;
}

uint32_t cleanup_hosts_wanted(const struct supervisor *s) {
    return s->unclean_count < CLEANERS ? s->unclean_count : CLEANERS;
}

/* Each task that waits for its clean-ups keeps an arena, and has a place in the table. Both must be left for all that
 * run, and arenas for who cleans up. */
bool cleanup_is_behind(const struct supervisor *s) {
    const struct geometry *g = &s->region->g;
    uint32_t most = s->unclean_room / 2, in_use = 2 * g->berths + CLEANERS;
    uint32_t lives = g->lives > in_use ? g->lives - in_use : 0;
    return s->unclean_count > (most < lives ? most : lives);
}

static void note(struct supervisor *s, struct unclean *task, int32_t how, uint64_t now) {
    if (how > task->worst)
        task->worst = how;
    task->left--;
    task->berth = NO_POSITION;
    task->is_late = false;
    task->since_ns = s->cleaned_at_ns = now;
}

/* ORD(errand:seen) pairs ORD(errand:done): all that it did is there. */
static bool has_returned(const struct supervisor *s, const struct unclean *task, int32_t *how) {
    const struct host_record *record = &s->hosts[task->berth];
    uint64_t done = arena_is_its_own(s, record)
                        ? atomic_load_explicit(&desk_of(s->region, record->life, 0)->errand, memory_order_acquire)
                        : 0;
    *how = (uint32_t)done == 0 ? MORTAL_CLEANUP_DONE : MORTAL_CLEANUP_FAILED;
    return done >> 32 == task->errand;
}

void cleanup_host_died(struct supervisor *s, uint32_t berth) {
    for (uint32_t i = 0; i < s->unclean_count; i++) {
        struct unclean *task = &s->uncleans[i];
        int32_t how;
        if (task->berth != berth)
            continue;
        if (!has_returned(s, task, &how))
            how = task->is_late ? MORTAL_CLEANUP_TIMED_OUT : MORTAL_CLEANUP_CRASHED;
        note(s, task, how, clock_ns());
    }
}

/* What runs: over, or for too long. */
static void attend(struct supervisor *s, struct unclean *task, uint64_t now) {
    struct host_record *record = &s->hosts[task->berth];
    int32_t how;
    if (record->state != HOST_CLEANING)
        return; /* its burial tells */
    if (has_returned(s, task, &how)) {
        record->state = HOST_STANDBY;
        record->since_ns = now;
        note(s, task, how, now);
    } else if (now - task->since_ns >= s->heritage->cleanup_ns) {
        task->is_late = true;
        record->is_excused = true;
        death_doom(s, task->berth);
    }
}

/* The next one that was not taken back; null: none is left. */
static const struct cleanup *next_of(const struct supervisor *s, struct unclean *task) {
    for (; task->left != 0; task->left--) {
        const struct cleanup *cleanup = &cleanups_of(s->region, task->life, task->worker)->left[task->left - 1];
        if (atomic_load(&cleanup->function) != 0)
            return cleanup;
    }
    return NULL;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t due(uint64_t since, uint64_t limit) { return limit < NEVER - since ? since + limit : NEVER; }

/* No host can be made for it, and none comes back from another: better a verdict that says so than none. */
static uint64_t hopeless_at(const struct supervisor *s, const struct unclean *task) {
    uint64_t since = task->since_ns > s->cleaned_at_ns ? task->since_ns : s->cleaned_at_ns;
    uint64_t patience = s->heritage->start_ns;
    if (s->failed_at_ns > since)
        patience = earlier(patience, s->heritage->cleanup_ns);
    return due(since, patience);
}

static bool any_runs(const struct supervisor *s) {
    for (uint32_t i = 0; i < s->unclean_count; i++)
        if (s->uncleans[i].berth != NO_POSITION)
            return true;
    return false;
}

static uint32_t free_place(const struct supervisor *s) {
    uint32_t taken = 0;
    for (uint32_t i = 0; i < s->unclean_count; i++)
        if (s->uncleans[i].berth != NO_POSITION)
            taken |= 1u << errand_place(s->uncleans[i].errand);
    for (uint32_t place = 0; place < CLEANERS; place++)
        if ((taken >> place & 1) == 0)
            return place;
    return NO_POSITION;
}

static uint32_t free_host(const struct supervisor *s) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_STANDBY)
            return i;
    return NO_POSITION;
}

/* The record is memory that the dead host could write: read once, and bounded. */
static bool give(struct supervisor *s, struct unclean *task, const struct cleanup *cleanup, uint64_t now) {
    uint32_t place = free_place(s), berth = free_host(s);
    if (place == NO_POSITION || berth == NO_POSITION)
        return false;
    struct control_head *control = control_head(s->region);
    struct errand *errand = &control->errands[place];
    uint32_t bytes = *(const volatile uint32_t *)&cleanup->input_bytes;
    errand->function = atomic_load(&cleanup->function);
    errand->word = task->word;
    errand->slot = task->slot;
    errand->input_bytes = bytes <= CLEANUP_INPUT_BYTES ? bytes : CLEANUP_INPUT_BYTES;
    memcpy(errand->input, cleanup->input, sizeof errand->input);
    s->errands_given++;
    task->errand = (s->errands_given % (UINT32_MAX / CLEANERS) + 1) * CLEANERS + place;
    task->berth = berth;
    task->since_ns = s->cleaned_at_ns = now;
    s->hosts[berth].state = HOST_CLEANING;
    s->hosts[berth].since_ns = now;
    atomic_fetch_add_explicit(&control->cleanups, 1, memory_order_relaxed);
    /* ORD(errand:given) pairs ORD(errand:taken): the errand is complete before. */
    atomic_store_explicit(&berth_of(s->region, berth)->errand, task->errand, memory_order_release);
    bell_ring_berth(s->region, berth);
    return true;
}

/* All is done that there was: now it becomes what it would have become when its host died. */
static void settle(struct supervisor *s, uint32_t index) {
    struct unclean task = s->uncleans[index];
    memmove(&s->uncleans[index], &s->uncleans[index + 1], (--s->unclean_count - index) * sizeof *s->uncleans);
    task.death.cleanup = task.worst;
    enum recovered outcome =
        recover_slot(s->region, task.slot, task.life, task.worker, &task.death, task.sentence);
    if (outcome == RECOVERED_RETURNED) {
        atomic_fetch_add_explicit(&control_head(s->region)->requeued, 1, memory_order_relaxed);
        death_return(s, task.slot);
        death_publish_returned(s);
        bell_ring_one(s->region);
        breaker_tell(s);
    } else if (outcome == RECOVERED_ENDED) {
        death_announce(s, task.slot);
    }
    lives_let_go(s, task.life);
}

/* Hosts that were made for clean-ups only, once the last of them is there. */
static void retire_spare(struct supervisor *s) {
    uint32_t standby = 0;
    bool more_come = false;
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        more_come = more_come || s->hosts[i].state == HOST_STARTING;
        if (s->hosts[i].state != HOST_STANDBY || ++standby <= s->region->g.standby)
            continue;
        s->hosts[i].is_excused = true;
        death_doom(s, i);
    }
    s->has_cleaned = more_come;
}

/* The next one of it is given out, or all is over. False: it is settled, and not in the table any more. */
static bool go_on_with(struct supervisor *s, uint32_t index, uint64_t now) {
    struct unclean *task = &s->uncleans[index];
    if (task->berth != NO_POSITION)
        return true;
    const struct cleanup *cleanup = next_of(s, task);
    if (cleanup != NULL && give(s, task, cleanup, now))
        return true;
    bool gives_up = cleanup != NULL && !any_runs(s) && now >= hopeless_at(s, task);
    if (cleanup != NULL && !gives_up)
        return true;
    if (gives_up)
        task->worst = MORTAL_CLEANUP_MISSED;
    settle(s, index);
    return false;
}

uint64_t cleanup_turn(struct supervisor *s, uint64_t now) {
    uint64_t next = NEVER;
    for (uint32_t i = 0; i < s->unclean_count; i++)
        if (s->uncleans[i].berth != NO_POSITION)
            attend(s, &s->uncleans[i], now);
    for (uint32_t i = 0; i < s->unclean_count;)
        i += go_on_with(s, i, now);
    bool runs = any_runs(s);
    for (uint32_t i = 0; i < s->unclean_count; i++) {
        const struct unclean *task = &s->uncleans[i];
        if (task->berth == NO_POSITION && !runs)
            next = earlier(next, hopeless_at(s, task));
        else if (task->berth != NO_POSITION && !task->is_late)
            next = earlier(next, due(task->since_ns, s->heritage->cleanup_ns));
    }
    if (s->has_cleaned && s->unclean_count == 0)
        retire_spare(s);
    return next;
}
