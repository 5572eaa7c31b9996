/* run.c - one run of a play under the trap flag, and what happens meanwhile */
#include "picture.h"
#include "sweep.h"
#include "trap.h"

#include <signal.h>
#include <unistd.h>

struct run {
    struct sweep      *sweep;
    struct stage      *stage;
    const struct play *play;
    enum event         event;
    uint64_t           at; /* of the event */
    bool               is_over, is_taken;
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

static void look(struct run *run, const struct trap *at)
{
    struct truth *truth = run->stage->truth;
    if (run->entering != 0) {
        truth->entered[run->entering - 1] = 1;
        run->changes_at_entry[run->entering - 1] = run->changes;
    }
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
    undertaker_open(&undertaker, &stage->owner);
    undertaker_condemn(&undertaker, stage, SENTENCE_KILL);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (!stage->parts[slot].is_tested)
            continue;
        if (phase_of(stage, slot) == SLOT_DYING)
            stage->truth->taken[slot] = run->is_taken = 1;
        else if (phase_of(stage, slot) == SLOT_CANCELLED)
            stage->truth->taken[slot] = 2;
    }
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

static void happen(struct run *run)
{
    uint32_t ended = run->ended;
    if (run->event == EVENT_TAKEN || run->event == EVENT_TAKEN_AND_DOOMED)
        condemn_now(run);
    if (run->event == EVENT_DOOMED || run->event == EVENT_TAKEN_AND_DOOMED)
        doom_now(run);
    if (run->event == EVENT_RIVAL)
        rival_now(run);
    if (run->event == EVENT_RIVAL_CLAIMED || run->event == EVENT_RIVAL_BEGUN)
        (void)stage_claim(run->stage, LIFE, RIVAL, run->event == EVENT_RIVAL_BEGUN);
    if (run->event == EVENT_OUTSIDER)
        (void)stage_claim(run->stage, OTHER_LIFE, 1, true);
    if (run->event == EVENT_DEATH)
        kill(getpid(), SIGKILL);
    told_by_others(run, ended);
    run->stage->truth->about_to_enter = about_to_enter(run);
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
    if (at->count == run->at)
        happen(run);
    if (at->count >= run->at) {
        count(run);
        keep(run, at->count);
    }
    if (atomic_load(&actors_desk(run)->parked) != 0) { /* there it stays in truth; here it has to come back */
        run->is_over = true;
        atomic_store(&berth_of(&run->stage->owner, BERTH)->doomed, BERTH_RETIRED);
    }
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

uint64_t sweep_run(struct sweep *sweep, const struct play *play, enum event event, uint64_t at)
{
    struct stage *stage = &sweep->stage;
    struct run    run = {.sweep = sweep, .stage = stage, .play = play, .event = event, .at = at};
    run.last_picture = sweep_page(sweep, 0);
    sweep->moment_count = 0;
    play_prepare(stage, play);
    run.ended = sweep_ended(stage, &stage->owner);
    uint64_t instructions = trap_run(play_body, &run, after_instruction, &run);
    settle(&run);
    if (event == EVENT_NONE)
        check_undisturbed(&run);
    check_doomed(&run);
    return instructions;
}
