/*
 * trace.c - where a task hangs, asked of its thread before its host is killed
 *
 * Only where the pool's options ask for it, and never as a wait: the host is doomed as ever, so that it claims nothing
 * more, and its task's fate is decided already; the SIGKILL follows when the thread has answered, or after 2 ms, while
 * the supervisor goes on with everything else. Who blocks the signal, or is deep in the kernel, does not answer.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "region/notes.h"
#include "supervisor/state.h"
#include "system/clock.h"

#define TRACE_PATIENCE_NS 2000000ull

bool trace_is_wanted(const struct supervisor *s, enum sentence sentence) {
    uint32_t wanted = s->backtrace;
    switch (sentence) {
    case SENTENCE_KILL:
    case SENTENCE_KILL_RUNNING:
        return (wanted & MORTAL_BACKTRACE_KILL) != 0;
    case SENTENCE_DEADLINE:
    case SENTENCE_WITHIN:
    case SENTENCE_CPU:
        return (wanted & MORTAL_BACKTRACE_DEADLINE) != 0;
    case SENTENCE_NONE:
    case SENTENCE_MEMORY: /* it grows meanwhile */
    case SENTENCE_PROCESSES:
        break;
    }
    return false;
}

bool trace_ask(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    if (record->blamed_worker == NO_WORKER)
        return false;
    const struct watch *watch = &record->watches[record->blamed_worker];
    if (!trace_is_wanted(s, watch->sentence) || !arena_is_its_own(s, record))
        return false;
    pid_t thread = containment_thread(s, berth, record->blamed_worker);
    /* The thread's id was read before any task ran, and is one of that process or of nobody. */
    if (thread <= 0 || syscall(SYS_tgkill, record->pid, thread, SIGNAL_TRACE) != 0)
        return false;
    record->was_asked_where = true;
    record->trace_until_ns = clock_ns() + TRACE_PATIENCE_NS;
    s->traces++;
    return true;
}

static void strike(struct supervisor *s, struct host_record *record) {
    record->trace_until_ns = 0;
    s->traces--;
    if (record->state == HOST_DYING)
        kill(record->pid, SIGKILL);
}

void trace_forget(struct supervisor *s, struct host_record *record) {
    s->traces -= record->trace_until_ns != 0;
    record->trace_until_ns = 0;
}

void trace_hurry(struct supervisor *s, uint32_t berth) {
    if (s->hosts[berth].trace_until_ns != 0)
        strike(s, &s->hosts[berth]);
}

static bool has_answered(const struct supervisor *s, const struct host_record *record) {
    /* ORD(trace:seen) pairs ORD(trace:done) */
    return atomic_load_explicit(&trace_of(s->region, record->life)->state, memory_order_acquire) == TRACE_DONE;
}

void trace_check(struct supervisor *s) {
    if (s->traces == 0)
        return;
    uint64_t now = clock_ns();
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        struct host_record *record = &s->hosts[i];
        if (record->trace_until_ns != 0 &&
            (record->state != HOST_DYING || now >= record->trace_until_ns || has_answered(s, record)))
            strike(s, record);
    }
}

uint64_t trace_next_ns(const struct supervisor *s) {
    uint64_t next = NEVER;
    for (uint32_t i = 0; s->traces != 0 && i < s->region->g.berths; i++)
        if (s->hosts[i].trace_until_ns != 0 && s->hosts[i].trace_until_ns < next)
            next = s->hosts[i].trace_until_ns;
    return next;
}
