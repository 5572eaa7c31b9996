#include "host/lastwords.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/guard.h"
#include "host/limits.h"
#include "host/trace.h"
#include "host/worker.h"
#include "system/memory.h"

#define ALTERNATE_STACK_BYTES (64u << 10)

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGXFSZ};
#define FATAL_SIGNALS (sizeof fatal_signals / sizeof *fatal_signals)

static struct host *this_host; /* one per process; null in a template */

static bool is_host(void) { return this_host != NULL && *this_host->still_here != 0; }

/* Memory of the pool's that was to come when it is touched, and did not: of results, or of buffers. Nobody can make these
 * segments shorter, so there is no other way to that signal there. */
static bool lacks_page(const struct host *host, int signal_number, int code, uintptr_t address) {
    const struct region *r = host->region;
    if (signal_number != SIGBUS || code != BUS_ADRERR)
        return false;
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        if (kind != WINDOW_FILES && address - (uintptr_t)r->windows[kind].base < r->windows[kind].bytes)
            return true;
    return address - (uintptr_t)heap_of(r, host->place.life) < r->g.results_bytes;
}

#define NEAR_NULL 65536u /* a member of a struct, or an element of an array, that malloc did not give */

static bool say(struct host *host, enum last_words_kind kind, const siginfo_t *info, int signal_number, int error) {
    struct host_head *head = host_head(host->region, host->place.life);
    /* One only speaks; what it says is told by ORD(words:said). */
    if (atomic_exchange_explicit(&head->words_taken, 1, memory_order_acq_rel) != 0)
        return false;
    const struct worker *worker = worker_self();
    head->worker = worker != NULL ? worker->index : NO_WORKER;
    head->signal = signal_number;
    head->signal_code = info != NULL ? info->si_code : 0;
    bool has_address = info != NULL && info->si_code > 0 && signal_number != SIGABRT && signal_number != SIGSYS &&
                       signal_number != SIGXFSZ;
    head->fault_address = has_address ? (uintptr_t)info->si_addr : 0;
    bool gives_up = kind == WORDS_SIGNAL && (signal_number == SIGABRT || (has_address && head->fault_address < NEAR_NULL));
    head->lacks_memory = limits_lack_memory(host, error, gives_up) ||
                         (has_address && lacks_page(host, signal_number, info->si_code, head->fault_address));
    /* ORD(words:said) pairs ORD(words:read): last, since a death in between must leave no half a sentence. */
    atomic_store_explicit(&head->words, kind, memory_order_release);
    return true;
}

/* Spoken from within tasks, and from signal handlers, for which everything is shut. */
bool lastwords_say(struct host *host, enum last_words_kind kind, const siginfo_t *info, int signal_number) {
    int error = errno, before = guard_open(host);
    bool said = say(host, kind, info, signal_number, error);
    guard_restore(host, before);
    errno = error;
    return said;
}

static void on_fatal_signal(int signal_number, siginfo_t *info, void *context) {
    trace_escape();
    if (is_host() && lastwords_say(this_host, WORDS_SIGNAL, info, signal_number))
        trace_crash(this_host, context, 0);
    signal(signal_number, SIG_DFL);
    /* A fault happens again on return and then ends the process as it would have without us. What was sent, and what
     * steps over its instruction, has to be sent again; it is blocked until this handler returns. */
    if (info->si_code <= 0 || signal_number == SIGTRAP || signal_number == SIGSYS)
        (void)syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal_number);
}

void lastwords_catch(struct host *host) {
    this_host = host;
    struct sigaction action = {.sa_sigaction = on_fatal_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction before;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL_SIGNALS; i++)
        if (fatal_signals[i] != SIGXFSZ || (sigaction(SIGXFSZ, NULL, &before) == 0 && before.sa_handler == SIG_DFL))
            sigaction(fatal_signals[i], &action, NULL); /* a program that ignores SIGXFSZ sees an error instead */
}

void lastwords_unblock(sigset_t *mask) {
    for (size_t i = 0; i < FATAL_SIGNALS; i++)
        sigdelset(mask, fatal_signals[i]);
}

void lastwords_alternate_stack(void) {
    stack_t stack = {.ss_sp = memory_private(ALTERNATE_STACK_BYTES), .ss_size = ALTERNATE_STACK_BYTES};
    if (stack.ss_sp != NULL)
        sigaltstack(&stack, NULL);
}

static void on_exit_of_process(int status, void *unused) {
    (void)unused;
    if (this_host != NULL && *this_host->still_here == 0)
        return; /* a process that a task forked: its exit is its own affair */
    if (this_host != NULL && lastwords_say(this_host, WORDS_EXIT, NULL, 0))
        trace_crash(this_host, NULL, (uintptr_t)__builtin_return_address(0));
    (void)fflush(NULL);
    _exit(status);
}

void lastwords_at_exit(void) { on_exit(on_exit_of_process, NULL); }

void lastwords_of_thread(void *host) {
    (void)lastwords_say(host, WORDS_THREAD_EXIT, NULL, 0);
    (void)fflush(NULL);
    _exit(HOST_EXIT_BROKEN);
}
