/*
 * containment.c - which rung of the ladder holds what tasks start, and the stroke that ends all of that
 *
 *   subreaper   nothing is needed and nothing changes for tasks; who forks faster than it is found is found later:
 *               descendants.c
 *   cgroup      each host is born into a control group of its own; one write kills all that is in it
 *   namespace   each host is born into a namespace of processes of its own; with its first process, which is ours and
 *               does nothing, ends all that is in it, and that process ends last
 *
 * On the two upper rungs a host is born beside its sitter, which stays outside (system/birth.h): it would be killed with
 * the rest, and the host's death would take as long as its memory. Whatever the rung: the host's own death, certified by
 * waiting for it, is what verdicts and the take-over go by; what its tasks started comes to the supervisor as orphans, or
 * ends with the first process, which is one of them from then on. Only the return of a kill waits for that. Nothing but
 * the host itself is killed before: most hosts leave nothing, and a look tells it sooner than a stroke at nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/state.h"
#include "system/birth.h"
#include "system/cgroup.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/namespace.h"
#include "system/process.h"

/* ORD(*) a berth's pid is stored by the kernel before its host exists, or by who could not make it. */

#define BIRTH_ANSWER_NS 1000000000ull /* as for the template */
#define LOOK_NS 10000000ull
#define LINGER_NS 500000ull

static struct namespace_first first_of_all; /* what each of them needs: the same */

bool containment_is_beside(const struct supervisor *s) {
    return s->rung == MORTAL_CONTAIN_CGROUP || s->rung == MORTAL_CONTAIN_NAMESPACE;
}

/* ---- at the start ---- */

static enum start_detail open_cgroup(struct supervisor *s, bool is_asked, int *error) {
    char parent[CGROUP_PATH_BYTES];
    *error = cgroup_own(parent);
    if (*error != 0)
        return DETAIL_NO_CGROUP;
    if (!is_asked && !cgroup_is_delegated(parent))
        return DETAIL_CGROUP;
    cgroup_sweep(parent);
    *error = cgroup_make(parent, s->heritage->cgroup, &s->cgroup_fd);
    if (*error == 0)
        *error = cgroup_make_leaf(s->heritage->cgroup, 0);
    if (*error == 0)
        *error = cgroup_try_leaf(s->heritage->cgroup, 0);
    if (*error == 0)
        *error = cgroup_remove_leaf(s->heritage->cgroup, 0);
    if (*error == 0)
        return DETAIL_NONE;
    if (s->cgroup_fd >= 0) {
        cgroup_remove(s->heritage->cgroup);
        close(s->cgroup_fd);
        s->cgroup_fd = -1;
    }
    return *error == -ENOSYS ? DETAIL_NO_KILL : DETAIL_CGROUP;
}

static pid_t begin_namespace(struct supervisor *s) {
    if (s->first_count == s->first_room) {
        uint32_t room = s->first_room == 0 ? 16 : s->first_room * 2;
        struct first_process *more = realloc(s->firsts, room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        s->firsts = more;
        s->first_room = room;
    }
    void *stack;
    pid_t pid = namespace_begin(&first_of_all, &stack);
    if (pid > 0)
        s->firsts[s->first_count++] = (struct first_process){.pid = pid, .stack = stack};
    return pid;
}

static enum start_detail open_namespace(struct supervisor *s, int *error) {
    s->notice_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = s->notice_fd};
    if (s->notice_fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->notice_fd, &event) != 0) {
        *error = -errno;
        return DETAIL_SYSTEM;
    }
    first_of_all = (struct namespace_first){.notice_fd = s->notice_fd, .notice_set = 1ull << (SIGNAL_NOTICE - 1),
                                            .life_line = &control_head(s->region)->supervisor_lives};
    pid_t pid = begin_namespace(s);
    if (pid == -EPERM) {
        bool in_map = false;
        *error = namespace_own_user(&in_map);
        if (*error != 0)
            return in_map ? DETAIL_USER_MAP : DETAIL_USER_NAMESPACE;
        s->heritage->drops_rights = true;
        pid = begin_namespace(s);
    }
    *error = pid < 0 ? (int)pid : 0;
    if (pid > 0)
        kill(pid, SIGKILL); /* reaped like everybody */
    return pid > 0 ? DETAIL_NONE : DETAIL_NAMESPACE;
}

bool containment_open(struct supervisor *s) {
    enum mortal_containment asked = (enum mortal_containment)s->heritage->containment;
    enum start_detail detail = DETAIL_NONE;
    int error = 0;
    s->cgroup_fd = s->notice_fd = -1;
    s->tidy_ns = NEVER;
    s->rung = MORTAL_CONTAIN_SUBREAPER;
    if (asked != MORTAL_CONTAIN_SUBREAPER && !birth_is_possible()) {
        detail = DETAIL_NO_BIRTH;
        error = -ENOSYS;
    } else if (asked == MORTAL_CONTAIN_NAMESPACE) {
        detail = open_namespace(s, &error);
    } else if (asked != MORTAL_CONTAIN_SUBREAPER) {
        detail = open_cgroup(s, asked == MORTAL_CONTAIN_CGROUP, &error);
    }
    if (detail != DETAIL_NONE && asked != MORTAL_CONTAIN_AUTO) {
        spawn_failed(s, clock_ns(), STAGE_CONTAINMENT, detail, 0, error);
        return false;
    }
    if (detail == DETAIL_NONE && asked != MORTAL_CONTAIN_SUBREAPER)
        s->rung = asked == MORTAL_CONTAIN_AUTO ? MORTAL_CONTAIN_CGROUP : asked;
    s->heritage->containment = (int32_t)s->rung; /* hosts go by it */
    atomic_store_explicit(&control_head(s->region)->containment, (uint32_t)s->rung, memory_order_relaxed);
    return true;
}

/* ---- for each host ---- */

int containment_prepare(struct supervisor *s, struct host_place *place) {
    if (s->rung == MORTAL_CONTAIN_CGROUP)
        return cgroup_make_leaf(s->heritage->cgroup, place->birth);
    if (s->rung != MORTAL_CONTAIN_NAMESPACE)
        return 0;
    pid_t first = begin_namespace(s);
    if (first < 0)
        return (int)first;
    place->first = first;
    atomic_store(&berth_of(s->region, place->berth)->first, first);
    return 0;
}

static bool is_over(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 || info.si_pid == pid;
}

/* The sitter is there, and makes the host. It is waited for: a fork, and a wake-up. */
pid_t containment_await(struct supervisor *s, uint32_t berth, pid_t sitter) {
    const _Atomic int32_t *told = &berth_of(s->region, berth)->pid;
    uint64_t due = clock_after(BIRTH_ANSWER_NS);
    while (atomic_load(told) == 0 && clock_ns() < due && !is_over(sitter))
        (void)futex_wait((const _Atomic uint32_t *)(const void *)told, 0, clock_after(LOOK_NS));
    if (atomic_load(told) == 0) { /* once it is certainly gone nobody can be made any more, or was */
        kill(sitter, SIGKILL);
        siginfo_t info;
        while (waitid(P_PID, (id_t)sitter, &info, WEXITED | WNOWAIT | __WALL) != 0 && errno == EINTR) {
        }
    }
    pid_t pid = atomic_load(told);
    return pid != 0 ? pid : -EAGAIN;
}

void containment_abandon(struct supervisor *s, const struct host_place *place) {
    struct berth *shared = berth_of(s->region, place->berth);
    atomic_store(&shared->pid, 0);
    atomic_store(&shared->first, 0);
    if (place->first > 0)
        kill(place->first, SIGKILL);
    if (s->rung == MORTAL_CONTAIN_CGROUP)
        (void)cgroup_remove_leaf(s->heritage->cgroup, place->birth);
}

static void kill_cgroup(const struct supervisor *s, uint32_t birth) {
    char leaf[CGROUP_PATH_BYTES];
    cgroup_leaf(s->heritage->cgroup, birth, leaf);
    cgroup_kill(leaf);
}

bool containment_fell(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    if (!containment_is_beside(s))
        return false;
    record->is_felled = true;
    if (s->rung == MORTAL_CONTAIN_CGROUP)
        kill_cgroup(s, record->birth);
    else if (record->first > 0)
        kill(record->first, SIGKILL);
    return true;
}

static void bury_cgroup(struct supervisor *s, const struct host_record *record) {
    bool has_room = s->dead_leaf_count < DEAD_LEAVES_MOST; /* else it is removed with the pool */
    if (has_room)
        s->dead_leaves[s->dead_leaf_count++] = (struct dead_leaf){.birth = record->birth, .is_felled = record->is_felled};
    else if (!record->is_felled)
        kill_cgroup(s, record->birth);
}

/* Whoever is left in a namespace is a child of its first process, or below one; or was started by the host as a sibling
 * of its own, and then is our child. The kernel moves a host's children there before the host can be waited for. So if
 * that list is empty nothing is left, and nobody need wait for the end of the first process. */
static void bury_namespace(struct supervisor *s, struct host_record *record) {
    bool is_alone = !record->is_felled && process_children_of(record->first, &(pid_t){0}, 1) == 0;
    for (uint32_t i = 0; i < s->first_count; i++)
        if (s->firsts[i].pid == record->first && is_alone)
            s->firsts[i].due_ns = clock_after(LINGER_NS);
    if (!is_alone && !record->is_felled)
        kill(record->first, SIGKILL);
    if (!is_alone)
        s->children = CHILDREN_NEWS;
    record->first = 0; /* unless it is alone, an orphan from now on, and the last of them */
}

void containment_buried(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    if (s->rung == MORTAL_CONTAIN_CGROUP)
        bury_cgroup(s, record);
    if (record->first > 0)
        bury_namespace(s, record);
    atomic_store(&berth_of(s->region, berth)->first, 0);
}

void containment_orphans(struct supervisor *s) {
    for (uint32_t i = 0; i < s->dead_leaf_count; i++) {
        if (!s->dead_leaves[i].is_felled)
            kill_cgroup(s, s->dead_leaves[i].birth);
        s->dead_leaves[i].is_felled = true;
    }
}

bool containment_is_alone(const struct supervisor *s, pid_t pid) {
    for (uint32_t i = 0; i < s->first_count; i++)
        if (s->firsts[i].pid == pid)
            return s->firsts[i].due_ns != 0;
    return false;
}

void containment_tidy(struct supervisor *s) {
    if (s->dead_leaf_count != 0 && s->tidy_ns == NEVER)
        s->tidy_ns = clock_after(LINGER_NS);
}

/* What something is in again will be looked at when that has gone. */
static void remove_leaves(struct supervisor *s) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < s->dead_leaf_count; i++)
        if (cgroup_remove_leaf(s->heritage->cgroup, s->dead_leaves[i].birth) != 0)
            s->dead_leaves[left++] = s->dead_leaves[i];
    s->dead_leaf_count = left;
    s->tidy_ns = NEVER;
}

/* Like sitters, not while those who wait for the death wake up. */
uint64_t containment_turn(struct supervisor *s, uint64_t now) {
    if (s->dead_leaf_count != 0 && s->tidy_ns <= now)
        remove_leaves(s);
    uint64_t next = s->dead_leaf_count != 0 ? s->tidy_ns : NEVER;
    for (uint32_t i = 0; i < s->first_count; i++) {
        struct first_process *first = &s->firsts[i];
        if (first->due_ns == 0 || first->due_ns == NEVER)
            continue;
        if (first->due_ns <= now) {
            kill(first->pid, SIGKILL);
            first->due_ns = NEVER;
        }
        if (first->due_ns < next)
            next = first->due_ns;
    }
    return next;
}

void containment_reaped(struct supervisor *s, pid_t pid) {
    for (uint32_t i = 0; i < s->first_count; i++)
        if (s->firsts[i].pid == pid) {
            namespace_free_stack(s->firsts[i].stack);
            s->firsts[i] = s->firsts[--s->first_count];
            break;
        }
    for (uint32_t i = 0; s->rung == MORTAL_CONTAIN_NAMESPACE && i < s->region->g.berths; i++)
        if (s->hosts[i].first == pid)
            s->hosts[i].first = 0;
}

pid_t containment_thread(struct supervisor *s, uint32_t berth, uint32_t worker) {
    struct host_record *record = &s->hosts[berth];
    struct watch *watch = &record->watches[worker];
    if (record->first == 0 || watch->thread <= 0)
        return watch->thread;
    if (watch->outer_thread == 0)
        watch->outer_thread = namespace_thread(record->pid, watch->thread);
    return watch->outer_thread;
}

bool containment_noticed(struct supervisor *s) {
    uint64_t count;
    return s->notice_fd >= 0 && read(s->notice_fd, &count, sizeof count) == (ssize_t)sizeof count;
}

/* ---- at the end ---- */

void containment_strike_all(struct supervisor *s) {
    if (s->rung == MORTAL_CONTAIN_CGROUP && s->cgroup_fd >= 0)
        cgroup_kill(s->heritage->cgroup);
    for (uint32_t i = 0; i < s->first_count; i++)
        kill(s->firsts[i].pid, SIGKILL);
}

void containment_close(struct supervisor *s) {
    if (s->cgroup_fd >= 0)
        cgroup_remove(s->heritage->cgroup);
}
