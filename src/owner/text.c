/* text.c - verdicts for people */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <mortal.h>

const char *mortal_outcome_name(int outcome) {
    static const char *const names[] = {
        [MORTAL_DONE] = "done",           [MORTAL_FAILED] = "failed",
        [MORTAL_CANCELLED] = "cancelled", [MORTAL_EXPIRED] = "expired",
        [MORTAL_KILLED] = "killed",       [MORTAL_TIMED_OUT] = "timed out",
        [MORTAL_CRASHED] = "crashed",     [MORTAL_COLLATERAL] = "collateral",
        [MORTAL_OUT_OF_MEMORY] = "out of memory", [MORTAL_QUARANTINED] = "quarantined",
        [MORTAL_LOST] = "lost",
    };
    bool known = outcome >= MORTAL_DONE && outcome <= MORTAL_LOST;
    return known ? names[outcome] : "unknown";
}

static int cause_text(const mortal_verdict *v, char *text, size_t bytes) {
    const char *name = sigabbrev_np(v->signal);
    switch (v->cause) {
    case MORTAL_CAUSE_SIGNAL:
        if (name == NULL) /* a real-time signal, or none at all */
            return snprintf(text, bytes, ": signal %d", v->signal);
        if (v->fault_address != 0 || (v->signal_code > 0 && v->signal != SIGABRT))
            return snprintf(text, bytes, ": SIG%s at 0x%" PRIx64, name, v->fault_address);
        return snprintf(text, bytes, ": SIG%s", name);
    case MORTAL_CAUSE_EXIT:
        return snprintf(text, bytes, ": it called exit, code %d", v->exit_code);
    case MORTAL_CAUSE_EXEC:
        return snprintf(text, bytes, ": it replaced its process by another program (exec)");
    case MORTAL_CAUSE_THREAD_EXIT:
        return snprintf(text, bytes, ": it ended its thread");
    case MORTAL_CAUSE_NO_MODULE:
        return snprintf(text, bytes, ": its host could not load the module of its function, or found another file there");
    case MORTAL_CAUSE_PROCESSES:
        return snprintf(text, bytes, ": it had more processes than it may");
    default:
        return snprintf(text, bytes, "%s", "");
    }
}

static int memory_text(const mortal_verdict *v, char *text, size_t bytes) {
    char how[128];
    if (v->cause == MORTAL_CAUSE_MEMORY)
        return snprintf(text, bytes, ": its host held more than it may, may have partly run");
    (void)cause_text(v, how, sizeof how);
    return snprintf(text, bytes, v->cause == MORTAL_CAUSE_SIGNAL && v->signal == SIGBUS
                                     ? ": there was none for a page that it touched%s" : ": it was refused more%s", how);
}

static int detail_text(const mortal_verdict *v, char *text, size_t bytes) {
    switch (v->outcome) {
    case MORTAL_FAILED:
        return snprintf(text, bytes, ": status %d", v->status);
    case MORTAL_CANCELLED:
        return snprintf(text, bytes, v->attempts == 0 ? ": never started" : ": while it waited to start again");
    case MORTAL_EXPIRED:
        return snprintf(text, bytes, v->attempts == 0 ? ": not started in time" : ": not started again in time");
    case MORTAL_KILLED:
        return snprintf(text, bytes, ": may have partly run");
    case MORTAL_TIMED_OUT:
        return snprintf(text, bytes, v->cause == MORTAL_CAUSE_CPU ? ": its processor time was over, may have partly run"
                                                                   : ": its time was over, may have partly run");
    case MORTAL_OUT_OF_MEMORY:
        return memory_text(v, text, bytes);
    case MORTAL_CRASHED:
    case MORTAL_QUARANTINED: /* by how the last attempt ended */
        return cause_text(v, text, bytes);
    case MORTAL_COLLATERAL:
        return snprintf(text, bytes, ": its host ended through another task, may have partly run");
    case MORTAL_LOST:
        return snprintf(text, bytes, ": nobody can tell how it ended");
    default:
        return snprintf(text, bytes, "%s", "");
    }
}

static const char *cleanup_text(int cleanup) {
    static const char *const texts[] = {
        [MORTAL_CLEANUP_FAILED] = "; its clean-up failed",   [MORTAL_CLEANUP_TIMED_OUT] = "; its clean-up timed out",
        [MORTAL_CLEANUP_CRASHED] = "; its clean-up crashed", [MORTAL_CLEANUP_MISSED] = "; its clean-up was not run",
    };
    return cleanup >= MORTAL_CLEANUP_FAILED && cleanup <= MORTAL_CLEANUP_MISSED ? texts[cleanup] : "";
}

size_t mortal_verdict_text(const mortal_verdict *verdict, char *text, size_t text_bytes) {
    char detail[160], attempts[48] = "";
    if (verdict == NULL) {
        if (text_bytes != 0)
            text[0] = '\0';
        return 0;
    }
    (void)detail_text(verdict, detail, sizeof detail);
    if (verdict->attempts > 1 || (verdict->attempts == 1 && verdict->outcome == MORTAL_CRASHED))
        (void)snprintf(attempts, sizeof attempts, ", attempt %" PRIu32, verdict->attempts);
    bool blames = verdict->outcome == MORTAL_CRASHED || verdict->outcome == MORTAL_QUARANTINED ||
                  verdict->outcome == MORTAL_OUT_OF_MEMORY;
    const char *unsure = blames && verdict->culprit == 0 ? ", or another task of its host" : "";
    int length = snprintf(text, text_bytes, "%s%s%s%s%s", mortal_outcome_name(verdict->outcome), detail, attempts, unsure,
                          cleanup_text(verdict->cleanup));
    return length < 0 ? 0 : (size_t)length;
}

uint32_t mortal_version(void) {
    return MORTAL_VERSION_MAJOR * 10000 + MORTAL_VERSION_MINOR * 100 + MORTAL_VERSION_PATCH;
}
