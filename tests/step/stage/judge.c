#include "judge.h"

#include "region/bell.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char promise_found[] = "every claim of a dead host is found";
const char promise_waits[] = "what had not begun waits again, uncharged";
const char promise_once[] = "what had begun starts again only if it may";
const char promise_whole[] = "what is published is whole";
const char promise_decided[] = "who lost its claim publishes nothing";
const char promise_fate[] = "each task has the one right verdict";
const char promise_others[] = "nothing else is touched";
const char promise_order[] = "what waits starts next, in order";
const char promise_again[] = "to recover twice is to recover once";
const char promise_cut[] = "a recovery that is cut and run again ends the same";
const char promise_told[] = "whoever sleeps is woken";
const char promise_cap[] = "no task starts more often than it may";
const char promise_doomed[] = "nothing starts in a host that is doomed";
const char promise_rung[] = "nobody sleeps beside work";
const char promise_count[] = "the counters add up";
const char promise_heir[] = "one standby takes the place of one dead host";
const char promise_next[] = "a kill hits nobody but whom it was meant for";
const char promise_stays[] = "a verdict that was told stays as it is";
const char promise_pid[] = "a berth names no process that is none";
const char promise_held[] = "no memory of a result that is held is used again";
const char promise_cleaned[] = "what a task left to be done is done once, before its verdict";
const char promise_noted[] = "what a task said is told whole";
const char promise_section[] = "who waits for the end of a critical section is met there";
const char promise_ends[] = "what nobody disturbs ends";

const struct ending endings[ENDINGS] = {
    {"its own crash", SENTENCE_NONE, false, ACTOR},
    {"a crash, nobody knows whose", SENTENCE_NONE, false, NO_WORKER},
    {"a neighbour's crash", SENTENCE_NONE, false, NEIGHBOUR},
    {"a kill that was meant for others", SENTENCE_NONE, true, NO_WORKER},
    {"a kill", SENTENCE_KILL, true, NO_WORKER},
    {"a kill of what runs", SENTENCE_KILL_RUNNING, true, NO_WORKER},
    {"a deadline", SENTENCE_DEADLINE, true, NO_WORKER},
    {"the end of its time", SENTENCE_WITHIN, true, NO_WORKER},
    {"a crash while it was being killed", SENTENCE_KILL, false, ACTOR},
    {"a crash at its deadline", SENTENCE_DEADLINE, false, ACTOR},
};

bool ending_fits(const struct ending *ending, const struct moment *moment)
{
    return !moment->is_taken || ending->sentence != SENTENCE_NONE;
}

struct death judge_death_of(const struct ending *ending)
{
    return (struct death){.cause = MORTAL_CAUSE_SIGNAL, .signal = ending->asked ? SIGKILL : SIGSEGV,
                          .signal_code = ending->asked ? 0 : 1, .fault_address = ending->asked ? 0 : 0x1234,
                          .asked = ending->asked, .culprit = ending->culprit};
}

bool judge_breach(struct scene *scene, const char *promise, const char *format, ...)
{
    va_list arguments;
    if (scene->fault->promise != NULL)
        return false; /* the first one counts */
    va_start(arguments, format);
    scene->fault->promise = promise;
    vsnprintf(scene->fault->detail, sizeof scene->fault->detail, format, arguments);
    va_end(arguments);
    return false;
}

void judge_note_words(struct scene *scene)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        scene->before[slot] = atomic_load(claim_of(scene->region, slot));
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        scene->bells[worker] = atomic_load(bell_of(scene->region, OTHER_BERTH, worker));
        scene->idle[worker] = bell_is_seen(scene->region, OTHER_BERTH, worker);
    }
}

/* ---- what should have become of it ---------------------------------------------------------------------------- */

struct expected {
    bool     waits;
    uint32_t outcome;  /* if it does not wait */
    uint32_t attempts; /* waiting: starts charged so far; ended: what the verdict tells */
    bool     tells_why, by_itself;
};

static struct expected ended(uint32_t outcome, uint32_t attempts)
{
    return (struct expected){.outcome = outcome, .attempts = attempts};
}

static struct expected waiting(uint32_t starts) { return (struct expected){.waits = true, .attempts = starts}; }

/* The host died while the function ran, or stood at its first instruction. */
static struct expected after_running(const struct part *part, const struct ending *ending, enum sentence sentence)
{
    uint32_t starts = part->starts + 1;
    switch (sentence) {
    case SENTENCE_KILL:
    case SENTENCE_KILL_RUNNING:
        return ended(MORTAL_KILLED, starts);
    case SENTENCE_WITHIN:
        return ended(MORTAL_TIMED_OUT, starts);
    case SENTENCE_DEADLINE:
        return starts < part->attempts ? waiting(starts) : ended(MORTAL_TIMED_OUT, starts);
    case SENTENCE_MEMORY: /* over a cap: the stage has none of these */
    case SENTENCE_CPU:
    case SENTENCE_PROCESSES:
    case SENTENCE_NONE:
        break;
    }
    struct expected expected;
    if (ending->asked || (ending->culprit != NO_WORKER && ending->culprit != part->worker)) {
        expected = part->attempts > 1 ? waiting(part->starts) : ended(MORTAL_COLLATERAL, starts);
        expected.tells_why = !ending->asked;
        return expected;
    }
    uint32_t spent = part->attempts > 1 ? MORTAL_QUARANTINED : MORTAL_CRASHED;
    expected = starts < part->attempts ? waiting(starts) : ended(spent, starts);
    expected.tells_why = true;
    expected.by_itself = ending->culprit == part->worker;
    return expected;
}

static struct expected expect(const struct scene *scene, uint32_t slot)
{
    const struct part *part = &scene->stage->parts[slot];
    enum sentence      sentence = part->is_tested ? scene->ending->sentence : SENTENCE_NONE;
    bool is_about_to_enter = scene->truth->about_to_enter == slot + 1;
    switch (word_phase(scene->before[slot])) {
    case SLOT_DONE:
    case SLOT_BARE:
        return ended(MORTAL_DONE, part->starts + 1);
    case SLOT_FAILED:
        return ended(MORTAL_FAILED, part->starts + 1);
    case SLOT_CANCELLED:
        return ended(MORTAL_CANCELLED, part->starts);
    case SLOT_EXPIRED:
        return ended(MORTAL_EXPIRED, part->starts);
    default:
        break;
    }
    if (scene->truth->entered[slot] || is_about_to_enter)
        return after_running(part, scene->ending, sentence);
    if (sentence == SENTENCE_KILL)
        return ended(MORTAL_CANCELLED, part->starts);
    return sentence == SENTENCE_WITHIN ? ended(MORTAL_EXPIRED, part->starts) : waiting(part->starts);
}

/* ---- what has become of it ------------------------------------------------------------------------------------ */

bool judge_harvest(struct region *region, const struct part *part, uint32_t slot, mortal_verdict *verdict, uint8_t *result)
{
    static struct pool  pool;
    static struct entry entries[SLOTS];
    pool.region = region;
    pool.entries = entries;
    struct entry *entry = &entries[slot];
    memset(entry, 0, sizeof *entry);
    entry->life = part->generation;
    entry->ticket = part->ticket;
    entry->input_offset = INPUT_NONE;
    entry->state = ENTRY_LIVE;
    if (!ledger_harvest(&pool, slot))
        return false;
    ledger_tell(&pool, slot, verdict);
    if (verdict->result_bytes <= RESULTS_BYTES && verdict->result != NULL)
        memcpy(result, verdict->result, verdict->result_bytes);
    free(entry->copy);
    return true;
}

static bool check_published(struct scene *scene, uint32_t slot, const mortal_verdict *verdict, const uint8_t *result)
{
    const struct act *act = &scene->stage->parts[slot].act;
    size_t            bytes = stage_answer_bytes(act);
    if (!scene->truth->left[slot])
        return judge_breach(scene, promise_whole, "slot %u is published before its function returned", slot);
    if (verdict->outcome != (act->status == 0 ? MORTAL_DONE : MORTAL_FAILED))
        return judge_breach(scene, promise_whole, "slot %u returned %d and is told %s", slot, act->status,
                            mortal_outcome_name(verdict->outcome));
    if (verdict->attempts != scene->stage->parts[slot].starts + 1)
        return judge_breach(scene, promise_fate, "slot %u: %u starts", slot, verdict->attempts);
    if (verdict->status != act->status || verdict->result_bytes != bytes)
        return judge_breach(scene, promise_whole, "slot %u: status %d, %zu bytes, and not %d, %zu", slot, verdict->status,
                            verdict->result_bytes, act->status, bytes);
    if (!stage_answer_is(act, result))
        return judge_breach(scene, promise_whole, "slot %u: the %zu bytes of its result are wrong", slot, bytes);
    return true;
}

static bool check_told_why(struct scene *scene, uint32_t slot, const struct expected *expected,
                           const mortal_verdict *verdict)
{
    struct death why = scene->death;
    if (!expected->tells_why)
        why = (struct death){0};
    if (verdict->cause == why.cause && verdict->signal == why.signal && verdict->signal_code == why.signal_code &&
        verdict->exit_code == 0 && verdict->fault_address == why.fault_address)
        return true;
    return judge_breach(scene, promise_fate, "slot %u: cause %d, signal %d, code %d", slot, verdict->cause, verdict->signal,
                        verdict->signal_code);
}

static bool check_ended(struct scene *scene, uint32_t slot, const struct expected *expected)
{
    static uint8_t     result[RESULTS_BYTES];
    const struct part *part = &scene->stage->parts[slot];
    mortal_verdict     verdict;
    if (!judge_harvest(scene->region, part, slot, &verdict, result))
        return judge_breach(scene, promise_once, "slot %u waits again and should be %s", slot,
                            mortal_outcome_name((int)expected->outcome));
    enum slot_phase before = word_phase(scene->before[slot]);
    if (before == SLOT_DONE || before == SLOT_FAILED || before == SLOT_BARE)
        return check_published(scene, slot, &verdict, result);
    if ((uint32_t)verdict.outcome != expected->outcome || verdict.attempts != expected->attempts)
        return judge_breach(scene, promise_fate, "slot %u is %s after %u starts, and not %s after %u", slot,
                            mortal_outcome_name(verdict.outcome), verdict.attempts,
                            mortal_outcome_name((int)expected->outcome), expected->attempts);
    bool is_by_itself = verdict.culprit != 0;
    if (verdict.outcome != MORTAL_KILLED && verdict.outcome != MORTAL_TIMED_OUT && is_by_itself != expected->by_itself)
        return judge_breach(scene, promise_fate, "slot %u: culprit %u", slot, verdict.culprit);
    return check_told_why(scene, slot, expected, &verdict);
}

static bool check_waits(struct scene *scene, uint32_t slot, const struct expected *expected, uint64_t word)
{
    const struct part *part = &scene->stage->parts[slot];
    const char        *promise = scene->truth->entered[slot] ? promise_once : promise_waits;
    if (word != word_make(part->generation, SLOT_PENDING, 0, 0))
        return judge_breach(scene, promise, "slot %u should wait, and its word is %#llx", slot, (unsigned long long)word);
    uint32_t starts = care_attempts(care_of(scene->region, slot));
    if (starts != expected->attempts)
        return judge_breach(scene, promise, "slot %u waits, charged with %u starts, and not %u", slot, starts,
                            expected->attempts);
    return true;
}

static bool check_slot(struct scene *scene, uint32_t slot)
{
    const struct part *part = &scene->stage->parts[slot];
    uint64_t           word = atomic_load(claim_of(scene->region, slot)), before = scene->before[slot];
    bool is_to_come = word_generation(before) == 0; /* it was submitted after this moment */
    if (!part->is_cast || part->lives_on || is_to_come)
        return word == before || judge_breach(scene, promise_others, "slot %u: %#llx became %#llx", slot,
                                              (unsigned long long)before, (unsigned long long)word);
    if (word_generation(word) != part->generation)
        return judge_breach(scene, promise_others, "slot %u is of generation %u", slot, word_generation(word));
    if (phase_is_running(word_phase(word)))
        return judge_breach(scene, promise_found, "slot %u runs on for ever in a dead host", slot);
    if (scene->truth->taken[slot] == 1 && word_phase(before) != SLOT_DYING)
        return judge_breach(scene, promise_decided, "slot %u: its claim had been taken, and its word became %#llx", slot,
                            (unsigned long long)before);
    if (scene->truth->taken[slot] == 2 && word_phase(before) != SLOT_CANCELLED)
        return judge_breach(scene, promise_decided, "slot %u had been cancelled, and its word became %#llx", slot,
                            (unsigned long long)before);
    struct expected expected = expect(scene, slot);
    return expected.waits ? check_waits(scene, slot, &expected, word) : check_ended(scene, slot, &expected);
}

bool judge_fates(struct scene *scene)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (!check_slot(scene, slot))
            return false;
    return true;
}
