/*
 * An obituary is told as text and as JSON, whatever a host left in it: control characters, bytes that are no UTF-8, quotes
 * and backslashes are escaped, every JSON reader takes it; lengths are those of the whole, and memory that is too small
 * is filled to its last byte and not beyond.
 * Broken by: a byte that is passed on as it is; a count or an index that is believed; an end that is not written.
 */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "owner/print.h"

static char text[1u << 18], json[1u << 18];

static void end_texts(mortal_obituary *o)
{
    for (unsigned i = 0; i < MORTAL_OBITUARY_LINES; i++)
        o->lines[i].text[sizeof o->lines[i].text - 1] = '\0';
    for (unsigned i = 0; i < MORTAL_OBITUARY_FRAMES; i++)
        o->frames[i].function[sizeof o->frames[i].function - 1] = '\0';
    for (unsigned i = 0; i < MORTAL_OBITUARY_MODULES; i++)
        o->modules[i][sizeof o->modules[i] - 1] = '\0';
    for (unsigned i = 0; i < MORTAL_OBITUARY_OTHERS; i++)
        o->others[i].name[sizeof o->others[i].name - 1] = '\0';
    o->culprit.name[sizeof o->culprit.name - 1] = '\0';
}

static void check_json(void)
{
    FILE *tool = popen("python3 -m json.tool >/dev/null", "w");
    CHECK(tool != NULL);
    CHECK_EQ(fwrite(json, 1, strlen(json), tool), strlen(json));
    int status = pclose(tool);
    if (status != 0)
        harness_fail(__FILE__, __LINE__, "no JSON: %s", json);
}

static void check_clean(const char *from, bool may_feed)
{
    for (size_t left = strlen(from); left != 0;) {
        size_t length = may_feed && *from == '\n' ? 1 : print_character(from, left);
        CHECK(length != 0);
        from += length;
        left -= length;
    }
}

static void check_both(const mortal_obituary *o)
{
    size_t text_bytes = mortal_obituary_text(o, text, sizeof text), json_bytes = mortal_obituary_json(o, json, sizeof json);
    CHECK_EQ(text_bytes, strlen(text));
    CHECK_EQ(json_bytes, strlen(json));
    check_clean(text, true);
    check_clean(json, false);
    char small[64];
    for (size_t room = 0; room < sizeof small; room = room * 3 + 1) {
        memset(small, '#', sizeof small);
        CHECK_EQ(mortal_obituary_json(o, room != 0 ? small : NULL, room), strlen(json));
        CHECK_EQ(small[room], '#');
        CHECK(room == 0 || (strlen(small) == room - 1 && memcmp(small, json, room - 1) == 0));
        CHECK_EQ(mortal_obituary_text(o, room != 0 ? small : NULL, room), strlen(text));
        CHECK_EQ(small[room], '#');
    }
}

static void check_any_bytes(void)
{
    static mortal_obituary o;
    for (int byte = 0; byte < 256; byte++) {
        memset(&o, byte, sizeof o);
        end_texts(&o);
        check_both(&o);
        if (byte % 51 == 0)
            check_json();
    }
    uint32_t seed = 7;
    for (unsigned round = 0; round < 60; round++) {
        for (size_t i = 0; i < sizeof o; i++)
            ((uint8_t *)&o)[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
        end_texts(&o);
        check_both(&o);
        if (round % 20 == 0)
            check_json();
    }
}

static void check_contains(const char *where, const char *what)
{
    if (strstr(where, what) == NULL)
        harness_fail(__FILE__, __LINE__, "no '%s' in: %s", what, where);
}

static mortal_obituary an_obituary(void)
{
    mortal_obituary o = {.number = 3, .host = 4, .pid = 77, .stage = MORTAL_STAGE_ACTIVE, .born_ns = 1000000000,
                         .died_ns = 3500000000, .cause = MORTAL_CAUSE_SIGNAL, .signal = SIGSEGV, .signal_code = 1,
                         .fault_address = 0x10, .user_ns = 2000000, .memory_peak_bytes = 3u << 20, .tasks = 5,
                         .has_culprit = 1, .condemned = 1, .collateral = 6, .has_progress = 1, .done = 12, .total = 100,
                         .line_count = 2, .backtrace = MORTAL_BACKTRACE_TAKEN, .frame_count = 2, .module_count = 1};
    o.culprit = (mortal_obituary_task){.ticket = 41, .attempt = 2, .name = "a \"quoted\" \\ name\x1b[31m"};
    o.lines[0] = (mortal_obituary_line){3499000000u, "caf\xc3\xa9 \xff\xc3"};
    o.lines[1] = (mortal_obituary_line){3499999000u, "tab\there \xc2\x9b \xe2\x80\xae \xed\xa0\x80"};
    o.frames[0] = (mortal_obituary_frame){.address = 0x401234, .offset = 0x1234, .into = 4, .function = "parse"};
    o.frames[1] = (mortal_obituary_frame){.address = 0x99, .module = -1};
    strcpy(o.modules[0], "/usr/lib/libparse.so");
    return o;
}

void test(void)
{
    mortal_obituary o = an_obituary();
    check_both(&o);
    check_json();
    check_contains(text, "host 4 (process 77, active) ended by SIGSEGV at 0x10\n");
    check_contains(text, "culprit: task 41 'a \"quoted\" \\ name\\x1b[31m', attempt 2\n");
    check_contains(text, "caf\xc3\xa9 \\xff\\xc3\n");
    check_contains(text, "tab\\x09here \\xc2\\x9b \\xe2\\x80\\xae \\xed\\xa0\\x80\n");
    check_contains(text, "progress: 12 of 100\n");
    check_contains(text, "parse+0x4 (/usr/lib/libparse.so+0x1234)\n");
    check_contains(text, "and 2 more\n");
    check_contains(json, "\"name\":\"a \\\"quoted\\\" \\\\ name\\u001b[31m\"");
    check_contains(json, "\"text\":\"caf\xc3\xa9 \\ufffd\\ufffd\"");
    check_contains(json, "\"signal_name\":\"SIGSEGV\"");
    check_contains(json, "\"function\":\"parse\",\"into\":4");
    check_contains(json, "\"address\":\"0x99\",\"module\":null");
    o.asked = MORTAL_ASKED_DEADLINE;
    o.signal = SIGKILL;
    o.latency_ns = 123456;
    check_both(&o);
    check_contains(text, "killed at the deadline of a task, certainly dead 123 us later\n");
    check_contains(json, "\"asked\":\"deadline\"");
    CHECK_EQ(mortal_obituary_text(NULL, text, sizeof text), 0);
    CHECK_STR(text, "");
    CHECK_EQ(mortal_obituary_json(NULL, NULL, 0), 0);
    check_any_bytes();
}
