/* spawn.c - making hosts, and keeping as many as there should be */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "region/bell.h"
#include "region/plant.h"
#include "supervisor/state.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/process.h"

/* ORD(*) the other plain atomics here fill in a berth before its host exists, or empty it: rare. */

#define BACKOFF_FIRST_NS 10000000ull
#define BACKOFF_MOST_NS 2000000000ull
#define LOOK_AGAIN_NS 1000000ull      /* no berth or no arena is free: nobody tells when one is */
#define DYING_PATIENCE_NS 20000000ull /* then another host takes its place */
#define REPLENISH_NS 300000ull        /* after a take-over; so long the processors are for those who were told */

/* After the first failure another start is tried at once, then after 10, 20, 40 ms and so on. Starts that were under
 * way together fail together, and count once: the wait is about how often it was tried, not about how many hosts
 * there are. */
static void back_off(struct supervisor *s, uint64_t began_ns) {
    if (began_ns <= s->failed_at_ns)
        return;
    s->failed_at_ns = clock_ns();
    s->spawn_after = s->failed_at_ns + s->spawn_wait_ns;
    s->spawn_wait_ns = s->spawn_wait_ns == 0 ? BACKOFF_FIRST_NS : s->spawn_wait_ns * 2;
    if (s->spawn_wait_ns > BACKOFF_MOST_NS)
        s->spawn_wait_ns = BACKOFF_MOST_NS;
}

void spawn_forgive(struct supervisor *s) {
    s->failed_at_ns = s->spawn_wait_ns = s->spawn_after = 0;
}

void spawn_failed(struct supervisor *s, uint64_t began_ns, enum start_stage stage, enum start_detail detail, int value,
                  int error) {
    struct control_head *control = control_head(s->region);
    atomic_fetch_add_explicit(&control->failed_starts, 1, memory_order_relaxed);
    back_off(s, began_ns);
    if (s->ready) {
        if (detail != DETAIL_SYSTEM) /* else nobody died: there was no process to be had */
            breaker_count(s, clock_ns(), stage, (int)detail, value);
        breaker_tell(s);
        return;
    }
    control->start_stage = (int32_t)stage;
    control->start_detail = (int32_t)detail;
    control->start_value = value;
    control->start_error = error;
    /* ORD(pool:state) pairs ORD(pool:opened): why it failed is told before. */
    atomic_store_explicit(&control->state, POOL_FAILED, memory_order_release);
    futex_wake(&control->state, INT_MAX);
    s->quitting = true;
}

#define TEMPLATE_ANSWER_NS 1000000000ull /* forking a host takes it microseconds; one that does not answer is stuck */

static void end_template(struct supervisor *s) {
    if (s->template_pid > 0)
        kill(s->template_pid, SIGKILL); /* reaped like everybody */
    spawn_forget_template(s);
}

void spawn_forget_template(struct supervisor *s) {
    if (s->template_link >= 0)
        close(s->template_link);
    s->template_pid = 0;
    s->children = CHILDREN_NEWS; /* it is none of ours any more, and may be there */
    s->template_link = -1;
    s->template_ready = false;
}

static void start_template(struct supervisor *s) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        spawn_failed(s, clock_ns(), STAGE_PRELOAD, DETAIL_SYSTEM, 0, -errno);
        return;
    }
    pid_t pid = process_fork(SIGCHLD, false, NULL);
    if (pid == 0) {
        close(ends[0]);
        _exit(s->heritage->template_run(s->heritage, ends[1]));
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        spawn_failed(s, clock_ns(), STAGE_PRELOAD, DETAIL_SYSTEM, 0, (int)pid);
        return;
    }
    s->template_pid = pid;
    s->template_link = ends[0];
    s->template_since_ns = clock_ns();
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ends[0]};
    (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, ends[0], &event);
}

static uint64_t template_due(const struct supervisor *s) {
    return s->heritage->start_ns < NEVER - s->template_since_ns ? s->template_since_ns + s->heritage->start_ns : NEVER;
}

/* Preload may take its time, and kills must not wait for it: it is started, and heard of later. True: it can fork hosts. */
static bool template_is_ready(struct supervisor *s) {
    if (s->template_ready)
        return true;
    if (s->template_pid == 0)
        start_template(s);
    if (s->template_pid == 0)
        return false;
    struct template_ready said;
    ssize_t got = recv(s->template_link, &said, sizeof said, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (clock_ns() < template_due(s))
            return false;
        said = (struct template_ready){.detail = DETAIL_TIMED_OUT};
    } else if (got != (ssize_t)sizeof said) {
        said = (struct template_ready){.detail = DETAIL_CRASHED};
    }
    s->template_ready = said.detail == DETAIL_NONE;
    if (s->template_ready)
        return true;
    end_template(s); /* the next attempt runs preload again */
    spawn_failed(s, s->template_since_ns, STAGE_PRELOAD, (enum start_detail)said.detail, said.value, -ECANCELED);
    return false;
}

static pid_t fork_from_template(struct supervisor *s, struct host_place place) {
    pid_t pid;
    struct pollfd ear = {.fd = s->template_link, .events = POLLIN};
    if (send(s->template_link, &place, sizeof place, MSG_NOSIGNAL) == (ssize_t)sizeof place) {
        uint64_t due = clock_after(TEMPLATE_ANSWER_NS);
        while (clock_ns() < due) {
            (void)poll(&ear, 1, 10);
            ssize_t got = recv(s->template_link, &pid, sizeof pid, MSG_DONTWAIT);
            if (got == (ssize_t)sizeof pid)
                return pid;
            if (got >= 0 || (errno != EAGAIN && errno != EINTR))
                break;
        }
    }
    end_template(s);
    return -EAGAIN;
}

static uint32_t empty_berth(const struct supervisor *s) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_EMPTY)
            return i;
    return NO_POSITION;
}

/* The host, and its sitter if that comes first. */
static pid_t make_process(struct supervisor *s, struct host_place *place, pid_t *sitter) {
    pid_t pid = containment_prepare(s, place);
    if (pid < 0)
        return pid;
    if (s->heritage->preload != NULL) {
        pid = fork_from_template(s, *place);
    } else {
        pid = process_fork(SIGCHLD, false, NULL);
        if (pid == 0)
            s->heritage->host_run(s->heritage, *place);
    }
    if (pid < 0 || !containment_is_beside(s))
        return pid;
    *sitter = pid;
    return containment_await(s, place->berth, pid);
}

/* Fill in the record before the host exists: its first sign of life may come before fork returns here. */
static bool spawn(struct supervisor *s) {
    if (s->heritage->preload != NULL && !template_is_ready(s))
        return false;
    uint32_t berth = empty_berth(s);
    if (berth == NO_POSITION)
        return false; /* all taken by hosts that the kernel has not ended yet */
    uint32_t life = lives_take(s);
    if (life == NO_LIFE)
        return false; /* every arena holds results that were not released */
    struct berth *shared = berth_of(s->region, berth);
    atomic_store(&shared->doomed, 0);
    atomic_store(&shared->active, 0);
    atomic_store(&shared->resting, 0);
    atomic_store(&shared->errand, 0);
    struct host_place place = {.berth = berth, .life = life, .birth = ++s->births};
    atomic_store(&shared->birth, place.birth);
    atomic_store(&shared->life, life);
    pid_t sitter = 0, pid = make_process(s, &place, &sitter);
    if (pid < 0) {
        containment_abandon(s, &place);
        atomic_store(&shared->life, NO_LIFE);
        lives_bury(s, life);
        spawn_failed(s, clock_ns(), STAGE_FORK, DETAIL_SYSTEM, 0, (int)pid);
        return false;
    }
    atomic_store(&shared->sitter, sitter);
    atomic_store(&shared->pid, pid);
    struct host_record *record = &s->hosts[berth];
    struct watch *watches = record->watches;
    *record = (struct host_record){.state = HOST_STARTING, .pid = pid, .life = life, .birth = place.birth,
                                   .position = NO_POSITION,
                                   .lost_worker = NO_WORKER, .since_ns = clock_ns(), .watches = watches,
                                   .blamed_worker = NO_WORKER, .sitter = sitter, .first = place.first};
    record->born_ns = record->since_ns;
    for (uint32_t i = 0; i < s->region->g.workers_per_host; i++)
        watches[i] = (struct watch){0};
    s->life_berth[life] = (uint16_t)(berth + 1);
    return true;
}

static void count_ready(struct supervisor *s) {
    uint32_t active = 0, standby = 0, dying = 0, hardened = UINT32_MAX;
    s->starting = 0;
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        s->starting += s->hosts[i].state == HOST_STARTING;
        active += s->hosts[i].state == HOST_ACTIVE;
        standby += s->hosts[i].state == HOST_STANDBY;
        dying += s->hosts[i].state == HOST_DYING;
        if (s->hosts[i].state == HOST_ACTIVE || s->hosts[i].state == HOST_STANDBY)
            hardened &= s->hosts[i].hardened;
    }
    struct control_head *control = control_head(s->region);
    atomic_store_explicit(&control->hosts_ready, active, memory_order_relaxed);
    atomic_store_explicit(&control->standby_ready, standby, memory_order_relaxed);
    atomic_store_explicit(&control->dying, dying, memory_order_relaxed);
    if (active + standby != 0) /* else as it was of the last ones */
        atomic_store_explicit(&control->hardened, hardened, memory_order_relaxed);
}

void spawn_check_ready(struct supervisor *s) {
    if (s->template_pid != 0 && !s->template_ready)
        (void)template_is_ready(s); /* also where no host is wanted now: what it says would keep us awake */
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        struct host_record *record = &s->hosts[i];
        if (record->state != HOST_STARTING)
            continue;
        /* ORD(spawn:ready) pairs ORD(host:ready) */
        if (arena_is_its_own(s, record) &&
            atomic_load_explicit(&host_head(s->region, record->life)->ready, memory_order_acquire) != 0) {
            if (!cap_welcome(s, i)) {
                record->asked_for = MORTAL_ASKED_CAP;
                record->asked_ns = clock_ns();
                death_doom(s, i);
                continue;
            }
            record->state = HOST_STANDBY;
            record->hardened = host_head(s->region, record->life)->hardened;
            record->since_ns = clock_ns();
            silence_begin(s, i);
            sitters_meet(s, i);
            spawn_forgive(s);
        } else if (clock_ns() - record->since_ns > s->heritage->start_ns) {
            record->is_excused = true;
            record->asked_for = MORTAL_ASKED_START;
            record->asked_ns = record->since_ns + s->heritage->start_ns;
            spawn_failed(s, record->since_ns, STAGE_INIT, DETAIL_TIMED_OUT, 0, -ECANCELED);
            death_doom(s, i);
        }
    }
}

static uint32_t width_of(const struct supervisor *s, uint32_t position) {
    const struct geometry *g = &s->region->g;
    uint32_t left = g->workers - position * g->workers_per_host;
    return left < g->workers_per_host ? left : g->workers_per_host;
}

/* Who left the position to another may still run tasks there: no more shall run at once than were asked for. */
static uint32_t claimable_width(const struct supervisor *s, uint32_t position) {
    uint32_t width = width_of(s, position), taken = recycle_still_claimed(s, position);
    return taken < width ? width - taken : 0;
}

void spawn_widen(struct supervisor *s, uint32_t position) {
    if (s->positions[position] == NO_POSITION || s->breaker_is_open)
        return;
    uint32_t berth = s->positions[position], width = claimable_width(s, position);
    if (s->hosts[berth].state != HOST_ACTIVE || width == atomic_load(&berth_of(s->region, berth)->active))
        return;
    /* ORD(spawn:activate) */
    atomic_store(&berth_of(s->region, berth)->active, width);
    bell_ring_berth(s->region, berth);
}

static void activate(struct supervisor *s, uint32_t berth, uint32_t position) {
    struct host_record *record = &s->hosts[berth];
    record->state = HOST_ACTIVE;
    record->position = position;
    record->since_ns = clock_ns();
    s->positions[position] = berth;
    /* ORD(spawn:activate) pairs ORD(worker:active): what the recovery returned is told before. */
    atomic_store(&berth_of(s->region, berth)->active, claimable_width(s, position));
    bell_ring_berth(s->region, berth);
    if (s->ready)
        return;
    s->ready = true;
    count_ready(s);
    struct control_head *control = control_head(s->region);
    /* ORD(pool:state) */
    atomic_store_explicit(&control->state, POOL_READY, memory_order_release);
    futex_wake(&control->state, INT_MAX);
}

static uint32_t in_state(const struct supervisor *s, enum host_state state) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == state)
            return i;
    return NO_POSITION;
}

/* A host that the kernel cannot end (uninterruptible sleep, a huge unmap) must not hold up the pool. */
static void give_up_on_the_dying(struct supervisor *s, uint64_t now) {
    for (uint32_t i = 0; i < s->region->g.berths; i++) {
        struct host_record *record = &s->hosts[i];
        if (record->state != HOST_DYING || record->replaced || now - record->since_ns < DYING_PATIENCE_NS)
            continue;
        record->replaced = true;
        (void)containment_fell(s, i); /* it is not waited for, nor is what its tasks started */
        recycle_gone(s, i);
        atomic_fetch_add_explicit(&control_head(s->region)->replaced, 1, memory_order_relaxed);
        if (record->position != NO_POSITION)
            s->positions[record->position] = NO_POSITION;
        record->position = NO_POSITION;
    }
}

void spawn_hold(struct supervisor *s) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_ACTIVE)
            atomic_store(&berth_of(s->region, i)->active, 0);
}

void spawn_resume(struct supervisor *s) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_ACTIVE)
            atomic_store(&berth_of(s->region, i)->active, claimable_width(s, s->hosts[i].position));
    bell_ring_all(s->region);
}

uint32_t spawn_take_over(struct supervisor *s) {
    uint32_t vacant = 0;
    if (s->breaker_is_open || cleanup_is_behind(s))
        return 0;
    for (uint32_t position = 0; position < s->region->g.hosts; position++) {
        if (s->positions[position] != NO_POSITION)
            continue;
        uint32_t berth = in_state(s, HOST_STANDBY);
        if (berth == NO_POSITION) {
            vacant++;
            continue;
        }
        uint64_t now = clock_ns();
        if (s->ready && s->replenish_after <= now) /* of several take-overs the first counts */
            s->replenish_after = now + REPLENISH_NS;
        activate(s, berth, position);
    }
    return vacant;
}

/* One at a time: before the pool is ready, since who waits for it should not wait for the forks of the other hosts; and
 * after a failure, until one succeeds: what is wrong is not put right by trying it with all of them. */
static bool waits_for_a_start(const struct supervisor *s) {
    return (!s->ready || s->failed_at_ns != 0) && in_state(s, HOST_STARTING) != NO_POSITION;
}

static bool may_spawn(const struct supervisor *s, uint64_t now) {
    return now >= s->spawn_after && !s->quitting && !waits_for_a_start(s);
}

/* One that is to be recycled is followed by a host that is ready, also where none is kept ready otherwise. */
static uint32_t standby_wanted(const struct supervisor *s) {
    return s->region->g.standby == 0 && s->wants_heir ? 1 : s->region->g.standby;
}

/* Beside the active ones. Those that clean up are standbys again when that is over; until then they are none that could
 * take over. With an open circuit breaker clean-ups are all that hosts are made for. */
static uint32_t spare_wanted(const struct supervisor *s) {
    uint32_t standby = s->breaker_is_open ? 0 : standby_wanted(s), cleaners = cleanup_hosts_wanted(s);
    return standby > cleaners ? standby : cleaners;
}

/* Take over first, replenish after: the standby costs a wake-up, a new one a fork, and page after page of its own until
 * it is ready. Where processors are scarce both would come before the task that waits for the dead host's place, and
 * before the thread that waits for the kill. A place that nobody could take over is not made to wait. */
void spawn_fill(struct supervisor *s) {
    const struct geometry *g = &s->region->g;
    uint64_t now = clock_ns();
    give_up_on_the_dying(s, now);
    uint32_t coming = PLANTED(PLANT_STANDBY_COUNTED_TWICE) && s->replenish_after != 0;
    uint32_t vacant = spawn_take_over(s);
    uint32_t spare = spare_wanted(s), cleaning = 0;
    for (uint32_t i = 0; i < g->berths; i++) {
        coming += s->hosts[i].state == HOST_STARTING || s->hosts[i].state == HOST_STANDBY;
        cleaning += s->hosts[i].state == HOST_CLEANING;
    }
    spare -= cleaning < spare ? cleaning : spare;
    uint32_t wanted = now >= s->replenish_after ? vacant + spare : vacant;
    while (coming < wanted && may_spawn(s, now) && spawn(s))
        coming++;
    count_ready(s);
}

uint64_t spawn_next_ns(const struct supervisor *s) {
    const struct geometry *g = &s->region->g;
    uint64_t next = NEVER;
    bool counts_active = !s->breaker_is_open && !cleanup_is_behind(s);
    uint32_t wanted = spare_wanted(s) + (counts_active ? g->hosts : 0), have = 0;
    for (uint32_t i = 0; i < g->berths; i++) {
        const struct host_record *record = &s->hosts[i];
        have += record->state == HOST_STARTING || record->state == HOST_STANDBY || record->state == HOST_CLEANING;
        have += record->state == HOST_ACTIVE && counts_active;
        uint64_t look = NEVER;
        if (record->state == HOST_STARTING)
            look = record->since_ns + s->heritage->start_ns + 1;
        else if (record->state == HOST_DYING && !record->replaced)
            look = record->since_ns + DYING_PATIENCE_NS;
        if (look < next)
            next = look;
    }
    uint64_t now = clock_ns(), retry = NEVER;
    bool wants_more = have < wanted && s->ready;
    if (wants_more && s->spawn_after > now)
        retry = s->spawn_after;
    else if (wants_more && s->replenish_after > now)
        retry = s->replenish_after;
    else if (s->template_pid != 0 && !s->template_ready)
        retry = template_due(s);
    else if (wants_more && !waits_for_a_start(s))
        retry = now + LOOK_AGAIN_NS;
    return retry < next ? retry : next;
}
