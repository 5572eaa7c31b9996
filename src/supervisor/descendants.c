/*
 * descendants.c - processes that tasks started die with their host
 *
 * Each host is a subreaper for its own orphans and the supervisor is one for the hosts, so when a host dies whatever it
 * left, daemons in sessions of their own included, becomes a child of the supervisor: a child that is none of ours is
 * such a one. A killed orphan's own children come next; each death brings another look, until none is left.
 */
#include <signal.h>

#include "supervisor/state.h"
#include "system/process.h"

static bool is_ours(const struct supervisor *s, pid_t pid) {
    if (pid == s->template_pid)
        return true;
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state != HOST_EMPTY && s->hosts[i].pid == pid)
            return true;
    return false;
}

void descendants_kill(struct supervisor *s) {
    pid_t children[1024];
    int count = process_children(children, sizeof children / sizeof *children);
    for (int i = 0; i < count; i++)
        if (!is_ours(s, children[i]))
            kill(children[i], SIGKILL);
}
