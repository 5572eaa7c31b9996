/*
 * obituary.c - the owner's copy of what the supervisor wrote of a host that died
 *
 * The supervisor bounded what the host had left; its meaning is still the host's. So it is told, and nothing is done by
 * it: an index is looked at again, a text is ended here, and a path is opened by symbols.c as one that may be forged.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "owner/seat.h"
#include "owner/symbols.h"
#include "region/obituary.h"
#include "system/why.h"

_Static_assert(MORTAL_OBITUARY_OTHERS == OBITUARY_OTHERS, "what is shown is what is recorded");
_Static_assert(MORTAL_OBITUARY_FRAMES == OBITUARY_FRAMES, "likewise");
_Static_assert(MORTAL_OBITUARY_LINES == NOTE_LINES, "likewise");
_Static_assert(MORTAL_OBITUARY_MODULES == TRACE_MODULES, "likewise");

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Ends at the first zero byte, or where it must. */
static void copy_text(char *to, size_t room, const char *from, size_t bytes) {
    size_t count = strnlen(from, bytes < room - 1 ? bytes : room - 1);
    memcpy(to, from, count);
    to[count] = '\0';
}

static void tell_task(const struct pool *pool, mortal_obituary_task *task, const struct obituary_task *from) {
    task->ticket = from->ticket;
    task->attempt = from->attempt;
    copy_text(task->name, sizeof task->name, from->name, sizeof from->name);
    if (from->slot >= pool->slots_used)
        return;
    const struct entry *entry = &pool->entries[from->slot];
    if (entry->state != ENTRY_FREE && !entry->released && (entry->life & GENERATION_MASK) == from->generation)
        task->future = seat_future(pool, from->slot);
}

static void tell_tasks(const struct pool *pool, mortal_obituary *o, const struct obituary_record *from) {
    o->has_culprit = from->has_culprit;
    o->condemned = from->condemned;
    o->collateral = from->collateral;
    o->has_progress = from->has_progress;
    o->done = from->done;
    o->total = from->total;
    if (from->has_culprit != 0)
        tell_task(pool, &o->culprit, &from->culprit);
    for (uint32_t i = 0; i < least(from->collateral, OBITUARY_OTHERS); i++)
        tell_task(pool, &o->others[i], &from->others[i]);
    o->line_count = least(from->line_count, NOTE_LINES);
    for (uint32_t i = 0; i < o->line_count; i++) {
        o->lines[i].at_ns = from->lines[i].at_ns;
        copy_text(o->lines[i].text, sizeof o->lines[i].text, from->lines[i].text,
                  least(from->lines[i].bytes, NOTE_BYTES));
    }
}

static void tell_trace(mortal_obituary *o, const struct obituary_record *from) {
    o->backtrace = from->backtrace;
    o->frame_count = least(from->frame_count, OBITUARY_FRAMES);
    o->module_count = least(from->module_count, TRACE_MODULES);
    for (uint32_t i = 0; i < o->module_count; i++) {
        copy_text(o->modules[i], sizeof o->modules[i], from->modules[i].path, MODULE_BYTES);
        if (o->modules[i][0] != '\0')
            continue;
        ssize_t length = readlink("/proc/self/exe", o->modules[i], sizeof o->modules[i] - 1);
        o->modules[i][length > 0 ? length : 0] = '\0';
    }
    for (uint32_t i = 0; i < o->frame_count; i++) {
        mortal_obituary_frame *frame = &o->frames[i];
        uint32_t module = from->module_of[i];
        bool is_known = module != 0 && module <= o->module_count;
        frame->address = from->frames[i];
        frame->module = is_known ? (int32_t)module - 1 : -1;
        frame->offset = is_known ? frame->address - from->modules[module - 1].base : 0;
    }
}

static void tell_host(mortal_obituary *o, const struct obituary_record *from) {
    o->host = from->birth;
    o->pid = from->pid;
    o->stage = from->stage;
    o->born_ns = from->born_ns;
    o->died_ns = from->died_ns;
    o->died_wall_ns = from->died_wall_ns;
    o->cause = from->cause;
    o->signal = from->signal;
    o->signal_code = from->signal_code;
    o->exit_code = from->exit_code;
    o->fault_address = from->fault_address;
    o->asked = from->asked;
    o->latency_ns = from->asked_ns != 0 && from->asked_ns < from->died_ns ? from->died_ns - from->asked_ns : 0;
    o->user_ns = from->user_ns;
    o->system_ns = from->system_ns;
    o->memory_peak_bytes = from->peak_bytes;
    o->tasks = from->tasks;
}

/* -ENOENT: it is not there any more, or never was for lack of memory. */
static int copy_record(const struct region *r, uint64_t number, struct obituary_record *to) {
    const struct obituary_record *from = obituary_of(r, number);
    /* ORD(obituary:read) pairs ORD(obituary:told) */
    if (atomic_load_explicit(&from->number, memory_order_acquire) != number)
        return -ENOENT;
    memcpy((uint8_t *)to + sizeof to->number, (const uint8_t *)from + sizeof from->number,
           sizeof *to - sizeof to->number);
    /* ORD(obituary:again) pairs ORD(obituary:reuse): the copy, then whether it was of that one to its end. */
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&from->number, memory_order_relaxed) == number ? 0 : -ENOENT;
}

static int find(const struct region *r, uint64_t number, struct obituary_record *record) {
    for (;;) {
        /* ORD(obituary:read): what is counted is there. */
        uint64_t last = atomic_load_explicit(&control_head(r)->obituaries, memory_order_acquire);
        uint64_t wanted = number != 0 ? number : last;
        if (wanted == 0 || wanted > last)
            return why(-ENOENT, "mortal_pool_obituary: %" PRIu64 " is not there yet: %" PRIu64 " hosts have died",
                       wanted, last);
        if (copy_record(r, wanted, record) == 0) {
            atomic_store_explicit(&record->number, wanted, memory_order_relaxed);
            return 0;
        }
        uint64_t now = atomic_load_explicit(&control_head(r)->obituaries, memory_order_relaxed);
        if (number != 0 || now == last) /* else the last one has become an old one */
            return why(-ENOENT, "mortal_pool_obituary: %" PRIu64 " is not kept any more: the last %u are, of %" PRIu64
                                "; read them sooner", wanted, OBITUARIES, last);
    }
}

int mortal_pool_obituary(mortal_pool *handle, uint64_t number, mortal_obituary *obituary) {
    struct pool *pool;
    struct obituary_record record;
    if (obituary == NULL)
        return why(-EINVAL, "mortal_pool_obituary: obituary is null");
    int saved = errno;
    int error = seat_enter(handle, "mortal_pool_obituary", &pool);
    if (error != 0)
        return error;
    error = find(pool->region, number, &record);
    if (error == 0) {
        memset(obituary, 0, sizeof *obituary);
        obituary->number = atomic_load_explicit(&record.number, memory_order_relaxed);
        tell_host(obituary, &record);
        tell_tasks(pool, obituary, &record);
        tell_trace(obituary, &record);
    }
    seat_unlock(pool);
    if (error == 0)
        symbols_name(obituary); /* reads files: not while others wait for the pool */
    errno = saved;
    return error;
}
