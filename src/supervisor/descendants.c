/*
 * descendants.c - processes that tasks started die with their host
 *
 * Each host is a subreaper for its orphans and the supervisor is one for the hosts, so when a host dies whatever it
 * left, daemons in sessions of their own included, becomes a child of the supervisor: a child that is none of ours is
 * such a one. A killed orphan's own children come next; each death brings another look, until none is left.
 *
 * Whoever forks meanwhile does not get away. A process with a SIGKILL on its way starts no other (the kernel looks for
 * the signal under the lock under which the new one becomes visible), so whom we saw is barren, and whom we did not see
 * was born before its parent was killed and comes to us when that has ended. Only a line of processes each of which
 * forks and ends could always be one ahead: its newest member is a child of one that is ending, and no longer one's that
 * is ending by the time that is here. So after some looks the children of children are killed too: killed first and
 * listed then, a list is complete, unless the killed one ended meanwhile; and then they are here.
 */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/state.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/process.h"
#include "system/usage.h"

#define LOOKS_BEFORE_DEEP 4
#define LOOKS_BEFORE_DEEP_HELD 256 /* where all was killed at one stroke, but for who left the control group */
#define LOOKS_BEFORE_AGAIN 8
#define DEEP_MOST 8
#define CHILDREN_MOST 128

bool descendants_are_ours(const struct supervisor *s, pid_t pid) {
    if (pid == s->template_pid)
        return true;
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state != HOST_EMPTY && (s->hosts[i].pid == pid || s->hosts[i].sitter == pid || s->hosts[i].first == pid))
            return true;
    return sitters_have(s, pid) || containment_is_alone(s, pid);
}

static bool is_among(const pid_t *pids, int count, pid_t pid) {
    for (int i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Those of a process that was killed. They are not our children, so their numbers may be others' by now: what is still
 * that parent's child when its descriptor is open already is the one meant. And the parent is still the one meant if it
 * was not reaped before the end of the second look: parent_fd, or -1 where it is our child. */
static void kill_below(pid_t parent, int parent_fd, int depth) {
    pid_t children[CHILDREN_MOST], again[CHILDREN_MOST];
    int fds[CHILDREN_MOST];
    int count = process_children_of(parent, children, CHILDREN_MOST);
    for (int i = 0; i < count; i++)
        fds[i] = process_pidfd(children[i]);
    int still = count > 0 ? process_children_of(parent, again, CHILDREN_MOST) : 0;
    if (parent_fd >= 0 && !process_pidfd_signal(parent_fd, 0))
        still = 0;
    for (int i = 0; i < count; i++) {
        if (fds[i] < 0)
            continue;
        if (is_among(again, still, children[i]) && process_pidfd_signal(fds[i], SIGKILL) && depth < DEEP_MOST)
            kill_below(children[i], fds[i], depth + 1);
        close(fds[i]);
    }
}

/* The kernel appends to the list of children, so those seen before stand first, in the same order. */
static bool was_seen(const struct supervisor *s, uint32_t *at, pid_t pid) {
    while (*at < s->orphan_count)
        if (s->orphans[(*at)++] == pid)
            return true;
    return false;
}

/* ORD(*) a count that only grows; who waits for it compares it with one it read before. */
static void tell_gone(struct supervisor *s) {
    struct control_head *control = control_head(s->region);
    uint32_t deaths = (uint32_t)atomic_load(&control->deaths);
    if (atomic_load(&control->trees_gone) == deaths)
        return;
    atomic_store(&control->trees_gone, deaths);
    futex_wake(&control->trees_gone, INT_MAX);
}

static pid_t children[ORPHANS_MOST];

/* All of them, or with `on` those that came since the last time. */
static int list_children(struct supervisor *s, bool on) {
    if (s->children_fd <= 0)
        return -1;
    return on ? process_children_on(s->children_fd, children, ORPHANS_MOST)
              : process_children_again(s->children_fd, children, ORPHANS_MOST);
}

/* Processes of hosts, by number: where there are many, a search through all hosts for each of them takes longer than all
 * the rest. Who is not found here may be ours all the same. */
#define OURS_MOST 32768u /* a power of two */
static pid_t ours[OURS_MOST];
static uint32_t ours_mask; /* 0: there are few, or too many */

static uint32_t place_among_ours(pid_t pid) {
    uint32_t at = (uint32_t)pid & ours_mask;
    while (ours[at] != 0 && ours[at] != pid)
        at = (at + 1) & ours_mask;
    return at;
}

static void note_ours(const struct supervisor *s) {
    uint32_t hosts = s->region->g.berths, room = 1;
    while (room < 4 * hosts) /* three of each at most */
        room *= 2;
    ours_mask = hosts > 8 && room <= OURS_MOST ? room - 1 : 0;
    if (ours_mask == 0)
        return;
    memset(ours, 0, room * sizeof *ours);
    for (uint32_t i = 0; i < hosts; i++) {
        const struct host_record *record = &s->hosts[i];
        const pid_t its[] = {record->pid, record->sitter, record->first};
        for (uint32_t at = 0; record->state != HOST_EMPTY && at < sizeof its / sizeof *its; at++)
            if (its[at] > 0)
                ours[place_among_ours(its[at])] = its[at];
    }
}

static bool is_noted(pid_t pid) { return ours_mask != 0 && ours[place_among_ours(pid)] == pid; }

/* Looks only. From the beginning, or from where the last look ended. */
static void look_on(struct supervisor *s) {
    bool on = s->children == CHILDREN_OURS;
    int count = list_children(s, on);
    bool has_foreign = count < 0 || count == ORPHANS_MOST;
    if (!on)
        note_ours(s);
    for (int i = 0; i < count && !has_foreign; i++)
        has_foreign = !(!on && is_noted(children[i])) && !descendants_are_ours(s, children[i]);
    s->children = has_foreign ? CHILDREN_FOREIGN : CHILDREN_OURS;
}

/* The whole list takes a tenth of a millisecond where there are hundreds of hosts. So it is read while a host dies, or
 * when nothing is on its way any more after one did; then what is there at the death is told by what came since. */
void descendants_prepare(struct supervisor *s) {
    bool is_settled = s->ready && s->starting == 0 && s->sitter_count == 0;
    if (s->children == CHILDREN_NEWS ? is_settled || s->dying != 0 : s->children == CHILDREN_OURS && s->dying != 0)
        look_on(s);
}

void descendants_kill(struct supervisor *s) {
    int count = process_children(children, ORPHANS_MOST);
    note_ours(s);
    uint32_t left = 0, at = 0;
    uint32_t before_deep = containment_is_beside(s) ? LOOKS_BEFORE_DEEP_HELD : LOOKS_BEFORE_DEEP;
    bool again = s->orphan_looks % LOOKS_BEFORE_AGAIN == LOOKS_BEFORE_AGAIN - 1;
    for (int i = 0; i < count; i++) {
        if (is_noted(children[i]) || descendants_are_ours(s, children[i]))
            continue;
        if (!was_seen(s, &at, children[i]) || again) {
            kill(children[i], SIGKILL);
            if (s->orphan_looks >= before_deep)
                kill_below(children[i], -1, 0);
        }
        s->orphans[left++] = children[i]; /* over what was passed already, or was given up */
    }
    s->orphan_count = left;
    s->orphan_looks = left != 0 ? s->orphan_looks + 1 : 0;
    if (left != 0)
        s->children = CHILDREN_FOREIGN; /* until they are reaped */
    if (left != 0 || count < 0)
        containment_orphans(s);
    if (left != 0)
        return;
    tell_gone(s); /* or there is no /proc, and nothing more that could be done */
    containment_tidy(s);
}

bool descendants_none(struct supervisor *s) {
    if (s->children != CHILDREN_OURS)
        return false;
    look_on(s);
    if (s->children != CHILDREN_OURS)
        return false;
    tell_gone(s);
    containment_tidy(s);
    return true;
}

#define BOMB_PASSES 50u
#define BOMB_NS 20000000ull
#define BOMB_MOST 65536u

/* A bomb that doubles outruns whoever first waits for a death and then looks who was left. The host's own process group
 * goes at one stroke: no fork is half done while the kernel hands a signal to a group. Of those that left it each that is found is killed at
 * once, and its children belong to the host from then on, if that is still there, or come to the supervisor: the next pass
 * finds them. Those that are dead already are found again, so the number of passes is bounded; what is left then is
 * descendants_kill()'s, death by death. */
void descendants_kill_below(pid_t pid) {
    uint32_t before = 0, found = 0;
    (void)kill(-pid, SIGKILL); /* no other group has this number while the process has it */
    uint64_t until = clock_after(BOMB_NS);
    for (unsigned pass = 0; pass < BOMB_PASSES && clock_ns() < until; pass++) {
        if (!usage_kill_below(pid, BOMB_MOST, &found) || found == 0 || (pass > 1 && found <= before))
            return;
        before = found;
    }
}
