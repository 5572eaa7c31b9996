/* obituary_text.c - obituaries for people; and what printing them has in common with obituary_json.c */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "owner/print.h"

void print(struct print *to, const char *format, ...) {
    bool fits = to->length < to->room;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(fits ? to->text + to->length : NULL, fits ? to->room - to->length : 0, format, arguments);
    va_end(arguments);
    to->length += length > 0 ? (size_t)length : 0;
}

void print_bytes(struct print *to, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++, to->length++)
        if (to->length < to->room)
            to->text[to->length] = bytes[i];
}

size_t print_end(struct print *to) {
    if (to->room != 0)
        to->text[to->length < to->room ? to->length : to->room - 1] = '\0';
    return to->length;
}

size_t print_character(const char *text, size_t bytes) {
    const unsigned char *c = (const unsigned char *)text;
    if (bytes == 0 || c[0] < 0x20 || c[0] == 0x7f)
        return 0;
    if (c[0] < 0x80)
        return 1;
    size_t length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4 || length > bytes)
        return 0;
    uint32_t code = c[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (c[i] & 0x3fu);
    }
    static const uint32_t first[] = {0, 0, 0xa0 /* below are control characters */, 0x800, 0x10000};
    bool is_bidi = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069); /* they reorder a line */
    return code < first[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || is_bidi ? 0 : length;
}

static void print_escaped(struct print *to, const char *text) {
    for (size_t left = strlen(text); left != 0;) {
        size_t length = print_character(text, left);
        if (length != 0)
            print_bytes(to, text, length);
        else
            print(to, "\\x%02x", (unsigned char)*text);
        text += length != 0 ? length : 1;
        left -= length != 0 ? length : 1;
    }
}

const char *obituary_asked_name(int asked) {
    static const char *const names[] = {
        [MORTAL_ASKED_NOBODY] = "nobody",     [MORTAL_ASKED_KILL] = "kill",   [MORTAL_ASKED_DEADLINE] = "deadline",
        [MORTAL_ASKED_WITHIN] = "within",     [MORTAL_ASKED_START] = "start", [MORTAL_ASKED_AUDIT] = "audit",
        [MORTAL_ASKED_CAP] = "cap",           [MORTAL_ASKED_RECYCLING] = "recycling",
    };
    return asked >= MORTAL_ASKED_NOBODY && asked <= MORTAL_ASKED_RECYCLING ? names[asked] : "unknown";
}

const char *obituary_stage_name(int stage) {
    static const char *const names[] = {[MORTAL_STAGE_STARTING] = "starting", [MORTAL_STAGE_STANDBY] = "standby",
                                        [MORTAL_STAGE_ACTIVE] = "active"};
    return stage >= MORTAL_STAGE_STARTING && stage <= MORTAL_STAGE_ACTIVE ? names[stage] : "unknown";
}

const char *obituary_module(const mortal_obituary *o, const mortal_obituary_frame *frame) {
    bool is_known = frame->module >= 0 && frame->module < MORTAL_OBITUARY_MODULES &&
                    (uint32_t)frame->module < o->module_count;
    return is_known ? o->modules[frame->module] : NULL;
}

static void print_cause(struct print *to, const mortal_obituary *o) {
    const char *name = o->cause == MORTAL_CAUSE_SIGNAL ? sigabbrev_np(o->signal) : NULL;
    switch (o->cause) {
    case MORTAL_CAUSE_SIGNAL:
        if (name == NULL) /* a real-time signal, or none at all */
            print(to, "signal %d", o->signal);
        else
            print(to, "SIG%s", name);
        if (o->fault_address != 0 || o->signal == SIGSEGV || o->signal == SIGBUS)
            print(to, " at 0x%" PRIx64, o->fault_address);
        break;
    case MORTAL_CAUSE_EXIT:
        print(to, "exit with code %d", o->exit_code);
        break;
    case MORTAL_CAUSE_EXEC:
        print(to, "exec of another program");
        break;
    case MORTAL_CAUSE_THREAD_EXIT:
        print(to, "the end of a worker's thread");
        break;
    case MORTAL_CAUSE_NO_MODULE:
        print(to, "a module that could not be loaded");
        break;
    case MORTAL_CAUSE_MEMORY:
        print(to, "its cap on memory");
        break;
    case MORTAL_CAUSE_CPU:
        print(to, "its cap on processor time");
        break;
    case MORTAL_CAUSE_PROCESSES:
        print(to, "its cap on processes");
        break;
    default:
        print(to, "nobody knows what");
        break;
    }
}

static void print_task(struct print *to, const char *what, const mortal_obituary_task *task) {
    print(to, "  %s: task %" PRIu64, what, task->ticket);
    if (task->name[0] != '\0') {
        print(to, " '");
        print_escaped(to, task->name);
        print(to, "'");
    }
    print(to, ", attempt %" PRIu32 "\n", task->attempt);
}

static void print_seconds(struct print *to, uint64_t ns) {
    if (ns < 1000000)
        print(to, "%" PRIu64 " us", ns / 1000);
    else if (ns < 1000000000)
        print(to, "%.1f ms", (double)ns / 1e6);
    else
        print(to, "%.3f s", (double)ns / 1e9);
}

static void print_why(struct print *to, const mortal_obituary *o) {
    static const char *const reasons[] = {
        [MORTAL_ASKED_KILL] = "killed as asked", [MORTAL_ASKED_DEADLINE] = "killed at the deadline of a task",
        [MORTAL_ASKED_WITHIN] = "killed when the time of a task was over",
        [MORTAL_ASKED_START] = "killed because init took too long",
        [MORTAL_ASKED_AUDIT] = "killed because a worker of it served nobody any more",
        [MORTAL_ASKED_CAP] = "killed for going beyond a cap",
        [MORTAL_ASKED_RECYCLING] = "replaced by a fresh one",
    };
    if (o->asked <= MORTAL_ASKED_NOBODY || o->asked > MORTAL_ASKED_RECYCLING) {
        print(to, "ended by ");
        print_cause(to, o);
        return;
    }
    print(to, "%s, certainly dead ", reasons[o->asked]);
    print_seconds(to, o->latency_ns);
    print(to, " later");
}

static void print_frames(struct print *to, const mortal_obituary *o) {
    if (o->backtrace == MORTAL_BACKTRACE_NO_ANSWER)
        print(to, "  backtrace: none, its thread did not answer\n");
    for (uint32_t i = 0; i < o->frame_count && i < MORTAL_OBITUARY_FRAMES; i++) {
        const mortal_obituary_frame *frame = &o->frames[i];
        const char *module = obituary_module(o, frame);
        print(to, "  #%-2" PRIu32 " 0x%012" PRIx64 " ", i, frame->address);
        if (frame->function[0] != '\0') {
            print_escaped(to, frame->function);
            print(to, "+0x%" PRIx64, frame->into);
        } else {
            print(to, "?");
        }
        if (module != NULL) {
            print(to, " (");
            print_escaped(to, module);
            print(to, "+0x%" PRIx64 ")", frame->offset);
        }
        print(to, "\n");
    }
}

static void print_lines(struct print *to, const mortal_obituary *o) {
    for (uint32_t i = 0; i < o->line_count && i < MORTAL_OBITUARY_LINES; i++) {
        uint64_t at = o->lines[i].at_ns;
        print(to, "  log, ");
        print_seconds(to, at < o->died_ns ? o->died_ns - at : 0);
        print(to, " before: ");
        print_escaped(to, o->lines[i].text);
        print(to, "\n");
    }
}

size_t mortal_obituary_text(const mortal_obituary *o, char *text, size_t text_bytes) {
    struct print to = {.text = text, .room = text_bytes};
    if (o == NULL)
        return print_end(&to);
    print(&to, "host %" PRIu64 " (process %" PRId32 ", %s) ", o->host, o->pid, obituary_stage_name(o->stage));
    print_why(&to, o);
    print(&to, "\n  lived ");
    print_seconds(&to, o->died_ns - o->born_ns);
    print(&to, ", began %" PRIu64 " tasks, used ", o->tasks);
    print_seconds(&to, o->user_ns + o->system_ns);
    print(&to, " of processor time and at most %.1f MiB\n", (double)o->memory_peak_bytes / 1048576.0);
    if (o->has_culprit != 0)
        print_task(&to, "culprit", &o->culprit);
    if (o->condemned > 1)
        print(&to, "  and %" PRIu32 " more that were to be killed\n", o->condemned - 1);
    bool is_clear = o->has_culprit != 0 || o->asked != MORTAL_ASKED_NOBODY;
    for (uint32_t i = 0; i < o->collateral && i < MORTAL_OBITUARY_OTHERS; i++)
        print_task(&to, is_clear ? "collateral" : "perhaps", &o->others[i]);
    if (o->collateral > MORTAL_OBITUARY_OTHERS)
        print(&to, "  and %" PRIu32 " more\n", o->collateral - MORTAL_OBITUARY_OTHERS);
    if (o->has_progress != 0 && o->total != 0)
        print(&to, "  progress: %" PRIu64 " of %" PRIu64 "\n", o->done, o->total);
    else if (o->has_progress != 0)
        print(&to, "  progress: %" PRIu64 "\n", o->done);
    print_lines(&to, o);
    print_frames(&to, o);
    return print_end(&to);
}
