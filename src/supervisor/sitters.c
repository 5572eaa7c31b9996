/*
 * sitters.c - what keeps hosts' address spaces alive, so that their deaths need not wait for memory to be given back
 *
 * A host makes its sitter while it starts (system/sitter.h); it is the supervisor's child, as the host is. From the
 * host's certain death on nobody needs it: killed a moment later, it gives the memory back while the pool goes on.
 *
 * Its process id is told in the host's arena, before any code of the program's runs in that host, and is read there once,
 * when the host is ready; what it names must be a child that is nothing else. A lie can cost no more than time: a sitter
 * that was not told is a child of nobody's for descendants_kill(), and ends there.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "supervisor/state.h"
#include "system/clock.h"

#define LINGER_NS 500000ull

/* ORD(*) read once, of a host that said it is ready, or is dead, or whose sitter is spared for the time being. */
static pid_t told_by(const struct supervisor *s, const struct host_record *record) {
    return arena_is_its_own(s, record) ? atomic_load(&host_head(s->region, record->life)->sitter) : 0;
}

static bool is_living_child(pid_t pid) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid == 0;
}

void sitters_meet(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    if (record->sitter != 0) /* it was there first */
        return;
    pid_t pid = told_by(s, record);
    if (pid <= 0 || descendants_are_ours(s, pid) || !is_living_child(pid))
        return;
    record->sitter = pid;
    atomic_store(&berth_of(s->region, berth)->sitter, pid);
}

void sitters_end(struct supervisor *s, uint32_t berth, uint32_t life) {
    struct host_record *record = &s->hosts[berth];
    pid_t pid = record->sitter;
    record->sitter = 0;
    atomic_store(&berth_of(s->region, berth)->sitter, 0);
    if (pid > 0 && s->sitter_count < SITTERS_MOST) {
        s->sitters[s->sitter_count++] = (struct sitter){.pid = pid, .life = life, .due_ns = clock_after(LINGER_NS)};
        return;
    }
    if (pid > 0) {
        kill(pid, SIGKILL);
        s->children = CHILDREN_NEWS; /* it is none of ours any more */
    }
    lives_let_go(s, life);
}

/* Not in the instant of the death: who is woken by it would wake beside a processor that gives memory back, and on many a
 * kernel and virtual machine is held up by that. */
uint64_t sitters_kill(struct supervisor *s, uint64_t now) {
    uint64_t next = NEVER;
    for (uint32_t i = 0; i < s->sitter_count; i++) {
        struct sitter *sitter = &s->sitters[i];
        if (sitter->due_ns <= now) {
            kill(sitter->pid, SIGKILL); /* its parent alone reaps it, so the number is nobody else's */
            sitter->due_ns = NEVER;
        }
        if (sitter->due_ns < next)
            next = sitter->due_ns;
    }
    return next;
}

/* All there are, also of hosts that live, as far as they were told. */
void sitters_kill_all(struct supervisor *s) {
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        const struct host_record *record = &s->hosts[i];
        if (record->state == HOST_EMPTY)
            continue;
        pid_t pid = record->sitter != 0 ? record->sitter : told_by(s, record);
        if (pid > 0 && is_living_child(pid))
            kill(pid, SIGKILL);
    }
    for (uint32_t i = 0; i < s->sitter_count; i++)
        kill(s->sitters[i].pid, SIGKILL);
}

bool sitters_need_life(const struct supervisor *s, uint32_t life) {
    for (uint32_t i = 0; i < s->sitter_count; i++)
        if (s->sitters[i].life == life)
            return true;
    return false;
}

bool sitters_have(const struct supervisor *s, pid_t pid) {
    for (uint32_t i = 0; i < s->sitter_count; i++)
        if (s->sitters[i].pid == pid)
            return true;
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_STARTING && told_by(s, &s->hosts[i]) == pid)
            return true;
    return false;
}

/* What the kernel still read from, or wrote to, memory of the dead host (asynchronous input and output) has ended with
 * its address space: only now its arena may be another's. */
bool sitters_reaped(struct supervisor *s, pid_t pid) {
    for (uint32_t i = 0; i < s->sitter_count; i++) {
        if (s->sitters[i].pid != pid)
            continue;
        uint32_t life = s->sitters[i].life;
        s->sitters[i] = s->sitters[--s->sitter_count];
        lives_let_go(s, life);
        return true;
    }
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        struct host_record *record = &s->hosts[i];
        if (record->state == HOST_EMPTY || record->sitter != pid)
            continue;
        record->sitter = 0; /* somebody killed it: this host's death may take longer */
        atomic_store(&berth_of(s->region, i)->sitter, 0);
        return true;
    }
    return false;
}
