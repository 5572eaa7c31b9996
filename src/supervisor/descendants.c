/*
 * descendants.c - processes that tasks started die with their host
 *
 * Each host is a subreaper for its own orphans and the supervisor is one for the hosts, so when a host dies whatever it
 * left, daemons in sessions of their own included, becomes a child of the supervisor: a child that is none of ours is
 * such a one. A killed orphan's own children come next; each death brings another look, until none is left.
 */
#include <signal.h>

#include "supervisor/state.h"
#include "system/clock.h"
#include "system/process.h"
#include "system/usage.h"

static bool is_ours(const struct supervisor *s, pid_t pid) {
    if (pid == s->template_pid)
        return true;
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state != HOST_EMPTY && s->hosts[i].pid == pid)
            return true;
    return sitters_have(s, pid);
}

void descendants_kill(struct supervisor *s) {
    pid_t children[1024];
    int count = process_children(children, sizeof children / sizeof *children);
    for (int i = 0; i < count; i++)
        if (!is_ours(s, children[i]))
            kill(children[i], SIGKILL);
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
