/*
 * Outcomes have names, verdicts read as one line, the clock is the monotonic one, and the version is that of the
 * header.
 * Broken by: an outcome without a name, a line that overruns its buffer, a length that is not that of the whole
 * line.
 */
#include "tasks.h"

#include <time.h>

static void every_outcome_has_a_name(void)
{
    static const char *const names[] = {"unknown",   "done",    "failed",     "cancelled",     "expired",     "killed",
                                        "timed out", "crashed", "collateral", "out of memory", "quarantined", "lost"};
    for (int i = 1; i < (int)COUNT(names); i++)
        CHECK_STR(mortal_outcome_name(i), names[i]);
    static const int others[] = {0, -1, 12, 1000, INT32_MAX, INT32_MIN};
    for (unsigned i = 0; i < COUNT(others); i++)
        CHECK_STR(mortal_outcome_name(others[i]), "unknown");
}

static void a_line_is_cut_but_its_length_is_told(void)
{
    mortal_verdict verdict = {.outcome = MORTAL_CRASHED, .cause = MORTAL_CAUSE_SIGNAL, .signal = SIGSEGV,
                              .fault_address = 0x10, .attempts = 1, .culprit = 1};
    static const char whole[] = "crashed: SIGSEGV at 0x10, attempt 1";
    char text[128];
    CHECK_EQ(mortal_verdict_text(&verdict, text, sizeof text), sizeof whole - 1);
    CHECK_STR(text, whole);
    CHECK_EQ(mortal_verdict_text(&verdict, NULL, 0), sizeof whole - 1);
    for (size_t room = 1; room <= sizeof whole; room++) {
        memset(text, '#', sizeof text);
        CHECK_EQ(mortal_verdict_text(&verdict, text, room), sizeof whole - 1);
        CHECK_EQ(strlen(text), room - 1);
        CHECK(strncmp(text, whole, room - 1) == 0);
        CHECK_EQ(text[room], '#');
    }
}

static void begins_with_its_outcome(mortal_verdict verdict, const char *also)
{
    char text[256];
    size_t length = mortal_verdict_text(&verdict, text, sizeof text);
    const char *name = mortal_outcome_name(verdict.outcome);
    CHECK_EQ(strlen(text), length);
    CHECK(strncmp(text, name, strlen(name)) == 0);
    CHECK(strstr(text, also) != NULL);
    CHECK(strchr(text, '\n') == NULL);
}

static void every_verdict_has_a_line(void)
{
    for (int outcome = 0; outcome <= MORTAL_LOST; outcome++)
        begins_with_its_outcome((mortal_verdict){.outcome = outcome, .attempts = 1}, "");
    mortal_verdict failed = {.outcome = MORTAL_FAILED, .status = -12345};
    mortal_verdict left = {.outcome = MORTAL_CRASHED, .cause = MORTAL_CAUSE_EXIT, .exit_code = 37};
    mortal_verdict odd_signal = {.outcome = MORTAL_CRASHED, .cause = MORTAL_CAUSE_SIGNAL, .signal = 250};
    mortal_verdict odd_cause = {.outcome = MORTAL_CRASHED, .cause = 99};
    begins_with_its_outcome(failed, "-12345");
    begins_with_its_outcome(left, "37");
    begins_with_its_outcome(odd_signal, "250");
    begins_with_its_outcome(odd_cause, "");
}

void test(void)
{
    every_outcome_has_a_name();
    a_line_is_cut_but_its_length_is_told();
    every_verdict_has_a_line();

    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    uint64_t now = mortal_now_ns();
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(SECONDS(before.tv_sec) + (uint64_t)before.tv_nsec <= now);
    CHECK(now <= SECONDS(after.tv_sec) + (uint64_t)after.tv_nsec);
    CHECK_EQ(mortal_version(), MORTAL_VERSION_MAJOR * 10000 + MORTAL_VERSION_MINOR * 100 + MORTAL_VERSION_PATCH);
}
