/*
 * tally.c - what happened: a line for each item that was not done, and the summary at the end
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <string.h>

#include "map.h"

#define SHOWN_OF_ITEM 200
#define SHOWN_OF_REASON 300

void tally_count(struct tally *tally, const struct item *item, uint64_t deadline_ns) {
    tally->ended++;
    if (item->is_refused) {
        tally->refused++;
        return;
    }
    tally->outcomes[item->verdict.outcome & 15]++;
    if (item->verdict.outcome == MORTAL_TIMED_OUT && item->verdict.cause != MORTAL_CAUSE_CPU) {
        uint64_t late_ns = item->verdict.ran_ns > deadline_ns ? item->verdict.ran_ns - deadline_ns : 0;
        tally->kills++;
        tally->latest_ns = late_ns > tally->latest_ns ? late_ns : tally->latest_ns; /* 0: none could be measured */
    }
}

bool tally_is_all_done(const struct tally *tally) {
    return tally->outcomes[MORTAL_DONE] == tally->items;
}

/* The result of an item that failed is its reason: the first line of it is shown. */
void tally_tell_item(const struct item *item) {
    char name[SHOWN_OF_ITEM], verdict[256], reason[SHOWN_OF_REASON];
    escape_text(item->text, item->text_bytes, name, sizeof name);
    if (item->is_refused) {
        complain("item %" PRIu64 " refused: '%s': it is too long for one task", item->number, name);
        return;
    }
    const mortal_verdict *end = &item->verdict;
    mortal_verdict_text(end, verdict, sizeof verdict);
    const char *text = end->result;
    const char *feed = end->result_bytes > 0 ? memchr(text, '\n', end->result_bytes) : NULL;
    escape_text(text, feed ? (size_t)(feed - text) : end->result_bytes, reason, sizeof reason);
    complain("item %" PRIu64 " not done: '%s': %s%s%s", item->number, name, verdict, *reason ? ": " : "", reason);
}

static void tell_kills(const struct tally *tally) {
    char time[32];
    if (tally->kills > 0 && tally->latest_ns > 0) {
        format_duration(tally->latest_ns, time, sizeof time);
        complain("%" PRIu64 " killed at the deadline, the latest dead %s after it", tally->kills, time);
    }
    if (tally->kill.killed > 0) {
        format_duration(tally->kill.took_ns, time, sizeof time);
        complain("stopped: %" PRIu32 " killed, certainly dead after %s", tally->kill.killed, time);
    }
    if (tally->kill.still_dying > 0) {
        complain("%" PRIu32 " were killed and are stuck in the kernel", tally->kill.still_dying);
    }
}

void tally_tell(const struct tally *tally) {
    char time[32], counts[400];
    size_t used = 0;
    *counts = '\0';
    for (int outcome = MORTAL_DONE; outcome <= MORTAL_LOST; outcome++) {
        if (tally->outcomes[outcome] > 0) {
            used += (size_t)snprintf(counts + used, sizeof counts - used, "%s%" PRIu64 " %s", used ? ", " : ": ",
                                     tally->outcomes[outcome], mortal_outcome_name(outcome));
        }
    }
    if (tally->refused > 0) {
        snprintf(counts + used, sizeof counts - used, "%s%" PRIu64 " refused", used ? ", " : ": ", tally->refused);
    }
    format_duration(mortal_now_ns() - tally->started_ns, time, sizeof time);
    complain("%" PRIu64 " items in %s%s", tally->items, time, counts);
    tell_kills(tally);
}
