/* group.c - where verdicts of many futures arrive, in the order in which they come */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "owner/seat.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/process.h"
#include "system/why.h"

/* ---- membership; under the lock of the pool ------------------------------------------------------------------- */

int group_of_pool(struct pool *pool, mortal_group *handle, struct group **group) {
    for (uint32_t i = 0; i < GROUPS_MAX; i++) {
        if (handle != seat_group_handle(pool, i))
            continue;
        *group = pool->groups[i];
        if (*group != NULL)
            return 0;
        break;
    }
    return why(-EINVAL, "mortal_pool_submit: the group is closed, or is not one of this pool");
}

void group_add(struct pool *pool, struct group *group, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    entry->group = group;
    entry->previous = NO_SLOT;
    entry->next = group->first;
    if (group->first != NO_SLOT)
        pool->entries[group->first].previous = slot;
    group->first = slot;
    group->outstanding++;
    entry->is_delivered = false;
}

static void drop_ready(struct pool *pool, struct group *group, uint32_t slot) {
    uint32_t before = NO_SLOT;
    for (uint32_t at = group->ready_first; at != NO_SLOT; before = at, at = pool->entries[at].ready_next) {
        if (at != slot)
            continue;
        if (before == NO_SLOT)
            group->ready_first = pool->entries[at].ready_next;
        else
            pool->entries[before].ready_next = pool->entries[at].ready_next;
        if (group->ready_last == at)
            group->ready_last = before;
        return;
    }
}

static void ring(struct pool *pool, const struct group *group) {
    _Atomic uint32_t *bell = &claims_head(pool->region)->group_bell[group->number];
    atomic_fetch_add(bell, 1);
    if (group->sleepers != 0)
        futex_wake(bell, INT_MAX);
}

void group_remove(struct pool *pool, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    struct group *group = entry->group;
    if (group == NULL)
        return;
    if (entry->is_ready)
        drop_ready(pool, group, slot);
    if (group->teller_count != 0)
        group_forget_parts(pool, slot);
    if (!entry->is_delivered)
        group->outstanding--;
    if (entry->next != NO_SLOT)
        pool->entries[entry->next].previous = entry->previous;
    if (entry->previous != NO_SLOT)
        pool->entries[entry->previous].next = entry->next;
    else
        group->first = entry->next;
    entry->group = NULL;
    entry->is_ready = false;
    if (group->outstanding == 0 && group->sleepers != 0)
        ring(pool, group); /* nothing will come any more */
}

void group_ready(struct pool *pool, uint32_t slot) {
    struct entry *entry = &pool->entries[slot];
    struct group *group = entry->group;
    entry->is_ready = true;
    entry->ready_next = NO_SLOT;
    if (group->ready_first == NO_SLOT)
        group->ready_first = slot;
    else
        pool->entries[group->ready_last].ready_next = slot;
    group->ready_last = slot;
}

static void write_event(struct group *group) {
    uint64_t one = 1;
    if (group->event_fd >= 0)
        (void)!write(group->event_fd, &one, sizeof one);
}

/* An end that the owner itself made. */
void group_ring(struct pool *pool, uint32_t slot) {
    struct group *group = pool->entries[slot].group;
    if (group == NULL)
        return;
    ring(pool, group);
    write_event(group);
}

/* ORD(*) the plain atomics below are bells that are slept on, and marks for the supervisor to read after a death. */

/* ---- gathering what ended ------------------------------------------------------------------------------------- */

#define AUDIT_NS 500000000ull
#define AUDIT_REST 50u /* times as long as one took it is to the next, at least */

static void look_at(struct pool *pool, uint32_t slot) {
    if (slot < pool->slots_used && pool->entries[slot].state == ENTRY_LIVE)
        (void)ledger_harvest(pool, slot);
}

static void look_at_all(struct pool *pool) {
    for (uint32_t slot = 0; slot < pool->slots_used; slot++)
        if (pool->entries[slot].state == ENTRY_LIVE && pool->entries[slot].group != NULL)
            (void)ledger_harvest(pool, slot);
}

/* A worker's log of completions. It is a hint: each slot named is looked at for itself, and if it ran over, all are. */
static bool read_log(struct pool *pool, uint32_t berth, uint32_t worker, uint32_t life, uint32_t birth) {
    struct region *r = pool->region;
    struct log_seen *seen = &pool->logs_seen[berth * r->g.workers_per_host + worker];
    if (seen->birth != birth)
        *seen = (struct log_seen){.birth = birth};
    struct desk *desk = desk_of(r, life, worker);
    /* ORD(log:read) pairs ORD(log:told): also the last look before a sleep, after ORD(group:watch). */
    uint32_t tail = atomic_load_explicit(&desk->log_tail, memory_order_seq_cst);
    if (tail == seen->taken)
        return true;
    bool ran_over = tail - seen->taken > LOG_ENTRIES;
    for (uint32_t at = seen->taken; !ran_over && at != tail; at++)
        look_at(pool, atomic_load_explicit(&desk->log[at & (LOG_ENTRIES - 1)], memory_order_acquire));
    /* ORD(log:still-valid) pairs ORD(log:reuse): who read an entry that was written over sees that the log had got that far. Over
     * the oldest one is written before the length tells. */
    ran_over = ran_over || atomic_load_explicit(&desk->log_tail, memory_order_seq_cst) - seen->taken >= LOG_ENTRIES;
    seen->taken = tail;
    atomic_store(log_taken_of(r, berth, worker), (uint64_t)birth << 32 | tail);
    return !ran_over;
}

/* What the supervisor ended, or passes on from hosts that died. */
static bool read_fate_log(struct pool *pool) {
    struct control_head *control = control_head(pool->region);
    uint64_t taken = atomic_load_explicit(&control->fate_taken, memory_order_relaxed);
    /* ORD(fate-log:read) pairs ORD(fate-log:told) */
    uint64_t tail = atomic_load_explicit(&control->fate_tail, memory_order_seq_cst);
    bool ran_over = tail - taken > FATE_LOG_ENTRIES;
    for (uint64_t at = taken; !ran_over && at != tail; at++)
        look_at(pool, atomic_load_explicit(&control->fate_log[at % FATE_LOG_ENTRIES], memory_order_acquire));
    atomic_store_explicit(&control->fate_taken, tail, memory_order_relaxed);
    /* ORD(fate-log:still-valid) pairs ORD(fate-log:reuse): as with the log of a worker. */
    return !ran_over && atomic_load(&control->fate_tail) - taken < FATE_LOG_ENTRIES;
}

/* Tasks can overwrite logs, so now and then each member is looked at for itself. No more than a part of the time is spent so,
 * however many there are. */
void group_audit(struct pool *pool, struct group *group, uint64_t now_ns) {
    if (now_ns < group->audit_ns)
        return;
    uint64_t since = clock_ns();
    for (uint32_t slot = group->first; slot != NO_SLOT; slot = pool->entries[slot].next)
        look_at(pool, slot);
    uint64_t until = clock_ns();
    group->audit_ns = until + AUDIT_NS + AUDIT_REST * (until - since);
}

static void gather(struct pool *pool) {
    const struct region *r = pool->region;
    bool complete = true;
    for (uint32_t berth = 0; berth < r->g.berths; berth++) {
        /* Life and birth of one host or of two: a birth that does not fit its arena is passed over. ORD(birth:seen) */
        uint32_t life = atomic_load_explicit(&berth_of(r, berth)->life, memory_order_acquire);
        uint32_t birth = atomic_load_explicit(&berth_of(r, berth)->birth, memory_order_acquire);
        if (life >= r->g.lives || atomic_load_explicit(&host_head(r, life)->birth, memory_order_acquire) != birth)
            continue; /* nobody, or one whose arena still holds what the one before has left: that is passed on */
        for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++)
            complete = read_log(pool, berth, worker, life, birth) && complete;
    }
    complete = read_fate_log(pool) && complete; /* after the others: what was inherited meanwhile is in it */
    if (!complete)
        look_at_all(pool);
}

/* ---- the calls ------------------------------------------------------------------------------------------------- */

int mortal_group_open(mortal_group **out, mortal_pool *handle) {
    struct pool *pool;
    if (out == NULL)
        return why(-EINVAL, "mortal_group_open: out is null");
    int error = seat_enter(handle, "mortal_group_open", &pool);
    if (error != 0)
        return error;
    uint32_t number = pool->group_next_number;
    for (uint32_t i = 0; i < GROUPS_MAX && pool->groups[number] != NULL; i++)
        number = (number + 1) % GROUPS_MAX;
    struct group *group = pool->groups[number] != NULL ? NULL : calloc(1, sizeof *group);
    if (group == NULL) {
        error = pool->groups[number] != NULL
                    ? why(-EMFILE, "mortal_group_open: %u groups of this pool are open: close some", GROUPS_MAX)
                    : why(-ENOMEM, "mortal_group_open: no memory");
    } else {
        *group = (struct group){.number = number, .first = NO_SLOT, .ready_first = NO_SLOT, .ready_last = NO_SLOT,
                                .event_fd = -1, .epoll_fd = -1, .audit_ns = clock_after(AUDIT_NS)};
        pool->groups[number] = group;
        pool->group_next_number = (number + 1) % GROUPS_MAX; /* a closed handle stays an error for long */
        *out = seat_group_handle(pool, number);
    }
    seat_unlock(pool);
    return error;
}

/* A verdict, or a part that it is to tell of. */
static bool is_ready(struct pool *pool, const struct group *group) {
    return group->ready_first != NO_SLOT || (group->teller_count != 0 && group_has_parts(pool, group));
}

void group_set_watch(struct pool *pool, struct group *group) {
    uint32_t watch = (group->sleepers != 0 ? GROUP_SLEEPERS : 0u) | (group->is_quiet ? GROUP_FD : 0u);
    /* ORD(group:watch) pairs ORD(group:watched): a full barrier before gather(). */
    atomic_store(&orders_head(pool->region)->group_watch[group->number], watch);
}

/* The descriptor is readable exactly while something is ready: silence it first, look then, and make it speak again if
 * that found something. Parts come whenever they come: it is quiet unless it was made to speak, whatever is there by now. */
void group_settle(struct pool *pool, struct group *group) {
    if (group->event_fd < 0)
        return;
    group->is_quiet = !is_ready(pool, group);
    if (group->is_quiet) {
        uint64_t count;
        (void)!read(group->event_fd, &count, sizeof count);
        group_set_watch(pool, group);
        gather(pool);
        group->is_quiet = !is_ready(pool, group);
    }
    if (!group->is_quiet)
        write_event(group);
    group_set_watch(pool, group);
}

static bool deliver(struct pool *pool, struct group *group, mortal_verdict *verdict) {
    uint32_t slot = group->ready_first;
    if (slot == NO_SLOT)
        return false;
    struct entry *entry = &pool->entries[slot];
    group->ready_first = entry->ready_next;
    if (group->ready_first == NO_SLOT)
        group->ready_last = NO_SLOT;
    entry->is_ready = false;
    entry->is_delivered = true;
    group->outstanding--;
    ledger_tell(pool, slot, verdict);
    verdict->future = seat_future(pool, slot);
    return true;
}

bool group_take(struct pool *pool, struct group *group, mortal_verdict *verdict) {
    if (group->ready_first == NO_SLOT)
        gather(pool);
    return deliver(pool, group, verdict);
}

void group_rouse(struct pool *pool, const struct group *group) {
    if (group->sleepers != 0)
        ring(pool, group);
}

static void free_group(struct group *group) {
    if (group->event_fd >= 0)
        close(group->event_fd);
    if (group->epoll_fd >= 0)
        close(group->epoll_fd);
    free(group->tellers);
    if (group->feed != NULL)
        feed_destroy(group->feed);
    free(group);
}

void group_unpin(struct group *group) {
    if (--group->sleepers == 0 && group->closed)
        free_group(group);
}

bool group_is_answered(struct pool *pool, const struct group *group) {
    (void)pool;
    return group->ready_first != NO_SLOT || group->outstanding == 0;
}

int group_sleep(struct pool *pool, struct group *group, uint64_t deadline_ns,
                bool (*is_enough)(struct pool *, const struct group *)) {
    const _Atomic uint32_t *bell = &claims_head(pool->region)->group_bell[group->number];
    struct waiting on = {.word = bell, .value = atomic_load(bell), .deadline_ns = deadline_ns};
    group->sleepers++;
    group_set_watch(pool, group);
    gather(pool); /* once more, now that completions ring */
    int outcome = 0;
    if (!is_enough(pool, group)) {
        uint64_t since = clock_ns();
        outcome = watch_sleep(pool, &on);
        pool->spin_us = spin_learn(pool->spin_us, clock_ns() - since);
    }
    bool closed = group->closed;
    group_unpin(group);
    if (closed)
        return -ESHUTDOWN;
    group_set_watch(pool, group);
    return outcome == 0 && clock_ns() >= deadline_ns && !is_enough(pool, group) ? -ETIMEDOUT : outcome;
}

#define LOOKS_APART 16 /* a look at all logs costs more than a turn */

static void spin_for_group(struct pool *pool, const struct group *group) {
    struct spin spin = {.limit_us = pool->spin_us};
    while (group->outstanding != 0 && group->ready_first == NO_SLOT && spin_turn(&spin))
        if (spin.turn % LOOKS_APART == 0)
            gather(pool);
}

bool group_runs(const struct pool *pool, const struct group *group) {
    for (uint32_t slot = group->first; slot != NO_SLOT; slot = pool->entries[slot].next)
        if (pool->entries[slot].state == ENTRY_LIVE &&
            word_phase(atomic_load(claim_of(pool->region, slot))) != SLOT_PENDING)
            return true;
    return false;
}

static int next_verdict(struct pool *pool, struct group *group, uint64_t deadline_ns, mortal_verdict *verdict) {
    gather(pool);
    if (group->ready_first == NO_SLOT && deadline_ns != 0)
        spin_for_group(pool, group);
    for (;;) {
        if (deliver(pool, group, verdict)) {
            group_settle(pool, group);
            return 0;
        }
        (void)watch_supervisor(pool);
        if (group->ready_first != NO_SLOT)
            continue;
        group_settle(pool, group);
        group_audit(pool, group, clock_coarse_ns());
        if (group->ready_first != NO_SLOT)
            continue;
        if (group->outstanding == 0)
            return why(-ENOENT, "mortal_group_next: nothing is outstanding in this group");
        if (breaker_is_open(pool->region) && !group_runs(pool, group))
            return breaker_refuse(pool, "mortal_group_next");
        if (deadline_ns == 0)
            return why(-ETIMEDOUT, "mortal_group_next: nothing has arrived");
        int error = group_sleep(pool, group, deadline_ns, group_is_answered);
        if (error == -ESHUTDOWN)
            return why(error, "mortal_group_next: the group or its pool is being closed");
        if (error == -EINTR)
            return why(error, "mortal_group_next: a signal handler ran; call again to wait on");
        if (error == -ETIMEDOUT && group->ready_first == NO_SLOT)
            return why(error, "mortal_group_next: nothing arrived within the time-out");
        gather(pool);
    }
}

int mortal_group_next(mortal_group *handle, uint64_t timeout_ns, mortal_verdict *verdict) {
    struct pool *pool;
    struct group *group;
    if (verdict == NULL)
        return why(-EINVAL, "mortal_group_next: verdict is null");
    int error = seat_enter_group(handle, "mortal_group_next", &pool, &group);
    if (error != 0)
        return error;
    error = next_verdict(pool, group, timeout_ns == 0 ? 0 : clock_after(timeout_ns), verdict);
    seat_unlock(pool);
    return error;
}

/* The supervisor gets a copy of the event descriptor over the link. It alone writes to it on behalf of hosts. */
static bool hand_to_supervisor(struct pool *pool, uint32_t number, int fd) {
    struct group_fd_message said = {
        .group = number, .bell = atomic_load(&claims_head(pool->region)->group_bell[number])};
    struct iovec part = {.iov_base = &said, .iov_len = sizeof said};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    return sendmsg(pool->link_fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof said;
}

static int open_descriptor(struct pool *pool, struct group *group) {
    group->event_fd = process_lift_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    group->epoll_fd = process_lift_fd(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN};
    bool good = group->event_fd >= 0 && group->epoll_fd >= 0 &&
                epoll_ctl(group->epoll_fd, EPOLL_CTL_ADD, group->event_fd, &event) == 0 &&
                (pool->supervisor_fd < 0 ||
                 epoll_ctl(group->epoll_fd, EPOLL_CTL_ADD, pool->supervisor_fd, &event) == 0);
    if (good && hand_to_supervisor(pool, group->number, group->event_fd))
        return 0;
    int error = group->event_fd < 0 || group->epoll_fd < 0
                    ? why(-EMFILE, "mortal_group_fd: no descriptor is left: raise ulimit -n, or close some files")
                    : why(-EOWNERDEAD, "mortal_group_fd: the supervisor of this pool died");
    if (group->event_fd >= 0)
        close(group->event_fd);
    if (group->epoll_fd >= 0)
        close(group->epoll_fd);
    group->event_fd = group->epoll_fd = -1;
    return error;
}

int mortal_group_fd(mortal_group *handle, int *fd) {
    struct pool *pool;
    struct group *group;
    if (fd == NULL)
        return why(-EINVAL, "mortal_group_fd: fd is null");
    int saved = errno;
    int error = seat_enter_group(handle, "mortal_group_fd", &pool, &group);
    if (error != 0)
        return error;
    if (group->epoll_fd < 0)
        error = open_descriptor(pool, group);
    if (error == 0) {
        group_settle(pool, group);
        *fd = group->epoll_fd;
    }
    seat_unlock(pool);
    errno = saved;
    return error;
}

void group_close(struct pool *pool, struct group *group) {
    for (uint32_t slot = group->first, next; slot != NO_SLOT; slot = next) {
        next = pool->entries[slot].next;
        group_remove(pool, slot);
    }
    pool->groups[group->number] = NULL;
    mapping_forget(pool, group);
    if (group->event_fd >= 0)
        (void)hand_to_supervisor(pool, group->number, -1);
    atomic_store(&orders_head(pool->region)->group_watch[group->number], 0);
    group->closed = true;
    _Atomic uint32_t *bell = &claims_head(pool->region)->group_bell[group->number];
    atomic_fetch_add(bell, 1);
    futex_wake(bell, INT_MAX);
    if (group->sleepers == 0)
        free_group(group);
}

int mortal_group_close(mortal_group *handle) {
    struct pool *pool;
    struct group *group;
    if (handle == NULL)
        return 0;
    int error = seat_enter_group(handle, "mortal_group_close", &pool, &group);
    if (error != 0)
        return error;
    group_close(pool, group);
    seat_unlock(pool);
    return 0;
}

void group_destroy_all(struct pool *pool) {
    for (uint32_t i = 0; i < GROUPS_MAX; i++)
        if (pool->groups[i] != NULL)
            free_group(pool->groups[i]);
}
