/* obituary_json.c - obituaries for programs: one object in one line, RFC 8259 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "owner/print.h"

static void string(struct print *to, const char *text) {
    print(to, "\"");
    for (size_t left = strlen(text); left != 0;) {
        unsigned char first = (unsigned char)*text;
        size_t length = print_character(text, left);
        if (first == '"' || first == '\\')
            print(to, "\\%c", first);
        else if (length != 0)
            print_bytes(to, text, length);
        else if (first < 0x20 || first == 0x7f)
            print(to, "\\u%04x", first);
        else
            print(to, "\\ufffd");
        text += length != 0 ? length : 1;
        left -= length != 0 ? length : 1;
    }
    print(to, "\"");
}

static void task(struct print *to, const mortal_obituary_task *t) {
    print(to, "{\"ticket\":%" PRIu64 ",\"attempt\":%" PRIu32 ",\"name\":", t->ticket, t->attempt);
    string(to, t->name);
    print(to, "}");
}

static void tasks(struct print *to, const mortal_obituary *o) {
    print(to, ",\"culprit\":");
    if (o->has_culprit != 0)
        task(to, &o->culprit);
    else
        print(to, "null");
    print(to, ",\"condemned\":%" PRIu32 ",\"collateral\":%" PRIu32 ",\"others\":[", o->condemned, o->collateral);
    for (uint32_t i = 0; i < o->collateral && i < MORTAL_OBITUARY_OTHERS; i++) {
        print(to, i != 0 ? "," : "");
        task(to, &o->others[i]);
    }
    print(to, "],\"progress\":");
    if (o->has_progress != 0)
        print(to, "{\"done\":%" PRIu64 ",\"total\":%" PRIu64 "}", o->done, o->total);
    else
        print(to, "null");
    print(to, ",\"log\":[");
    for (uint32_t i = 0; i < o->line_count && i < MORTAL_OBITUARY_LINES; i++) {
        print(to, "%s{\"at_ns\":%" PRIu64 ",\"text\":", i != 0 ? "," : "", o->lines[i].at_ns);
        string(to, o->lines[i].text);
        print(to, "}");
    }
    print(to, "]");
}

static void frame(struct print *to, const mortal_obituary *o, const mortal_obituary_frame *f) {
    const char *module = obituary_module(o, f);
    print(to, "{\"address\":\"0x%" PRIx64 "\",\"module\":", f->address);
    if (module != NULL) {
        string(to, module);
        print(to, ",\"offset\":\"0x%" PRIx64 "\"", f->offset);
    } else {
        print(to, "null,\"offset\":null");
    }
    print(to, ",\"function\":");
    if (f->function[0] != '\0') {
        string(to, f->function);
        print(to, ",\"into\":%" PRIu64 "}", f->into);
    } else {
        print(to, "null,\"into\":null}");
    }
}

static void backtrace(struct print *to, const mortal_obituary *o) {
    const char *state = o->backtrace == MORTAL_BACKTRACE_TAKEN       ? "taken"
                        : o->backtrace == MORTAL_BACKTRACE_NO_ANSWER ? "no answer"
                                                                     : "not asked";
    print(to, ",\"backtrace\":\"%s\",\"frames\":[", state);
    for (uint32_t i = 0; i < o->frame_count && i < MORTAL_OBITUARY_FRAMES; i++) {
        print(to, i != 0 ? "," : "");
        frame(to, o, &o->frames[i]);
    }
    print(to, "]");
}

static void death(struct print *to, const mortal_obituary *o) {
    static const char *const causes[] = {[MORTAL_CAUSE_SIGNAL] = "signal", [MORTAL_CAUSE_EXIT] = "exit",
                                         [MORTAL_CAUSE_EXEC] = "exec", [MORTAL_CAUSE_THREAD_EXIT] = "thread exit",
                                         [MORTAL_CAUSE_NO_MODULE] = "no module", [MORTAL_CAUSE_MEMORY] = "memory",
                                         [MORTAL_CAUSE_CPU] = "cpu", [MORTAL_CAUSE_PROCESSES] = "processes"};
    bool is_known = o->cause >= MORTAL_CAUSE_SIGNAL && o->cause <= MORTAL_CAUSE_PROCESSES;
    const char *name = o->cause == MORTAL_CAUSE_SIGNAL ? sigabbrev_np(o->signal) : NULL;
    print(to, ",\"asked\":\"%s\",\"cause\":\"%s\",\"signal\":%" PRId32 ",\"signal_name\":",
          obituary_asked_name(o->asked), is_known ? causes[o->cause] : "unknown", o->signal);
    print(to, name != NULL ? "\"SIG%s\"" : "null", name);
    print(to, ",\"signal_code\":%" PRId32 ",\"fault_address\":\"0x%" PRIx64 "\",\"exit_code\":%" PRId32, o->signal_code,
          o->fault_address, o->exit_code);
}

size_t mortal_obituary_json(const mortal_obituary *o, char *text, size_t text_bytes) {
    struct print to = {.text = text, .room = text_bytes};
    if (o == NULL)
        return print_end(&to);
    print(&to, "{\"number\":%" PRIu64 ",\"host\":%" PRIu64 ",\"pid\":%" PRId32 ",\"stage\":\"%s\"", o->number, o->host,
          o->pid, obituary_stage_name(o->stage));
    print(&to, ",\"born_ns\":%" PRIu64 ",\"died_ns\":%" PRIu64 ",\"died_wall_ns\":%" PRIu64, o->born_ns, o->died_ns,
          o->died_wall_ns);
    death(&to, o);
    print(&to, ",\"latency_ns\":%" PRIu64 ",\"user_ns\":%" PRIu64 ",\"system_ns\":%" PRIu64, o->latency_ns, o->user_ns,
          o->system_ns);
    print(&to, ",\"memory_peak_bytes\":%" PRIu64 ",\"tasks\":%" PRIu64, o->memory_peak_bytes, o->tasks);
    tasks(&to, o);
    backtrace(&to, o);
    print(&to, "}");
    return print_end(&to);
}
