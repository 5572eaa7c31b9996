#include "office.h"

#include "picture.h"
#include "region/bell.h"
#include "rival.h"
#include "trap.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

void office_open(struct office *office)
{
    memset(office, 0, sizeof *office);
    stage_open(&office->stage);
}

void office_close(struct office *office) { stage_close(&office->stage); }

bool office_breach(struct office *office, const char *promise, const char *format, ...)
{
    char    detail[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    return judge_breach(&(struct scene){.fault = &office->fault}, promise, "%s", detail);
}

/* ---- what the owner is told ----------------------------------------------------------------------------------- */

static bool same_verdict(const mortal_verdict *a, const mortal_verdict *b)
{
    return a->outcome == b->outcome && a->status == b->status && a->attempts == b->attempts && a->cause == b->cause &&
           a->signal == b->signal && a->culprit == b->culprit && a->result_bytes == b->result_bytes;
}

static uint64_t hash_of_result(const uint8_t *result, size_t bytes)
{
    uint64_t hash = 1, rest = 0;
    hash = hash_of(hash, result, bytes / 8 * 8);
    memcpy(&rest, result + bytes / 8 * 8, bytes % 8);
    return hash_of(hash, &rest, sizeof rest);
}

static void read_verdict(struct office *office, uint32_t slot)
{
    alignas(8) static uint8_t result[RESULTS_BYTES];
    struct part   *part = &office->stage.parts[slot];
    struct told   *told = &office->told[slot];
    mortal_verdict verdict;
    if (told->generation != part->generation)
        *told = (struct told){.generation = part->generation};
    if (!judge_harvest(&office->stage.owner, part, slot, &verdict, result)) {
        if (told->is_told && !office->was_killed)
            (void)office_breach(office, promise_stays, "slot %u was told as %s, and is not ended", slot,
                                mortal_outcome_name(told->verdict.outcome));
        return;
    }
    office->verdicts++;
    if (verdict.outcome == MORTAL_LOST)
        (void)office_breach(office, promise_fate, "slot %u is told as lost", slot);
    if (!office->stage.truth->left[slot] && (verdict.outcome == MORTAL_DONE || verdict.outcome == MORTAL_FAILED))
        (void)office_breach(office, promise_fate, "slot %u is told as done before it was", slot);
    uint64_t hash = verdict.result_bytes <= RESULTS_BYTES ? hash_of_result(result, verdict.result_bytes) : 0;
    if (!told->is_told)
        *told = (struct told){.is_told = true, .generation = part->generation, .verdict = verdict, .result = hash};
    if (!same_verdict(&told->verdict, &verdict))
        (void)office_breach(office, promise_stays, "slot %u was told as %s, and is told as %s", slot,
                            mortal_outcome_name(told->verdict.outcome), mortal_outcome_name(verdict.outcome));
    if (told->result != hash)
        (void)office_breach(office, promise_held, "slot %u: its result is another", slot);
}

static void read_verdicts(struct office *office)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (office->stage.parts[slot].is_cast)
            read_verdict(office, slot);
}

/* ---- visits --------------------------------------------------------------------------------------------------- */

static void visit_now(struct office *office)
{
    struct stage *stage = &office->stage;
    uint32_t      slot = 0;
    switch (office->visit) {
    case VISIT_NONE:
        break;
    case VISIT_CLAIM:
        slot = stage_claim(stage, OTHER_LIFE, 1, true);
        if (slot != 0)
            office->words[slot - 1] = atomic_load(claim_of(&stage->owner, slot - 1));
        break;
    case VISIT_PUBLISH:
        rival_ends(stage);
        office->has_published = phase_has_ended(word_phase(atomic_load(claim_of(&stage->owner, TESTED_FIRST))));
        break;
    case VISIT_RELEASE:
        for (slot = 0; slot < SLOTS; slot++)
            if (office->told[slot].is_told && stage->parts[slot].is_cast) {
                stage_release(stage, slot);
                office->words[slot] = atomic_load(claim_of(&stage->owner, slot));
            }
        break;
    case VISIT_SUBMIT:
        stage_submit(stage, LATEST, (struct part){.worker = ACTOR});
        bell_call(&stage->owner);
        office->words[LATEST] = atomic_load(claim_of(&stage->owner, LATEST));
        break;
    case VISIT_OTHER:
        office->meanwhile(office);
        break;
    case VISIT_DEATH:
        kill(getpid(), SIGKILL);
        break;
    }
}

/* A dead process can be waited for exactly as long as a berth names it. */
static void look_at_berth(struct office *office)
{
    if (office->child == 0 || atomic_load(&berth_of(&office->stage.owner, BERTH)->pid) != office->child)
        return;
    if (kill(office->child, 0) != 0)
        (void)office_breach(office, promise_pid, "the berth names a process that was reaped already");
}

static void after_instruction(const struct trap *at, void *context)
{
    struct office *office = context;
    if (getpid() != office->own_pid) {
        trap_stop(); /* a new host's first instructions are not the supervisor's */
        return;
    }
    office->states++;
    if (at->count >= office->at && !office->is_visited) {
        visit_now(office);
        office->is_visited = true;
    }
    look_at_berth(office);
    read_verdicts(office);
}

/* ---- runs ----------------------------------------------------------------------------------------------------- */

static void act(void *context)
{
    struct office *office = context;
    office->deed->act(office);
}

static void reap_all(void)
{
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

uint64_t office_run(struct office *office, const struct deed *deed, enum visit visit, uint64_t at)
{
    struct stage *stage = &office->stage;
    office->deed = deed;
    office->visit = visit;
    office->at = at;
    office->was_killed = false;
    office->is_visited = office->has_published = false;
    office->child = 0;
    memset(office->told, 0, sizeof office->told);
    rival_ready();
    stage_clear(stage);
    stage_host_enters(stage);
    undertaker_open(&office->u, &stage->owner);
    office->u.supervisor.free_lives = office->free_lives;
    office->u.supervisor.life_marks = office->life_marks;
    deed->prepare(office);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        office->words[slot] = atomic_load(claim_of(&stage->owner, slot));
    office->own_pid = getpid();
    read_verdicts(office);
    uint64_t instructions = trap_run(act, office, after_instruction, office);
    if (office->fault.promise == NULL)
        deed->check(office);
    rival_ends(stage);
    reap_all();
    return instructions;
}

void office_check_after_death(struct office *office, const struct deed *deed)
{
    office->was_killed = true;
    read_verdicts(office); /* against what was told last */
    if (!deed->is_repeated || office->fault.promise != NULL)
        return;
    undertaker_open(&office->u, &office->stage.owner);
    deed->act(office);
    deed->check(office);
}

static uint64_t run_and_tell(struct office *office, const struct deed *deed, enum visit visit, uint64_t at)
{
    static const char *const names[] = {"", ", a claim", ", a publication", ", a release", ", a submit", ", meanwhile"};
    uint64_t instructions = office_run(office, deed, visit, at);
    if (office->fault.promise != NULL)
        snprintf(office->where, sizeof office->where, visit == VISIT_NONE ? "%s%s" : "%s%s after %llu", deed->name,
                 names[visit], (unsigned long long)at);
    return instructions;
}

void office_sweep(struct office *office, const struct deed *deed, uint64_t steps)
{
    (void)run_and_tell(office, deed, VISIT_NONE, 0); /* whatever is done only once */
    if (office->fault.promise != NULL)
        return;
    uint64_t instructions = run_and_tell(office, deed, VISIT_NONE, 0);
    uint64_t stride = instructions * instructions / steps + 1;
    for (enum visit visit = VISIT_CLAIM; visit <= VISIT_LAST; visit++)
        for (uint64_t at = 1 + (uint64_t)visit % stride; at <= instructions; at += stride) {
            if ((deed->visits >> visit & 1) == 0 || office->fault.promise != NULL)
                break;
            (void)run_and_tell(office, deed, visit, at);
        }
}
