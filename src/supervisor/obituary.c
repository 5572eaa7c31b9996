/*
 * obituary.c - what is to be told of a host that is certainly dead
 *
 * Written before its tasks' words say how they ended: so these are still as they were at the instant of death, and whoever
 * reads of the death in a verdict finds the obituary. What the host itself left is copied with every length bounded; it
 * may be wrong, and nothing is decided by it.
 */
#include <string.h>

#include "region/obituary.h"
#include "supervisor/state.h"
#include "system/clock.h"
#include "system/memory.h"

/* ORD(*) of what certainly dead hosts wrote: the kernel comes after all they did. */

/* Made here and not when the pool opens: few pools see hundreds of deaths. Without memory for it a death is told by the
 * verdicts only. */
void obituary_prepare(struct supervisor *s) {
    if (s->obituaries_made > s->obituaries || s->obituaries_made >= OBITUARIES)
        return;
    if (memory_commit(obituary_of(s->region, s->obituaries + 1), sizeof(struct obituary_record), -1, 0) == 0)
        s->obituaries_made = s->obituaries + 1;
}

void obituary_blame(struct supervisor *s, uint32_t berth, enum sentence sentence, uint32_t worker, uint32_t slot,
                    uint64_t since_ns) {
    static const int32_t reasons[] = {
        [SENTENCE_NONE] = MORTAL_ASKED_AUDIT,        [SENTENCE_KILL] = MORTAL_ASKED_KILL,
        [SENTENCE_KILL_RUNNING] = MORTAL_ASKED_KILL, [SENTENCE_DEADLINE] = MORTAL_ASKED_DEADLINE,
        [SENTENCE_WITHIN] = MORTAL_ASKED_WITHIN,     [SENTENCE_MEMORY] = MORTAL_ASKED_CAP,
        [SENTENCE_CPU] = MORTAL_ASKED_CAP,           [SENTENCE_PROCESSES] = MORTAL_ASKED_CAP,
    };
    struct host_record *record = &s->hosts[berth];
    if (record->blamed_worker != NO_WORKER || record->asked_for != MORTAL_ASKED_NOBODY)
        return;
    record->asked_for = reasons[sentence];
    record->asked_ns = since_ns;
    record->blamed_worker = worker;
    record->blamed_slot = slot;
}

/* The slot of the task that this worker had begun, or NO_POSITION. That of a task for whose sake its host was killed we
 * know ourselves, whatever became of its desk. */
static uint32_t begun_by(const struct supervisor *s, const struct host_record *record, uint32_t worker) {
    const struct region *r = s->region;
    uint32_t life = record->life;
    const struct desk *desk = desk_of(r, life, worker);
    bool is_known = worker == record->blamed_worker;
    uint32_t intent = is_known ? record->blamed_slot + 1 : atomic_load(&desk->intent);
    if (intent == 0 || intent > r->g.slots)
        return NO_POSITION;
    uint64_t word = atomic_load(claim_of(r, intent - 1));
    bool is_its = phase_is_running(word_phase(word)) && word_life(word) == life && word_worker(word) == worker &&
                  (is_known || atomic_load(&desk->begun) == word_with_phase(word, SLOT_RUNNING));
    return is_its ? intent - 1 : NO_POSITION;
}

/* The owner may let go of the slot at any time if its word was overwritten: then what is told here is of the next one. */
static void tell_task(const struct supervisor *s, struct obituary_task *task, uint32_t slot) {
    const struct region *r = s->region;
    const struct order *order = order_of(r, slot);
    *task = (struct obituary_task){.slot = slot, .generation = word_generation(atomic_load(claim_of(r, slot)))};
    task->ticket = atomic_load_explicit(&order->ticket, memory_order_relaxed);
    task->attempt = care_attempts(care_of(r, slot)) + 1;
    if ((atomic_load_explicit(&order->flags, memory_order_relaxed) & ORDER_NAMED) == 0)
        return;
    memcpy(task->name, name_of(r, slot), NAME_BYTES - 1);
}

static void tell_line(struct obituary_record *o, const struct note_line *from) {
    struct obituary_line *line = &o->lines[o->line_count++];
    line->at_ns = from->at_ns;
    uint32_t bytes = *(const volatile uint32_t *)&from->bytes; /* once: the kernel may still write there for the dead host */
    line->bytes = bytes < NOTE_BYTES ? bytes : NOTE_BYTES;
    memcpy(line->text, from->text, line->bytes);
}

/* Oldest first. A line that was being written has no word; one of an earlier task has another. */
static void tell_notes(const struct supervisor *s, struct obituary_record *o, uint32_t life, uint32_t worker,
                       uint32_t slot) {
    const struct notes *notes = notes_of(s->region, life, worker);
    uint64_t word = word_with_phase(atomic_load(claim_of(s->region, slot)), SLOT_RUNNING);
    o->has_progress = progress_read(notes, word, slot, &o->done, &o->total);
    uint32_t next = atomic_load_explicit(&notes->lines, memory_order_relaxed);
    for (uint32_t i = 0; i < NOTE_LINES; i++) {
        uint32_t number = next - NOTE_LINES + i;
        const struct note_line *line = &notes->line[number & (NOTE_LINES - 1)];
        /* ORD(line:read) pairs ORD(line:told), ORD(line:half) */
        if (atomic_load_explicit(&line->word, memory_order_acquire) == word && line->slot == slot &&
            line->number == number)
            tell_line(o, line);
    }
}

static void tell_tasks(const struct supervisor *s, struct obituary_record *o, const struct host_record *record,
                       uint32_t culprit) {
    for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++) {
        o->tasks += atomic_load_explicit(&desk_of(s->region, record->life, worker)->ran, memory_order_relaxed);
        uint32_t slot = begun_by(s, record, worker);
        if (slot == NO_POSITION)
            continue;
        if (worker == culprit) {
            o->has_culprit = 1;
            tell_task(s, &o->culprit, slot);
            tell_notes(s, o, record->life, worker, slot);
        }
        bool was_meant = record->watches[worker].sentence != SENTENCE_NONE || worker == culprit;
        o->condemned += was_meant;
        if (was_meant)
            continue;
        if (o->collateral < OBITUARY_OTHERS)
            tell_task(s, &o->others[o->collateral], slot);
        o->collateral++;
    }
}

static void add_frame(struct obituary_record *o, uint64_t address, uint8_t module) {
    if (o->frame_count == OBITUARY_FRAMES)
        return;
    o->frames[o->frame_count] = address;
    o->module_of[o->frame_count++] = module <= o->module_count ? module : 0;
}

/* Without the frames of the handler that took it. Where unwinding did not get as far as the thread's own, there are the
 * instruction and perhaps its caller. */
static void tell_trace(const struct supervisor *s, struct obituary_record *o, const struct host_record *record) {
    const struct trace *trace = trace_of(s->region, record->life);
    bool was_taken = atomic_load(&trace->state) != TRACE_NONE;
    o->backtrace = was_taken ? MORTAL_BACKTRACE_TAKEN
                             : record->was_asked_where ? MORTAL_BACKTRACE_NO_ANSWER : MORTAL_BACKTRACE_NOT_ASKED;
    if (!was_taken)
        return;
    uint32_t count = 0, from = 0, modules = atomic_load(&trace->module_count);
    o->module_count = modules < TRACE_MODULES ? modules : TRACE_MODULES;
    memcpy(o->modules, trace->modules, o->module_count * sizeof *o->modules);
    for (uint32_t i = 0; i < o->module_count; i++)
        o->modules[i].path[MODULE_BYTES - 1] = '\0';
    while (count < TRACE_FRAMES && trace->frames[count] != 0)
        count++;
    while (from < count && trace->at != 0 && trace->frames[from] != trace->at)
        from++;
    if (from == count && trace->at != 0) {
        add_frame(o, trace->at, trace->module_of_at);
        if (trace->caller != 0)
            add_frame(o, trace->caller, trace->module_of_caller);
    }
    for (; from < count; from++)
        add_frame(o, trace->frames[from], trace->module_of[from]);
    if (o->frame_count == 0)
        o->backtrace = MORTAL_BACKTRACE_NO_ANSWER;
}

static uint64_t to_ns(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

static void tell_host(const struct supervisor *s, struct obituary_record *o, const struct host_record *record,
                      const struct death *death) {
    o->pid = record->pid;
    o->birth = record->birth;
    o->born_ns = record->born_ns;
    o->died_ns = death->at_ns;
    o->died_wall_ns = clock_wall_ns();
    o->user_ns = to_ns(s->dead_usage.ru_utime);
    o->system_ns = to_ns(s->dead_usage.ru_stime);
    o->peak_bytes = (uint64_t)s->dead_usage.ru_maxrss * 1024;
    o->cause = death->cause;
    o->signal = death->signal;
    o->signal_code = death->signal_code;
    o->exit_code = death->exit_code;
    o->fault_address = death->fault_address;
    o->asked = death->asked ? record->asked_for : MORTAL_ASKED_NOBODY;
    o->asked_ns = death->asked ? record->asked_ns : 0;
    bool starting = record->state == HOST_STARTING || record->asked_for == MORTAL_ASKED_START;
    o->stage = starting ? MORTAL_STAGE_STARTING
                        : record->position != NO_POSITION || record->replaced ? MORTAL_STAGE_ACTIVE
                                                                              : MORTAL_STAGE_STANDBY;
}

uint64_t obituary_write(struct supervisor *s, uint32_t berth, const struct death *death) {
    const struct host_record *record = &s->hosts[berth];
    obituary_prepare(s);
    uint64_t number = ++s->obituaries;
    if (s->obituaries_made < number && s->obituaries_made < OBITUARIES)
        return number; /* no memory: its place stays empty */
    struct obituary_record *o = obituary_of(s->region, number);
    atomic_store_explicit(&o->number, 0, memory_order_relaxed);
    /* ORD(obituary:reuse) pairs ORD(obituary:again): that it is no whole one is told before anything in it changes. */
    atomic_thread_fence(memory_order_release);
    memset((uint8_t *)o + sizeof o->number, 0, sizeof *o - sizeof o->number);
    tell_host(s, o, record, death);
    if (arena_is_its_own(s, record)) {
        uint32_t culprit = death->asked ? record->blamed_worker : death->culprit;
        tell_tasks(s, o, record, culprit);
        tell_trace(s, o, record);
    }
    /* ORD(obituary:told) pairs ORD(obituary:read) */
    atomic_store_explicit(&o->number, number, memory_order_release);
    atomic_store_explicit(&control_head(s->region)->obituaries, number, memory_order_release);
    return number;
}
