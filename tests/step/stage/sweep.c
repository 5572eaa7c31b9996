#include "sweep.h"

#include "system/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { KNOWN_MOST = 1 << 21, PAGES = 4096 };

void sweep_open(struct sweep *sweep)
{
    memset(sweep, 0, sizeof *sweep);
    stage_open(&sweep->stage);
    sweep->known = memory_private(KNOWN_MOST * sizeof *sweep->known);
    sweep->album = memory_private(PAGES * sweep->stage.picture_bytes);
    sweep->moments = memory_private(PAGES * sizeof *sweep->moments);
    CHECK(sweep->known != NULL && sweep->album != NULL && sweep->moments != NULL);
}

void sweep_close(struct sweep *sweep)
{
    memory_unmap(sweep->known, KNOWN_MOST * sizeof *sweep->known);
    memory_unmap(sweep->album, PAGES * sweep->stage.picture_bytes);
    memory_unmap(sweep->moments, PAGES * sizeof *sweep->moments);
    stage_close(&sweep->stage);
}

bool sweep_is_new(struct sweep *sweep, uint64_t hash)
{
    hash |= 1; /* 0: nobody */
    size_t at = hash >> 32 & (KNOWN_MOST - 1);
    for (; sweep->known[at] != 0; at = (at + 1) & (KNOWN_MOST - 1))
        if (sweep->known[at] == hash)
            return false;
    CHECK(++sweep->known_count < KNOWN_MOST / 2);
    sweep->known[at] = hash;
    return true;
}

uint8_t *sweep_page(struct sweep *sweep, size_t number)
{
    CHECK(number < PAGES);
    return sweep->album + number * sweep->stage.picture_bytes;
}

/* ---- what is seen from outside -------------------------------------------------------------------------------- */

uint32_t sweep_ended(const struct stage *stage, const struct region *region)
{
    uint32_t ended = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (stage->parts[slot].is_cast && phase_has_ended(word_phase(atomic_load(claim_of(region, slot)))))
            ended |= 1u << slot;
    return ended;
}

void sweep_note_ends(struct truth *truth, const struct stage *stage, uint32_t new_ends)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if ((new_ends >> slot & 1) == 0)
            continue;
        truth->woken[slot] = truth->room_woken = 0;
        if (stage->parts[slot].group != 0)
            truth->group_woken = 0;
    }
}

void sweep_note_wake(struct truth *truth, const struct region *region, const void *woken, uint32_t ended)
{
    if (woken == &claims_head(region)->room_bell)
        truth->room_woken = 1;
    if (woken == &claims_head(region)->group_bell[GROUP - 1])
        truth->group_woken = 1;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (woken == word_futex(claim_of(region, slot)) && (ended >> slot & 1) != 0)
            truth->woken[slot] = 1;
}

/* ---- judging -------------------------------------------------------------------------------------------------- */

static void judge_moment(struct sweep *sweep, const struct moment *moment)
{
    sweep->distinct++;
    for (size_t i = 0; i < ENDINGS && sweep->fault.promise == NULL; i++) {
        if (!ending_fits(&endings[i], moment))
            continue;
        sweep->buried++;
        if (judge(&sweep->stage, moment, &endings[i], &sweep->fault))
            sweep_recovery(sweep, moment, &endings[i]);
        if (sweep->fault.promise != NULL)
            snprintf(sweep->where, sizeof sweep->where, "after instruction %llu, ended by %s",
                     (unsigned long long)moment->at, endings[i].name);
    }
}

static uint64_t run_and_judge(struct sweep *sweep, const struct play *play, enum event event, uint64_t at)
{
    static const char *const names[] = {"", ", its task taken", ", its task taken and its host doomed",
                                        ", its host doomed", ", a rival", ", a rival that claimed",
                                        ", a rival that began", ", an outsider", ", a rival held before it begins",
                                        ", a rival held in its function", ", a rival held before it publishes",
                                        ", a rival held before it tells", ", its slot used again", ", one more task",
                                        ", a late kill", ", its deadline over", ", a kill in its grace"};
    uint64_t instructions = sweep_run(sweep, play, event, at);
    for (size_t i = 0; i < sweep->moment_count && sweep->fault.promise == NULL; i++)
        judge_moment(sweep, &sweep->moments[i]);
    if (sweep->fault.promise != NULL) {
        char where[sizeof sweep->where];
        memcpy(where, sweep->where, sizeof where);
        char when[32] = "";
        if (event != EVENT_NONE)
            snprintf(when, sizeof when, " after %llu", (unsigned long long)at);
        snprintf(sweep->where, sizeof sweep->where, "%s%s%s%s%.80s", play->name, names[event], when,
                 where[0] != '\0' ? ", cut " : "", where);
    }
    return instructions;
}

void sweep_measure(struct sweep *sweep, const struct play *play)
{
    (void)sweep_run(sweep, play, EVENT_NONE, UINT64_MAX); /* whatever is done only once, such as finding functions */
    sweep->instructions = sweep_run(sweep, play, EVENT_NONE, UINT64_MAX);
}

void sweep_undisturbed(struct sweep *sweep, const struct play *play)
{
    (void)sweep_run(sweep, play, EVENT_NONE, UINT64_MAX);
    sweep->instructions = run_and_judge(sweep, play, EVENT_NONE, 0);
}

/* Not everything can happen in every play. */
static bool event_fits(const struct play *play, enum event event)
{
    if (event == EVENT_MORE)
        return play_takes_more(play);
    if (event == EVENT_OVERDUE || event == EVENT_ASKED)
        return play_leaves(play);
    return event < EVENT_HELD_CLAIMED || event > EVENT_HELD_PUBLISHED || play->twist != TWIST_DEPUTY;
}

/* An event costs a run, and a run costs all its instructions. Plays begin in the same way, so where one has an event the
 * next ones have theirs right beside. */
void sweep_event(struct sweep *sweep, const struct play *play, enum event event, uint64_t steps)
{
    uint64_t instructions = sweep->instructions;
    if (!event_fits(play, event))
        return;
    uint64_t until = event == EVENT_MORE ? sweep->slept_at : instructions; /* later it is all the same */
    uint64_t stride = until * instructions / steps + 1, first = 1 + (uint64_t)(play - plays) % stride;
    for (uint64_t at = first; at <= until && sweep->fault.promise == NULL; at += stride)
        (void)run_and_judge(sweep, play, event, at);
}

void sweep_play(struct sweep *sweep, const struct play *play, uint64_t steps)
{
    sweep_undisturbed(sweep, play);
    for (enum event event = EVENT_TAKEN; event <= EVENT_LAST && sweep->fault.promise == NULL; event++)
        if (sweep->one_event_in <= 1 || ((uint64_t)(play - plays) + event) % sweep->one_event_in == 0)
            sweep_event(sweep, play, event, steps);
}
