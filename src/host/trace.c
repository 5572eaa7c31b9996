/*
 * trace.c - a thread's own account of where it is: addresses now, names later, in another process
 *
 * All of it runs in signal handlers, of threads whose memory may be in any state. What goes wrong here must cost the
 * backtrace only: the last words are said before, and a crash within is caught and left behind.
 */
#include "host/trace.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mortal.h>

#include "host/guard.h"
#include "host/worker.h"
#include "region/notes.h"
#include "system/unwind.h"

static struct host *this_host;
static sigjmp_buf way_out;
static volatile pid_t tracing; /* the thread that is at it; one only, see trace->taken */

static pid_t thread_id(void) { return (pid_t)syscall(SYS_gettid); }

void trace_escape(void) {
    if (tracing != 0 && tracing == thread_id())
        siglongjmp(way_out, 1);
}

static void copy_path(char *to, const char *path) {
    size_t i = 0;
    for (; path != NULL && path[i] != '\0' && i < MODULE_BYTES - 1; i++)
        to[i] = path[i];
    to[i] = '\0';
}

/* Index + 1 of the address's module in the trace, 0 if there is none. ORD(*) read after a certain death. */
static uint8_t module_number(struct trace *trace, uint64_t address) {
    uint64_t base;
    const char *path;
    if (!unwind_module(address, &base, &path))
        return 0;
    uint32_t count = atomic_load(&trace->module_count);
    for (uint32_t i = 0; i < count && i < TRACE_MODULES; i++)
        if (trace->modules[i].base == base)
            return (uint8_t)(i + 1);
    if (count >= TRACE_MODULES)
        return 0;
    trace->modules[count].base = base;
    copy_path(trace->modules[count].path, path);
    atomic_store(&trace->module_count, count + 1);
    return (uint8_t)(count + 1);
}

static void write_frames(struct trace *trace, const void *context, uint64_t from) {
    if (context != NULL) {
        struct unwind_place place = unwind_interrupted(context);
        trace->at = place.at;
        trace->module_of_at = module_number(trace, place.at);
        /* A call through a wild pointer: there is nothing to unwind, but its caller stands on the stack. */
        if (trace->module_of_at == 0 && (trace->module_of_caller = module_number(trace, place.caller)) != 0)
            trace->caller = place.caller;
    } else {
        trace->at = from;
        trace->module_of_at = module_number(trace, from);
    }
    unwind(trace->frames, TRACE_FRAMES);
}

static void write_modules(struct trace *trace) {
    for (uint32_t i = 0; i < TRACE_FRAMES && trace->frames[i] != 0; i++)
        trace->module_of[i] = module_number(trace, trace->frames[i]);
}

/* Signals of faults are let through meanwhile: blocked, one would end the process here and now. */
static void unblock_faults(void) {
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    sigaddset(&faults, SIGILL);
    sigaddset(&faults, SIGFPE);
    sigprocmask(SIG_UNBLOCK, &faults, NULL);
}

static bool take(const struct host *host, const void *context, uint64_t from) {
    struct trace *trace = trace_of(host->region, host->place.life);
    if (atomic_exchange(&trace->taken, 1) != 0)
        return false;
    atomic_store(&trace->state, TRACE_BEGUN);
    sigset_t before;
    sigprocmask(SIG_BLOCK, NULL, &before);
    unblock_faults();
    for (volatile int part = 0; part < 2; part++) {
        if (sigsetjmp(way_out, 0) != 0) {
            (void)guard_open(host); /* left behind with the handler of that crash, which had it shut */
            unblock_faults();
            continue;
        }
        tracing = thread_id();
        if (part == 0)
            write_frames(trace, context, from);
        else
            write_modules(trace);
    }
    tracing = 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    /* ORD(trace:done) pairs ORD(trace:seen): what it says is there before. */
    atomic_store_explicit(&trace->state, TRACE_DONE, memory_order_release);
    return true;
}

void trace_crash(struct host *host, const void *context, uint64_t from) {
    if ((host->heritage->backtrace & MORTAL_BACKTRACE_CRASH) == 0)
        return;
    int before = guard_open(host);
    (void)take(host, context, from);
    guard_restore(host, before);
}

static void on_question(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    struct host *host = this_host;
    if (host == NULL || *host->still_here == 0 || info->si_code != SI_TKILL ||
        info->si_pid != host->heritage->supervisor_pid)
        return;
    int saved = errno;
    int before = guard_open(host);
    if (take(host, context, 0))
        worker_notify_supervisor(host);
    guard_restore(host, before);
    errno = saved;
}

static bool is_asked_for(const struct host *host) {
    return (host->heritage->backtrace & (MORTAL_BACKTRACE_DEADLINE | MORTAL_BACKTRACE_KILL)) != 0;
}

void trace_listen(struct host *host) {
    if (!is_asked_for(host))
        return;
    this_host = host;
    struct sigaction action = {.sa_sigaction = on_question, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGNAL_TRACE, &action, NULL);
}

void trace_unblock(const struct host *host, sigset_t *mask) {
    if (is_asked_for(host))
        sigdelset(mask, SIGNAL_TRACE);
}
