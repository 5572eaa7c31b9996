/*
 * cap.c - who takes more than it may
 *
 * What the kernel refuses by itself (private memory, descriptors, sizes of files) is set once in each host. The rest is
 * watched from here, only while there is work, and the more often the nearer a host is to its cap: memory that escapes
 * RLIMIT_DATA, since it is shared or was reserved before; processes, whose limit in the kernel is one per user and none
 * for root; processor time, which the kernel limits by whole seconds, per process.
 *
 * Looks are cheap and a little wrong; before anything is done about one, an exact one is taken. What is believed is the
 * kernel's word about a process. The task is the one that ran before the look, so that none is blamed for what another
 * left behind at its end: condemn() fails where it ended meanwhile.
 */
#include <errno.h>
#include <stdlib.h>

#include "region/cap.h"
#include "supervisor/state.h"
#include "system/clock.h"

/* ORD(*) the plain atomics here look at words that condemn()'s swap then decides. */

#define FILL_BYTES_PER_NS 4u         /* faster than that no host can fill memory, a processor clears some 2 to 10 GB/s */
#define LOOK_LEAST_NS 2000000ull
#define LOOK_MOST_NS 250000000ull
#define LOOK_PROCESSES_NS 5000000ull /* a process is made in some 50 us */
#define LOOK_NEW_NS 10000000ull
#define LOOK_CPU_LEAST_NS 500000ull
#define LOOK_SHARE 20u               /* all looks together take a twentieth of a processor at most */
#define EMPTY_ROOM_BYTES (256u << 10) /* the first task of a host touches so much in any case */

static uint64_t min_ns(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What hosts inherit is not their own. Of the answers each has only its own arena, and where the others were is room for
 * what tasks map. Without /proc nothing is looked at, so nothing counts too much. */
static void find_others(struct supervisor *s) {
    uintptr_t answers = (uintptr_t)s->region->answers;
    int count = usage_shared_ranges(&s->others), kept = 0;
    for (int i = 0; i < count; i++)
        if (s->others[i].start != answers)
            s->others[kept++] = s->others[i];
    /* Files of the owner that come to lie there are not in our own maps. */
    const struct window *files = &s->region->windows[WINDOW_FILES];
    struct usage_range *more = files->bytes != 0 ? realloc(s->others, ((size_t)kept + 1) * sizeof *more) : NULL;
    if (more != NULL) {
        s->others = more;
        more[kept++] = (struct usage_range){(uintptr_t)files->base, (uintptr_t)files->base + files->bytes};
    }
    s->other_count = kept;
}

static bool own_bytes(const struct supervisor *s, const struct host_record *record, uint64_t *bytes, uint64_t *shared) {
    uintptr_t arena = (uintptr_t)arena_of(s->region, record->life);
    const struct usage_range ours = {arena, arena + s->region->g.arena_bytes};
    return usage_own_bytes(record->pid, s->others, s->other_count, &ours, bytes, shared);
}

int cap_open_tables(struct supervisor *s) {
    s->leaving = calloc(s->region->g.hosts, sizeof *s->leaving);
    find_others(s);
    s->oom_kills = usage_oom_kills();
    return s->leaving != NULL ? 0 : -1;
}

void cap_look_at_oom(struct supervisor *s) {
    if (s->oom_kills >= 0)
        s->oom_kills = usage_oom_kills();
}

bool cap_oom_struck(struct supervisor *s) {
    int64_t before = s->oom_kills;
    cap_look_at_oom(s);
    return before >= 0 && s->oom_kills > before;
}

/* Whether or not anybody asked: tasks may. */
static void say_caps(const struct supervisor *s, bool has_proc, bool is_refused) {
    uint32_t bits = MORTAL_CAPS_CPU_WATCHED | MORTAL_CAPS_FILES_REFUSED |
                    (is_refused ? MORTAL_CAPS_MEMORY_REFUSED : 0) |
                    (has_proc ? MORTAL_CAPS_MEMORY_WATCHED | MORTAL_CAPS_PROCESSES_WATCHED : 0) |
                    (s->oom_kills >= 0 ? MORTAL_CAPS_OOM_WATCHED : 0);
    atomic_store_explicit(&control_head(s->region)->caps, bits, memory_order_relaxed);
}

static bool fail(struct supervisor *s, struct host_record *record, enum start_detail detail) {
    record->is_excused = true;
    spawn_failed(s, record->since_ns, STAGE_INIT, detail, 0, -EINVAL);
    return false;
}

/* Before it runs any task: what it has now it needs, and what the kernel counts and nobody touched (stacks of threads, the
 * owner's tables) is not held against it. */
bool cap_welcome(struct supervisor *s, uint32_t berth) {
    const struct pool_caps *caps = &s->heritage->caps;
    struct host_record *record = &s->hosts[berth];
    struct control_head *control = control_head(s->region);
    bool minds_memory = caps->memory_bytes != 0 || caps->recycle_bytes != 0;
    if (s->ready && !minds_memory)
        return true;
    struct usage usage;
    bool has_proc = usage_read(record->pid, &usage), is_refused = true;
    if (has_proc) {
        uint64_t needs = usage.anon_bytes + EMPTY_ROOM_BYTES;
        record->shared_known = usage.shared_bytes;
        if (!s->ready || caps->memory_bytes != 0)
            atomic_store_explicit(&control->empty_host_bytes, needs, memory_order_relaxed);
        if (caps->memory_bytes != 0 && caps->memory_bytes <= needs)
            return fail(s, record, DETAIL_CAP);
        uint64_t untouched = usage.data_bytes > usage.anon_bytes ? usage.data_bytes - usage.anon_bytes : 0;
        is_refused = caps->memory_bytes == 0 || usage_limit_data(record->pid, untouched + caps->memory_bytes) == 0;
    } else if (minds_memory || caps->processes != 0) {
        return fail(s, record, DETAIL_UNKNOWN_SIZE);
    }
    say_caps(s, has_proc, is_refused);
    return true;
}

/* The word of the task that a worker runs, or 0. */
static uint64_t runs(const struct region *r, const struct host_record *record, uint32_t worker, uint32_t *slot) {
    uint32_t intent = atomic_load(&desk_of(r, record->life, worker)->intent);
    if (intent == 0 || intent > r->g.slots)
        return 0;
    *slot = intent - 1;
    uint64_t word = atomic_load(claim_of(r, *slot));
    bool is_its = word_phase(word) == SLOT_RUNNING && word_life(word) == record->life && word_worker(word) == worker;
    return is_its && atomic_load(&desk_of(r, record->life, worker)->begun) == word ? word : 0;
}

static bool runs_any(const struct region *r, const struct host_record *record) {
    uint32_t slot;
    for (uint32_t worker = 0; worker < r->g.workers_per_host; worker++)
        if (runs(r, record, worker, &slot) != 0)
            return true;
    return false;
}

/* The task of a host with one worker is to blame, those of a host with several are not known; what nobody runs was left
 * behind, and goes with its host between two tasks. */
static void end_over_cap(struct supervisor *s, uint32_t berth, uint64_t word, uint32_t slot, enum sentence sentence,
                         enum mortal_cause cause) {
    struct host_record *record = &s->hosts[berth];
    if (word != 0) {
        condemn(s, slot, word_generation(word), sentence);
    } else if (runs_any(s->region, record)) {
        record->over = (int32_t)cause;
        record->is_excused = true;
        record->asked_for = MORTAL_ASKED_CAP;
        record->asked_ns = clock_ns();
        atomic_fetch_add_explicit(&control_head(s->region)->kills, 1, memory_order_relaxed);
        death_doom(s, berth);
    } else {
        record->is_spent = true;
    }
}

static uint64_t look_at_memory(struct supervisor *s, uint32_t berth, uint64_t now) {
    const struct region *r = s->region;
    const struct pool_caps *caps = &s->heritage->caps;
    struct host_record *record = &s->hosts[berth];
    uint32_t slot = 0;
    uint64_t word = r->g.workers_per_host == 1 ? runs(r, record, 0, &slot) : 0, most = caps->memory_bytes;
    bool has_own = word != 0 && (atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed) & ORDER_CAPS_MEMORY) != 0;
    if (has_own)
        most = cap_memory(cap_of(r, slot));
    uint64_t lower = caps->recycle_bytes != 0 && (most == 0 || caps->recycle_bytes < most) ? caps->recycle_bytes : most;
    if (lower == 0)
        return now + LOOK_NEW_NS; /* until a task with a cap of its own is seen */
    if (now < record->memory_look_at && lower == record->memory_cap && !s->was_idle)
        return record->memory_look_at;
    record->memory_cap = lower;
    struct usage usage;
    if (!usage_glance(record->pid, &usage))
        return now + LOOK_MOST_NS;
    uint64_t shared = usage.shared_bytes > record->shared_known ? usage.shared_bytes - record->shared_known : 0;
    uint64_t bytes = usage.anon_bytes + shared, own_shared;
    if (bytes > lower && own_bytes(s, record, &bytes, &own_shared))
        record->shared_known = usage.shared_bytes > own_shared ? usage.shared_bytes - own_shared : 0;
    if (caps->recycle_bytes != 0 && bytes > caps->recycle_bytes)
        record->is_spent = true;
    if (most != 0 && bytes > most)
        end_over_cap(s, berth, word, slot, SENTENCE_MEMORY, MORTAL_CAUSE_MEMORY);
    uint64_t left = most == 0 ? LOOK_MOST_NS * FILL_BYTES_PER_NS : bytes < most ? most - bytes : 0;
    uint64_t wait = left / FILL_BYTES_PER_NS;
    wait = wait < LOOK_LEAST_NS ? LOOK_LEAST_NS : wait > LOOK_MOST_NS ? LOOK_MOST_NS : wait;
    record->memory_look_at = now + wait;
    return record->memory_look_at;
}

static uint64_t look_at_processes(struct supervisor *s, uint32_t berth, uint64_t now) {
    struct host_record *record = &s->hosts[berth];
    uint32_t cap = s->heritage->caps.processes, slot = 0, count;
    if (cap == 0)
        return NEVER;
    if (now < record->processes_look_at && !s->was_idle)
        return record->processes_look_at;
    uint32_t most = cap == NO_PROCESSES ? 0 : cap;
    uint64_t word = s->region->g.workers_per_host == 1 ? runs(s->region, record, 0, &slot) : 0;
    if (usage_processes(record->pid, most + 1, &count) && count > most) {
        end_over_cap(s, berth, word, slot, SENTENCE_PROCESSES, MORTAL_CAUSE_PROCESSES);
        if (record->state == HOST_DYING && !containment_fell(s, berth))
            descendants_kill_below(record->pid);
    }
    record->processes_look_at = now + LOOK_PROCESSES_NS;
    return record->processes_look_at;
}

/* From the start that its host noted, which the task could overwrite: believed if it is not later than what was seen
 * first. A thread alone takes no more than the clock, a process with threads so many times more as there are
 * processors. */
static uint64_t look_at_cpu(struct supervisor *s, uint32_t berth, uint32_t worker, uint64_t now) {
    const struct region *r = s->region;
    struct host_record *record = &s->hosts[berth];
    struct watch *watch = &record->watches[worker];
    uint32_t slot;
    uint64_t used, word = runs(r, record, worker, &slot);
    if (word == 0) /* or it has just been claimed; what waits is seen by the floor of deadlines */
        return now + LOOK_NEW_NS;
    if ((atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed) & ORDER_CAPS_CPU) == 0)
        return now + LOOK_NEW_NS;
    bool is_known = word == watch->capped_word && slot == watch->capped_slot;
    if (is_known && now < watch->cpu_look_at)
        return watch->cpu_look_at;
    bool alone = r->g.workers_per_host == 1;
    if (alone ? !usage_cpu_of_process(record->pid, &used) : !usage_cpu_of_thread(record->pid, containment_thread(s, berth, worker), &used))
        return now + LOOK_MOST_NS;
    if (!is_known) {
        uint64_t base = atomic_load(&desk_of(r, record->life, worker)->cpu_ns);
        watch->capped_word = word;
        watch->capped_slot = slot;
        watch->cpu_base_ns = base < used ? base : used;
    }
    uint64_t cap = cap_of(r, slot)->cpu_ns, since = used - watch->cpu_base_ns;
    if (since >= cap) {
        condemn(s, slot, word_generation(word), SENTENCE_CPU);
        return NEVER;
    }
    uint64_t wait = (cap - since) / (alone ? s->heritage->caps.cpus : 1);
    watch->cpu_look_at = now + (wait > LOOK_CPU_LEAST_NS ? wait : LOOK_CPU_LEAST_NS);
    return watch->cpu_look_at;
}

static uint64_t look_at(struct supervisor *s, uint32_t berth, uint64_t now) {
    uint64_t next = look_at_processes(s, berth, now);
    if (host_works(&s->hosts[berth]))
        next = min_ns(next, look_at_memory(s, berth, now));
    for (uint32_t worker = 0; worker < s->region->g.workers_per_host; worker++)
        if (host_works(&s->hosts[berth]))
            next = min_ns(next, look_at_cpu(s, berth, worker, now));
    return next;
}

/* While there is work, and once more when there is none left: what was left behind is seen then. */
uint64_t cap_check(struct supervisor *s, uint64_t now) {
    const struct control_head *control = control_head(s->region);
    bool is_idle = s->audit_at == NEVER, was_idle = s->was_idle;
    s->was_idle = is_idle;
    if (is_idle && was_idle)
        return NEVER;
    const struct pool_caps *caps = &s->heritage->caps;
    bool watches = caps->memory_bytes != 0 || caps->recycle_bytes != 0 || caps->processes != 0 ||
                   atomic_load(&control->caps_used) != 0;
    if (!watches)
        return NEVER;
    uint64_t next = NEVER;
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++)
        if (host_works(&s->hosts[berth]))
            next = min_ns(next, look_at(s, berth, now));
    uint64_t rest = now + (clock_ns() - now) * LOOK_SHARE;
    return is_idle ? NEVER : next < rest ? rest : next;
}
