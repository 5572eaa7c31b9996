/*
 * notes.c - mortal_task_progress and mortal_task_log: stores into the host's own arena, and no system call
 *
 * A line is formatted before the records are opened: what a format or an argument does wrong meets them shut.
 */
#include "region/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mortal.h>

#include "host/guard.h"
#include "host/worker.h"
#include "region/plant.h"
#include "system/clock.h"

static struct notes *notes_for(const struct mortal_task *task) {
    const struct worker *worker = task->worker;
    return notes_of(worker->region, worker->host->place.life, worker->index);
}

/* A process that a task forked has none of the region. */
static bool may_note(const struct mortal_task *task) {
    return task != NULL && task->order != NULL && *task->worker->host->still_here != 0;
}

static void tell_progress(const struct mortal_task *task, uint64_t done, uint64_t total) {
    struct notes *notes = notes_for(task);
    uint32_t next = atomic_load_explicit(&notes->current, memory_order_relaxed) + 1;
    struct progress *p = &notes->progress[next & (PROGRESS_COPIES - 1)];
    /* ORD(progress:reuse) pairs ORD(progress:again): that the one before is the whole one is told before this one
     * changes. */
    atomic_thread_fence(memory_order_release);
    if (PLANTED(PLANT_PROGRESS_BEFORE_COPY))
        atomic_store_explicit(&notes->current, next, memory_order_release);
    atomic_store_explicit(&p->word, task->word, memory_order_relaxed);
    atomic_store_explicit(&p->slot, task->slot, memory_order_relaxed);
    atomic_store_explicit(&p->done, done, memory_order_relaxed);
    atomic_store_explicit(&p->total, total, memory_order_relaxed);
    /* ORD(progress:told) pairs ORD(progress:seen) */
    atomic_store_explicit(&notes->current, next, memory_order_release);
}

void mortal_task_progress(mortal_task *task, uint64_t done, uint64_t total) {
    if (!may_note(task))
        return;
    int before = guard_open(task->worker->host);
    tell_progress(task, done, total);
    guard_restore(task->worker->host, before);
}

static void write_line(const struct mortal_task *task, const char *text, uint32_t bytes) {
    struct notes *notes = notes_for(task);
    /* Each caller has a line of its own, be it another thread of the task or a signal handler in the middle of this. */
    uint32_t number = atomic_fetch_add_explicit(&notes->lines, 1, memory_order_relaxed);
    struct note_line *line = &notes->line[number & (NOTE_LINES - 1)];
    atomic_store_explicit(&line->word, 0, memory_order_relaxed);
    /* Read after a certain death only, which comes after all stores that were made; the compiler is to keep their
     * order. ORD(line:half) pairs ORD(line:read). */
    atomic_signal_fence(memory_order_release);
    line->at_ns = clock_ns();
    line->slot = task->slot;
    line->number = number;
    line->bytes = bytes;
    memcpy(line->text, text, bytes);
    /* ORD(line:told) pairs ORD(line:read) */
    atomic_store_explicit(&line->word, task->word, memory_order_release);
}

void mortal_task_log(mortal_task *task, const char *format, ...) {
    char text[NOTE_BYTES + 1];
    if (!may_note(task) || format == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    uint32_t bytes = length > (int)NOTE_BYTES ? NOTE_BYTES : (uint32_t)length;
    while (bytes != 0 && text[bytes - 1] == '\n')
        bytes--;
    int before = guard_open(task->worker->host);
    write_line(task, text, bytes);
    guard_restore(task->worker->host, before);
}
