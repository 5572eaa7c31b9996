/* death.c - from a host's end to its tasks' verdicts and to who comes after it */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "region/bell.h"
#include "region/fence.h"
#include "region/plant.h"
#include "region/queue.h"
#include "supervisor/state.h"
#include "system/clock.h"
#include "system/futex.h"

/* ORD(*) of desks and words of hosts that are certainly dead: the kernel comes after all they did. */
static void clear_hints(const struct region *r, uint32_t berth) {
    if (PLANTED(PLANT_HINTS_STAY))
        return;
    for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++) {
        bell_say_busy(r, berth, worker);
        bell_stop_search(r, berth, worker);
        if (!PLANTED(PLANT_DEPUTY_STAYS))
            bell_resign(r, berth, worker);
    }
}

void death_doom(struct supervisor *s, uint32_t berth) {
    struct host_record *record = &s->hosts[berth];
    if (record->state == HOST_EMPTY || record->state == HOST_DYING)
        return;
    /* ORD(death:doom) pairs ORD(worker:doomed): before any look at what its workers claimed, ORD(death:look). */
    atomic_store_explicit(&berth_of(s->region, berth)->doomed, 1, memory_order_seq_cst);
    record->asked = true;
    if (record->state == HOST_STARTING)
        s->children = CHILDREN_NEWS; /* its sitter is ours while it starts only */
    record->state = HOST_DYING;
    s->dying++;
    record->since_ns = clock_ns();
    if (record->asked_for == MORTAL_ASKED_NOBODY) { /* whoever knows better has said so */
        record->asked_for = MORTAL_ASKED_AUDIT;
        record->asked_ns = record->since_ns;
    }
    if (PLANTED(PLANT_VERDICT_BEFORE_DEATH)) {
        death_settle(s, record, &(struct death){.asked = true, .culprit = NO_WORKER});
        for (uint64_t until = record->since_ns + 300000; clock_ns() < until;) {
        }
    }
    /* A pid and not a pidfd: this is its parent and alone reaps it, so until then the number cannot be anybody else's. */
    if (!trace_ask(s, berth))
        kill(record->pid, SIGKILL);
    /* It may be long until its burial does this again, and who is rung meanwhile shall be one that lives. */
    clear_hints(s->region, berth);
}

void death_announce(struct supervisor *s, uint32_t slot) {
    const struct region *r = s->region;
    struct order *order = order_of(r, slot);
    uint32_t group = atomic_load_explicit(&order->group, memory_order_relaxed);
    if (group != 0 && group <= GROUPS_MAX) {
        struct control_head *control = control_head(r);
        uint64_t tail = atomic_load_explicit(&control->fate_tail, memory_order_relaxed);
        /* ORD(fate-log:reuse) pairs ORD(fate-log:still-valid): after the length that stood before. */
        atomic_store_explicit(&control->fate_log[tail % FATE_LOG_ENTRIES], slot, memory_order_release);
        /* ORD(fate-log:told) pairs ORD(fate-log:read): who sees the tail sees the entry, and that its task has ended. */
        atomic_store_explicit(&control->fate_tail, tail + 1, memory_order_seq_cst);
        _Atomic uint32_t *bell = &claims_head(r)->group_bell[group - 1];
        atomic_fetch_add(bell, 1);
        futex_wake(bell, INT_MAX);
    }
    /* The end was a full barrier, as ORD(publish) is: ORD(watch:seen), and below ORD(room:wanted) */
    if (atomic_load(&order->watched) != 0)
        futex_wake(word_futex(claim_of(r, slot)), INT_MAX);
    if (atomic_load(&orders_head(r)->room_wanted) != 0) {
        atomic_fetch_add(&claims_head(r)->room_bell, 1);
        futex_wake(&claims_head(r)->room_bell, INT_MAX);
    }
}

/* A host may have died between a part and the ring for it, and its task is told of nowhere else if it starts again. */
static void tell_of_parts(const struct region *r, uint32_t slot) {
    uint32_t group = atomic_load_explicit(&order_of(r, slot)->group, memory_order_relaxed);
    if ((atomic_load(&order_of(r, slot)->watched) & WATCHED_GROUP) == 0 || group == 0 || group > GROUPS_MAX)
        return;
    atomic_fetch_add(&claims_head(r)->group_bell[group - 1], 1);
    futex_wake(&claims_head(r)->group_bell[group - 1], INT_MAX);
}

static bool is_pending(const struct region *r, uint64_t entry) {
    uint64_t word = atomic_load(claim_of(r, (uint32_t)entry));
    return word_phase(word) == SLOT_PENDING && word_generation(word) == entry_generation(entry);
}

/* While it ran, its time may have run out, and the search for what expires have passed it over: that is a matter of whoever
 * runs it then. Now that it waits again no worker would start it, and nobody else end it. */
static void look_for_expiry(struct supervisor *s, uint32_t slot) {
    const struct order *order = order_of(s->region, slot);
    if ((atomic_load_explicit(&order->flags, memory_order_relaxed) & ORDER_EXPIRES) == 0)
        return;
    _Atomic uint64_t *floor = &control_head(s->region)->expiry_floor_ns;
    uint64_t expiry = atomic_load(&order->expires_at_ns), seen = atomic_load(floor);
    while (seen > expiry && !atomic_compare_exchange_weak(floor, &seen, expiry)) {
    }
}

void death_return(struct supervisor *s, uint32_t slot) {
    uint64_t word = atomic_load(claim_of(s->region, slot));
    if (word_phase(word) != SLOT_PENDING)
        return;
    look_for_expiry(s, slot);
    enum lane lane = PLANTED(PLANT_LANE_FORGOTTEN) ? LANE_NORMAL : lane_of(s->region, slot);
    uint64_t entry = (uint64_t)lane << LANE_SHIFT | queue_entry(slot, word_generation(word));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->returned_count; i++)
        if (s->returned[i].entry != entry && is_pending(s->region, s->returned[i].entry))
            s->returned[kept++] = s->returned[i];
    s->returned_count = kept;
    if (kept == RETURNED_ENTRIES) /* more than all workers together could return: the audit finds it again */
        return;
    uint64_t ticket = atomic_load_explicit(&order_of(s->region, slot)->ticket, memory_order_relaxed);
    if (PLANTED(PLANT_RETURN_TO_THE_END))
        ticket = UINT64_MAX;
    uint32_t at = s->returned_count++;
    for (; at > 0 && s->returned[at - 1].ticket > ticket; at--)
        s->returned[at] = s->returned[at - 1];
    s->returned[at] = (struct returned){.ticket = ticket, .entry = entry};
}

/* Workers that read the table while it changes see some mixture of entries, each of which is only a hint; the version,
 * stored last, makes them look again. */
void death_publish_returned(struct supervisor *s) {
    struct control_head *control = control_head(s->region);
    for (uint32_t i = 0; i < s->returned_count; i++)
        atomic_store_explicit(&control->returned[i], s->returned[i].entry, memory_order_relaxed);
    /* Each is only a hint, see ORD(returned:told). */
    atomic_store_explicit(&control->returned_count, s->returned_count, memory_order_release);
    /* ORD(returned:told) pairs ORD(returned:seen) and ORD(returned:look): the version comes after the table it stands
     * for, and before the rings of the recovery. */
    atomic_fetch_add_explicit(&control->returned_version, 1, memory_order_seq_cst);
}

/* If exactly one task was under way, it did it, also where the host could not say so (SIGKILL from outside, _exit). */
static uint32_t only_one_begun(const struct supervisor *s, uint32_t life) {
    uint32_t found = NO_WORKER;
    for (uint32_t i = 0; i < s->region->g.workers_per_host; i++) {
        struct desk *desk = desk_of(s->region, life, i);
        uint32_t intent = atomic_load(&desk->intent);
        if (intent == 0 || intent > s->region->g.slots)
            continue;
        uint64_t word = atomic_load(claim_of(s->region, intent - 1));
        if (!phase_is_running(word_phase(word)) || atomic_load(&desk->begun) != word_with_phase(word, SLOT_RUNNING) ||
            word_life(word) != life || word_worker(word) != i)
            continue;
        if (found != NO_WORKER)
            return NO_WORKER;
        found = i;
    }
    return found;
}

/* With several workers what a host used is not what one task did. */
static void tell_usage(const struct supervisor *s, struct death *death) {
    const struct rusage *usage = &s->dead_usage;
    int measure = s->region->g.measure;
    if (s->region->g.workers_per_host == 1 && (measure & MORTAL_MEASURE_CPU) != 0)
        death->cpu_ns = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000u +
                        (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000u;
    if ((measure & MORTAL_MEASURE_MEMORY) != 0)
        death->peak_bytes = (uint64_t)usage->ru_maxrss * 1024u;
}

static struct death inquest(struct supervisor *s, const struct host_record *record, const siginfo_t *info) {
    const struct host_head *head = host_head(s->region, record->life);
    /* ORD(words:read) pairs ORD(words:said) */
    uint32_t words = arena_is_its_own(s, record) ? atomic_load_explicit(&head->words, memory_order_acquire) : WORDS_NONE;
    bool by_signal = info->si_code != CLD_EXITED;
    /* Where its handler is gone, the question where it is ends it, too. */
    bool by_us = record->asked && by_signal &&
                 (info->si_status == SIGKILL || (record->was_asked_where && info->si_status == SIGNAL_TRACE));
    /* It crashed, and hung over saying where. */
    bool hung = by_us && record->has_spoken && words == WORDS_SIGNAL && record->blamed_worker == NO_WORKER;
    int signal_number = hung ? head->signal : info->si_status;
    struct death death = {.culprit = NO_WORKER, .at_ns = clock_ns()};
    /* Life lines are cut by every death, before it can be waited for: they tell only why we killed, if we did. */
    if (by_us && record->became_other) {
        death.cause = MORTAL_CAUSE_EXEC;
    } else if (by_us && record->lost_worker != NO_WORKER) {
        death.cause = MORTAL_CAUSE_THREAD_EXIT;
        death.culprit = record->lost_worker;
    } else if (info->si_code == CLD_EXITED) {
        death.cause = words == WORDS_THREAD_EXIT ? MORTAL_CAUSE_THREAD_EXIT
                      : words == WORDS_NO_MODULE ? MORTAL_CAUSE_NO_MODULE
                                                 : MORTAL_CAUSE_EXIT;
        death.exit_code = death.cause == MORTAL_CAUSE_EXIT ? info->si_status : 0;
        if (words == WORDS_EXIT || words == WORDS_THREAD_EXIT || words == WORDS_NO_MODULE)
            death.culprit = head->worker;
        death.out_of_memory = words == WORDS_EXIT && head->lacks_memory != 0;
    } else if (by_us && record->over != 0) {
        death.cause = record->over;
        death.out_of_memory = record->over == MORTAL_CAUSE_MEMORY;
    } else {
        death.asked = by_us && !hung;
        death.suspected = death.asked && !record->is_excused;
        death.cause = MORTAL_CAUSE_SIGNAL;
        death.signal = signal_number;
        if (words == WORDS_SIGNAL && head->signal == signal_number) {
            death.signal_code = head->signal_code;
            death.fault_address = head->fault_address;
            death.culprit = head->worker;
            death.out_of_memory = head->lacks_memory != 0;
        }
        if (!by_us && info->si_status == SIGKILL)
            death.out_of_memory = cap_oom_struck(s);
    }
    tell_usage(s, &death);
    if (death.culprit >= s->region->g.workers_per_host)
        death.culprit = death.asked ? NO_WORKER : only_one_begun(s, record->life);
    return death;
}

/* What the dead host's tasks become, in their words; who waits for them is told by death_tell(). */
void death_settle(struct supervisor *s, const struct host_record *record, const struct death *death) {
    bool returned = false;
    for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++) {
        uint32_t slot;
        if (cleanup_takes(s, record, worker, death) && !PLANTED(PLANT_SETTLE_BEFORE_CLEANUP))
            continue;
        enum recovered outcome =
            recover_desk(s->region, record->life, worker, death, record->watches[worker].sentence, &slot);
        if (outcome != RECOVERED_RETURNED && outcome != RECOVERED_WAITING)
            continue;
        if (outcome == RECOVERED_RETURNED)
            atomic_fetch_add_explicit(&control_head(s->region)->requeued, 1, memory_order_relaxed);
        if (PLANTED(PLANT_LOSE_RETURNED))
            continue;
        tell_of_parts(s->region, slot);
        death_return(s, slot);
        returned = true;
    }
    if (returned)
        death_publish_returned(s);
}

/* Each worker's last task, if it has ended: by the recovery, or by its own publication that it lived too short to tell. */
static void announce_tasks(struct supervisor *s, uint32_t life) {
    for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++) {
        uint32_t intent = atomic_load(&desk_of(s->region, life, worker)->intent);
        if (intent != 0 && intent <= s->region->g.slots &&
            phase_has_ended(word_phase(atomic_load(claim_of(s->region, intent - 1)))))
            death_announce(s, intent - 1);
    }
}

/* More was completed than the log can name. A fate log that has run over makes the owner look at every slot. */
static void tell_all_groups(struct region *r) {
    atomic_fetch_add(&control_head(r)->fate_tail, FATE_LOG_ENTRIES + 1);
    for (uint32_t group = 0; group < GROUPS_MAX; group++) {
        if (atomic_load(&orders_head(r)->group_watch[group]) == 0)
            continue;
        atomic_fetch_add(&claims_head(r)->group_bell[group], 1);
        futex_wake(&claims_head(r)->group_bell[group], INT_MAX);
    }
}

/* The completion log of a dead host is read on by nobody: pass on what the owner has not read. */
static void inherit_logs(struct supervisor *s, uint32_t berth, uint32_t life, uint32_t birth) {
    for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++) {
        struct desk *desk = desk_of(s->region, life, worker);
        uint32_t tail = atomic_load(&desk->log_tail);
        uint64_t taken = atomic_load(log_taken_of(s->region, berth, worker));
        uint32_t from = taken >> 32 == birth ? (uint32_t)taken : 0;
        if (tail - from > LOG_ENTRIES) {
            tell_all_groups(s->region);
            continue;
        }
        for (; from != tail; from++) {
            uint32_t slot = atomic_load_explicit(&desk->log[from & (LOG_ENTRIES - 1)], memory_order_relaxed);
            if (slot < s->region->g.slots && phase_has_ended(word_phase(atomic_load(claim_of(s->region, slot)))))
                death_announce(s, slot);
        }
    }
}

void death_tell(struct supervisor *s, uint32_t berth, uint32_t life, uint32_t birth) {
    announce_tasks(s, life);
    inherit_logs(s, berth, life, birth);
}

/* All that follows from a certain death: verdicts first, then its place, who comes after it, and who is told. */
void death_bury(struct supervisor *s, uint32_t berth, const struct death *death) {
    struct host_record *record = &s->hosts[berth];
    struct berth *shared = berth_of(s->region, berth);
    atomic_store(&shared->doomed, 1);
    if (host_works(record) || record->state == HOST_DYING)
        death_settle(s, record, death);
    cleanup_host_died(s, berth);
    trace_forget(s, record);
    uint32_t life = record->life;
    bool is_its_own = arena_is_its_own(s, record);
    if (record->position != NO_POSITION)
        s->positions[record->position] = NO_POSITION;
    clear_hints(s->region, berth);
    atomic_store(&shared->active, 0);
    atomic_store(&shared->pid, 0);
    atomic_store(&shared->life, NO_LIFE);
    s->life_berth[life] = 0;
    if (record->state == HOST_STARTING)
        s->children = CHILDREN_NEWS; /* as in death_doom() */
    s->dying -= record->state == HOST_DYING && s->dying != 0;
    record->state = HOST_EMPTY;
    record->position = NO_POSITION;
    record->life = NO_LIFE;
    recycle_gone(s, berth);
    spawn_take_over(s); /* before anybody is told: the waiting tasks' time counts from the kill */
    if (is_its_own)
        death_tell(s, berth, life, record->birth);
    containment_buried(s, berth);
    sitters_end(s, berth, life); /* which lets go of the life, then or now */
}

void death_certified(struct supervisor *s, uint32_t berth, const siginfo_t *info) {
    const struct host_record *record = &s->hosts[berth];
    bool was_starting = record->state == HOST_STARTING;
    if (was_starting) {
        bool init = arena_is_its_own(s, record) &&
                    atomic_load(&host_head(s->region, record->life)->words) == WORDS_INIT_FAILED;
        spawn_failed(s, record->since_ns, STAGE_INIT, init ? DETAIL_STATUS : DETAIL_CRASHED, info->si_status,
                     -ECANCELED);
    }
    /* Counted before any verdict tells of it. */
    atomic_fetch_add_explicit(&control_head(s->region)->deaths, 1, memory_order_relaxed);
    struct death death = inquest(s, record, info);
    if (record->wanted_ns != 0)
        latency_count(&control_head(s->region)->latencies[record->wanted_for],
                      death.at_ns > record->wanted_ns ? death.at_ns - record->wanted_ns : 0);
    if (!was_starting && !record->is_excused)
        breaker_count(s, death.at_ns, STAGE_NONE, death.cause,
                      death.cause == MORTAL_CAUSE_SIGNAL ? death.signal : death.exit_code);
    death.obituary = obituary_write(s, berth, &death); /* before any verdict names it */
    death_bury(s, berth, &death);
    breaker_tell(s); /* with each death, since it may have returned a task that somebody waits for */
}

/* So many at least: what was cancelled meanwhile may be among them. */
static uint64_t count_waiting(const struct supervisor *s) {
    if (!bell_anybody_idle(s->region))
        return 0;
    /* ORD(queue:length), and what the dead one said of itself, ORD(bell:stop), and its office, ORD(bell:resign), are gone
     * before. What the owner left to it as deputy may be on its way still. */
    if (!fence_before_sleep(s->region))
        return UINT64_MAX;
    uint64_t count = queue_length(s->region);
    for (uint32_t i = 0; i < s->returned_count; i++)
        count += is_pending(s->region, s->returned[i].entry);
    return count;
}

/* One that sleeps, and whose bit was taken by a worker that died before it rang. Who runs a task looks for the next one by
 * itself, and so does who has just claimed one. */
static void ring_unseen(const struct supervisor *s) {
    const struct region *r = s->region;
    for (uint32_t berth = 0; berth < r->g.berths; berth++) {
        if (s->hosts[berth].state != HOST_ACTIVE)
            continue;
        uint32_t active = atomic_load(&berth_of(r, berth)->active);
        for (uint32_t worker = 0; worker < active; worker++)
            if (!bell_is_seen(r, berth, worker) && atomic_load(&desk_of(r, s->hosts[berth].life, worker)->begun) == 0)
                bell_ring_worker(r, berth, worker);
    }
}

/* Whoever died may have been rung and could not look, or was about to ring another: bell.h. To ring everybody would do,
 * and cost a wake-up for each worker of the pool. */
void death_ring(struct supervisor *s) {
    if (PLANTED(PLANT_SILENT_RECOVERY))
        return;
    ring_unseen(s);
    bell_ring_idle(s->region, count_waiting(s));
}

void death_rally(struct supervisor *s) {
    spawn_fill(s);
    death_ring(s);
}

static uint32_t berth_of_pid(const struct supervisor *s, pid_t pid) {
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state != HOST_EMPTY && s->hosts[i].pid == pid)
            return i;
    return NO_POSITION;
}

static void reap_one(struct supervisor *s, const siginfo_t *seen) {
    siginfo_t info;
    if (seen->si_pid == s->template_pid && s->template_ready)
        spawn_forget_template(s); /* while it is not ready, what it said last is still to be heard */
    while (waitid(P_PID, (id_t)seen->si_pid, &info, WEXITED | __WALL) < 0 && errno == EINTR) {
    }
    s->children = CHILDREN_NEWS;
}

/* The system call, since glibc's waitid does not hand on what the dead one used. */
static bool has_ended(struct supervisor *s, idtype_t which, pid_t pid, siginfo_t *seen) {
    memset(seen, 0, sizeof *seen);
    return syscall(SYS_waitid, which, pid, seen, WEXITED | WNOHANG | WNOWAIT | __WALL, &s->dead_usage) == 0 &&
           seen->si_pid != 0;
}

#define AT_ONCE 64u

/* Those that were killed are asked for by number: a look at all children takes the longer the more there are. Reaped when
 * it is known what they left, since the list of children can be read on only while nobody is taken out of it. Returns how
 * many. */
static uint32_t reap_doomed(struct supervisor *s, bool *left_any) {
    siginfo_t ended[AT_ONCE];
    uint32_t count = 0;
    for (uint32_t berth = 0; berth < s->region->g.berths && s->dying != 0 && count < AT_ONCE; berth++) {
        const struct host_record *record = &s->hosts[berth];
        if (record->state != HOST_DYING || !has_ended(s, P_PID, record->pid, &ended[count]))
            continue;
        if (PLANTED(PLANT_REAP_BEFORE_RECOVERY))
            reap_one(s, &ended[count]);
        death_certified(s, berth, &ended[count++]);
    }
    if (count != 0 && !descendants_none(s))
        *left_any = true;
    for (uint32_t i = 0; i < count; i++) {
        reap_one(s, &ended[i]);
        containment_reaped(s, ended[i].si_pid);
    }
    return count;
}

/* Looked at first and reaped after the recovery: the pid in the berth names nobody else before all is in order. */
void death_reap(struct supervisor *s) {
    bool left_any = false, died = reap_doomed(s, &left_any) != 0;
    siginfo_t seen;
    while (has_ended(s, P_ALL, 0, &seen)) {
        uint32_t berth = berth_of_pid(s, seen.si_pid);
        if (PLANTED(PLANT_REAP_BEFORE_RECOVERY))
            reap_one(s, &seen);
        if (berth != NO_POSITION)
            death_certified(s, berth, &seen);
        reap_one(s, &seen);
        died = died || berth != NO_POSITION;
        containment_reaped(s, seen.si_pid);
        left_any = !sitters_reaped(s, seen.si_pid) || left_any;
    }
    siginfo_t stopped;
    memset(&stopped, 0, sizeof stopped);
    bool swallowed = waitid(P_ALL, 0, &stopped, WSTOPPED | WNOHANG) == 0 && stopped.si_pid != 0;
    if (left_any) /* who killed them is waiting to be told that nothing is left */
        descendants_kill(s);
    if (died)
        death_rally(s);
    if (swallowed) /* whoever stopped is seen to look for work, perhaps, and does not */
        bell_ring_all(s->region);
    if (died)
        obituary_prepare(s);
}
