/* run.c - one run of a play under the trap flag, and what happens meanwhile */
#include "picture.h"
#include "rival.h"
#include "sweep.h"
#include "region/bell.h"
#include "trap.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

struct run {
    struct sweep      *sweep;
    struct stage      *stage;
    const struct play *play;
    enum event         event;
    uint64_t           at; /* of the event */
    bool               is_over, is_taken, has_happened;
    bool               has_more; /* was submitted meanwhile */
    bool               is_waited_for, has_yielded; /* the end of its critical section; it came, and goes no further */
    uint32_t           other_bell; /* of one who sleeps in another host: what it was */
    uint32_t           entering; /* slot + 1: the next instruction is its function's first */
    uint32_t           ended, unclaimed_at_doom;
    uint64_t           changes, changes_at_entry[SLOTS];
    struct truth       last_truth;
    uint8_t           *last_picture;
};

static enum slot_phase phase_of(const struct stage *stage, uint32_t slot)
{
    return word_phase(atomic_load(claim_of(&stage->owner, slot)));
}

static void note_ends(struct run *run)
{
    uint32_t ended = sweep_ended(run->stage, &run->stage->owner);
    sweep_note_ends(run->stage->truth, run->stage, ended & ~run->ended);
    run->ended = ended;
}

static struct desk *actors_desk(const struct run *run) { return desk_of(&run->stage->owner, LIFE, ACTOR); }

/* It said that it begins, and it is on its way into the function. Which of the two a kill then finds is nobody's promise;
 * that nothing lies between them is looked at when the run is over. */
static uint32_t about_to_enter(const struct run *run)
{
    const struct truth *truth = run->stage->truth;
    uint32_t            intent = atomic_load(&actors_desk(run)->intent);
    uint64_t            begun = atomic_load(&actors_desk(run)->begun);
    if (begun == 0 || intent == 0 || truth->entered[intent - 1])
        return 0;
    uint64_t word = atomic_load(claim_of(&run->stage->owner, intent - 1));
    return word == begun || word == word_with_phase(begun, SLOT_DYING) ? intent : 0;
}

/* Nothing that was submitted earlier may wait still. */
static void check_turn(struct run *run, uint32_t begins)
{
    const struct part *parts = run->stage->parts;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (phase_of(run->stage, slot) == SLOT_PENDING && parts[slot].ticket < parts[begins].ticket &&
            ((parts[slot].flags ^ parts[begins].flags) & (ORDER_HIGH | ORDER_LOW)) == 0 &&
            (parts[slot].flags & ORDER_EXPIRES) == 0)
            (void)judge_breach(&(struct scene){.fault = &run->sweep->fault}, promise_order,
                               "slot %u starts before slot %u", begins, slot);
}

static void look(struct run *run, const struct trap *at)
{
    struct truth *truth = run->stage->truth;
    if (run->entering != 0) {
        truth->entered[run->entering - 1] = 1;
        run->changes_at_entry[run->entering - 1] = run->changes;
    }
    if (run->entering != 0 && run->is_taken && !truth->taken[run->entering - 1])
        (void)judge_breach(&(struct scene){.fault = &run->sweep->fault}, promise_next,
                           "slot %u is begun by a worker that a kill is under way to", run->entering - 1);
    if (run->entering != 0)
        check_turn(run, run->entering - 1);
    run->entering = at->next == (uintptr_t)stage_act ? ((const struct mortal_task *)at->argument)->slot + 1 : 0;
    note_ends(run);
    if (at->woken != NULL)
        sweep_note_wake(truth, &run->stage->heritage.region, at->woken, run->ended);
    truth->about_to_enter = about_to_enter(run);
}

/* ---- events --------------------------------------------------------------------------------------------------- */

/* Whoever ends a task without being stepped does not leave before all were told. */
static void told_by_others(struct run *run, uint32_t ended_before)
{
    struct truth *truth = run->stage->truth;
    note_ends(run);
    uint32_t new_ends = run->ended & ~ended_before;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if ((new_ends >> slot & 1) != 0)
            truth->woken[slot] = truth->group_woken = truth->room_woken = 1;
}

static void condemn_now(struct run *run)
{
    static struct undertaker undertaker;
    struct stage            *stage = run->stage;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (!stage->parts[slot].is_tested)
            continue;
        if (phase_of(stage, slot) == SLOT_RUNNING)
            stage->truth->taken[slot] = run->is_taken = 1;
        else if (phase_of(stage, slot) == SLOT_PENDING)
            stage->truth->taken[slot] = 2;
    }
    undertaker_open(&undertaker, &stage->owner);
    undertaker_condemn(&undertaker, stage, SENTENCE_KILL);
}

/* Meant for an earlier task of the slot. */
static void condemn_late(struct run *run)
{
    static struct undertaker undertaker;
    struct stage            *stage = run->stage;
    struct scene             scene = {.fault = &run->sweep->fault};
    uint64_t                 before = atomic_load(claim_of(&stage->owner, TESTED_FIRST));
    undertaker_open(&undertaker, &stage->owner);
    condemn(&undertaker.supervisor, TESTED_FIRST, stage->parts[TESTED_FIRST].generation - 1, SENTENCE_KILL);
    if (atomic_load(claim_of(&stage->owner, TESTED_FIRST)) != before)
        (void)judge_breach(&scene, promise_next, "slot %u: a kill of the task that it had before took it", TESTED_FIRST);
}

/* False: what runs is not it. */
static bool wait_for_section(struct run *run)
{
    static struct undertaker undertaker;
    struct stage            *stage = run->stage;
    uint64_t word = atomic_load(claim_of(&stage->owner, TESTED_FIRST));
    struct care *care = care_of(&stage->owner, TESTED_FIRST);
    if (word_phase(word) != SLOT_RUNNING || word_life(word) != LIFE || word_worker(word) != ACTOR)
        return false;
    if (run->event == EVENT_ASKED) {
        run->is_waited_for = atomic_load(&actors_desk(run)->section) != 0;
        atomic_store(&care->killers, 1);
        atomic_store(&care->asked, word_generation(word) + 1);
        return true;
    }
    undertaker_open(&undertaker, &stage->owner);
    run->is_waited_for = ask_waits_for_section(&undertaker.supervisor, BERTH, ACTOR, TESTED_FIRST, word);
    return true;
}

static void doom_now(struct run *run)
{
    atomic_store(&berth_of(&run->stage->owner, BERTH)->doomed, BERTH_DOOMED);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (phase_of(run->stage, slot) == SLOT_PENDING)
            run->unclaimed_at_doom |= 1u << slot;
}

/* What its next task does needs no lock and no memory that the interrupted worker could be holding: see play.c. */
static void rival_now(struct run *run)
{
    struct worker *rival = &run->stage->workers[RIVAL];
    if (worker_step(rival))
        run->stage->parts[atomic_load(&rival->desk->intent) - 1].worker = RIVAL;
}

/* So far that the rival stands at the chosen point. Not while locks are held that it might need. */
static bool hold_rival(struct run *run)
{
    pthread_mutex_t *lock = &run->stage->host.results_lock;
    const struct worker *rival = &run->stage->workers[RIVAL];
    if (pthread_mutex_trylock(lock) != 0)
        return false;
    pthread_mutex_unlock(lock);
    uint32_t before = atomic_load(&rival->desk->intent);
    (void)rival_goes(run->stage, RIVAL_CLAIMED + (enum rival_point)(run->event - EVENT_HELD_CLAIMED));
    uint32_t intent = atomic_load(&rival->desk->intent);
    if (intent != before)
        run->stage->parts[intent - 1].worker = RIVAL;
    return true;
}

/* As when the owner takes the verdict and lets go. The new task is last in the queue. */
static bool reuse_slot(struct run *run)
{
    if (!phase_has_ended(phase_of(run->stage, TESTED_FIRST)))
        return false;
    stage_submit(run->stage, TESTED_FIRST, (struct part){.is_tested = true, .worker = ACTOR});
    bell_call(&run->stage->owner);
    return true;
}

static void submit_more(struct run *run)
{
    if (!run->has_more)
        play_submit_more(run->stage, run->play);
    run->has_more = true;
}

/* False: not now. */
static bool happen(struct run *run)
{
    uint32_t ended = run->ended;
    switch (run->event) {
    case EVENT_NONE:
        break;
    case EVENT_TAKEN:
        condemn_now(run);
        break;
    case EVENT_LATE_KILL:
        condemn_late(run);
        break;
    case EVENT_TAKEN_AND_DOOMED:
        condemn_now(run);
        doom_now(run);
        break;
    case EVENT_DOOMED:
        doom_now(run);
        break;
    case EVENT_RIVAL:
        rival_now(run);
        break;
    case EVENT_RIVAL_CLAIMED:
    case EVENT_RIVAL_BEGUN:
        (void)stage_claim(run->stage, LIFE, RIVAL, run->event == EVENT_RIVAL_BEGUN);
        break;
    case EVENT_OUTSIDER:
        (void)stage_claim(run->stage, OTHER_LIFE, 1, true);
        break;
    case EVENT_HELD_CLAIMED:
    case EVENT_HELD_ENTERED:
    case EVENT_HELD_LEFT:
    case EVENT_HELD_PUBLISHED:
        if (!hold_rival(run))
            return false;
        break;
    case EVENT_REUSED:
        if (!reuse_slot(run))
            return false;
        break;
    case EVENT_MORE:
        submit_more(run);
        break;
    case EVENT_OVERDUE:
    case EVENT_ASKED:
        if (!wait_for_section(run))
            return false;
        break;
    case EVENT_DEATH:
        kill(getpid(), SIGKILL);
        break;
    }
    told_by_others(run, ended);
    run->stage->truth->about_to_enter = about_to_enter(run);
    return true;
}

/* ---- sleep ---------------------------------------------------------------------------------------------------- */

static bool has_work(const struct stage *stage)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (phase_of(stage, slot) == SLOT_PENDING && (stage->parts[slot].flags & ORDER_EXPIRES) == 0)
            return true;
    return false;
}

static void end_run(struct run *run)
{
    run->is_over = true;
    atomic_store(&berth_of(&run->stage->owner, BERTH)->doomed, BERTH_RETIRED);
    trap_rouse(EINTR);
}

static bool is_still_asleep(const struct run *run, uint32_t bell)
{
    return atomic_load(run->stage->workers[ACTOR].bell) == bell &&
           atomic_load(bell_of(&run->stage->owner, OTHER_BERTH, 1)) == run->other_bell;
}

/* The next instruction sleeps. With work there, somebody must have been rung, or this is only for a moment. */
static void fall_asleep(struct run *run, const struct trap *at, uint32_t bell)
{
    struct stage  *stage = run->stage;
    struct worker *actor = &stage->workers[ACTOR];
    struct scene   scene = {.fault = &run->sweep->fault};
    CHECK(at->waits == actor->bell); /* nothing else is ever waited for */
    if (run->event == EVENT_NONE && run->sweep->slept_at == 0)
        run->sweep->slept_at = at->count;
    if (atomic_load(&actor->berth->doomed) != 0) {
        end_run(run);
        return;
    }
    if (atomic_load(&actor->berth->active) == 0) { /* as when the supervisor lets a standby take over */
        atomic_store(&berth_of(&stage->owner, BERTH)->active, WORKERS);
        bell_ring_berth(&stage->owner, BERTH);
        return;
    }
    if (!has_work(stage) && run->has_more) {
        end_run(run);
        return;
    }
    if (!has_work(stage))
        submit_more(run);
    if (!is_still_asleep(run, bell))
        return;
    if (at->briefly || run->play->twist == TWIST_DEPUTY) {
        if (!at->briefly && atomic_load(&claims_head(&stage->owner)->deputy) == 0)
            (void)judge_breach(&scene, promise_rung, "a task waits, a worker sleeps, and there is no deputy");
        trap_rouse(ETIMEDOUT);
        return;
    }
    (void)judge_breach(&scene, promise_rung, "a task waits, and every worker sleeps");
    end_run(run);
}

/* ---- states --------------------------------------------------------------------------------------------------- */

static uint64_t hash_of_moment(const struct run *run, const struct moment *moment)
{
    uint64_t seed = (uint64_t)(run->play - plays) << 1 | moment->is_taken;
    uint8_t  truth[(sizeof moment->truth + 7) / 8 * 8] = {0};
    memcpy(truth, &moment->truth, sizeof moment->truth);
    return hash_of(hash_of(seed, truth, sizeof truth), moment->picture, run->stage->picture_bytes);
}

static void keep(struct run *run, uint64_t at)
{
    struct sweep *sweep = run->sweep;
    struct stage *stage = run->stage;
    bool          is_same = run->changes != 0 && picture_is_of(stage, run->last_picture, &stage->owner);
    if (is_same && memcmp(&run->last_truth, stage->truth, sizeof run->last_truth) == 0)
        return;
    if (!is_same) {
        run->changes++;
        picture_take(stage, &stage->owner, run->last_picture);
    }
    run->last_truth = *stage->truth;
    struct moment moment = {.at = at, .changes = run->changes, .is_taken = run->is_taken, .truth = *stage->truth,
                            .picture = sweep_page(sweep, sweep->moment_count + 1)};
    memcpy(moment.picture, run->last_picture, stage->picture_bytes);
    picture_forget_times(stage, moment.picture);
    if (moment.truth.about_to_enter != 0 || sweep_is_new(sweep, hash_of_moment(run, &moment)))
        sweep->moments[sweep->moment_count++] = moment;
}

static void count(struct run *run)
{
    struct sweep *sweep = run->sweep;
    enum slot_phase phase = phase_of(run->stage, TESTED_FIRST);
    sweep->states++;
    sweep->waiting += phase == SLOT_PENDING;
    sweep->claimed += phase_is_running(phase) && !run->stage->truth->entered[TESTED_FIRST];
    sweep->begun += phase_is_running(phase) && run->stage->truth->entered[TESTED_FIRST];
    sweep->published += phase == SLOT_DONE || phase == SLOT_BARE || phase == SLOT_FAILED;
}

static void after_instruction(const struct trap *at, void *context)
{
    struct run *run = context;
    if (run->is_over)
        return;
    look(run, at);
    /* What it would sleep on, whatever happens now. At its very start it has none. */
    const _Atomic uint32_t *own = run->stage->workers[ACTOR].bell;
    uint32_t bell = own != NULL ? atomic_load(own) : 0;
    run->stage->workers[ACTOR].search_us = 0; /* looking longer is only more of the same */
    if (at->count >= run->at && !run->has_happened)
        run->has_happened = happen(run);
    if (run->has_happened) {
        count(run);
        keep(run, at->count);
    }
    run->has_yielded = run->has_yielded || atomic_load(&actors_desk(run)->yields) != 0;
    if (atomic_load(&actors_desk(run)->parked) != 0 || run->has_yielded) { /* there it stays in truth; here it has to come back */
        run->is_over = true;
        atomic_store(&berth_of(&run->stage->owner, BERTH)->doomed, BERTH_RETIRED);
    }
    if (!run->is_over && at->waits != NULL)
        fall_asleep(run, at, bell);
}

static void play_body(void *context)
{
    struct run *run = context;
    play_run(run->stage, run->play);
}

/* ---- afterwards ----------------------------------------------------------------------------------------------- */

/* "About to enter" excuses only what lies right before the function: nothing else of the region changes in between. Of
 * what turns out otherwise, nothing had begun. */
static void settle(struct run *run)
{
    struct sweep *sweep = run->sweep;
    size_t        kept = 0;
    for (size_t i = 0; i < sweep->moment_count; i++) {
        struct moment *moment = &sweep->moments[i];
        uint32_t       entering = moment->truth.about_to_enter;
        if (entering != 0) {
            if (run->changes_at_entry[entering - 1] != moment->changes)
                moment->truth.about_to_enter = 0;
            if (!sweep_is_new(sweep, hash_of_moment(run, moment)))
                continue;
        }
        sweep->moments[kept++] = *moment;
    }
    sweep->moment_count = kept;
}

/* Where nobody interferes, everything ends, and the worker itself tells whoever sleeps. */
static void check_undisturbed(struct run *run)
{
    struct stage *stage = run->stage;
    struct scene  scene = {.stage = stage, .region = &stage->owner, .fault = &run->sweep->fault};
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (stage->parts[slot].is_tested && !phase_has_ended(phase_of(stage, slot))) {
            (void)judge_breach(&scene, promise_ends, "slot %u is not published though its worker returned", slot);
            return;
        }
    (void)judge_told(&scene, stage->truth);
}

static void check_doomed(struct run *run)
{
    struct scene scene = {.fault = &run->sweep->fault};
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if ((run->unclaimed_at_doom >> slot & 1) != 0 && run->stage->truth->entered[slot])
            (void)judge_breach(&scene, promise_doomed, "slot %u was claimed after it and begun", slot);
}

static void check_section(struct run *run)
{
    struct scene scene = {.fault = &run->sweep->fault};
    if (run->is_waited_for && !run->has_yielded)
        (void)judge_breach(&scene, promise_section, "the task went on");
}

uint64_t sweep_run(struct sweep *sweep, const struct play *play, enum event event, uint64_t at)
{
    struct stage *stage = &sweep->stage;
    struct run    run = {.sweep = sweep, .stage = stage, .play = play, .event = event, .at = at};
    run.last_picture = sweep_page(sweep, 0);
    sweep->moment_count = 0;
    if (event == EVENT_NONE)
        sweep->slept_at = 0;
    play_prepare(stage, play);
    run.ended = sweep_ended(stage, &stage->owner);
    run.other_bell = atomic_load(bell_of(&stage->owner, OTHER_BERTH, 1));
    uint64_t instructions = trap_run(play_body, &run, after_instruction, &run);
    settle(&run);
    if (event == EVENT_NONE)
        check_undisturbed(&run);
    check_doomed(&run);
    check_section(&run);
    rival_ends(stage);
    return instructions;
}
