#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"

enum { NO_PROCESS = INT32_MAX, SLEEPS_MOST = 100 };
#define AUDIT_NS 500000000ull

struct world world;

void world_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: MUST(%s); mortal_why(): %s\n", file, line, condition, mortal_why());
    abort();
}

uint64_t bytes_take(struct bytes *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count && bytes->at != bytes->end; i++)
        value |= (uint64_t)*bytes->at++ << 8 * i;
    return value;
}

/* ---- the system's door, replaced (--wrap) ----------------------------------------------------------------------- */

uint64_t __wrap_clock_ns(void);
uint64_t __wrap_clock_coarse_ns(void);
uint64_t __wrap_clock_after(uint64_t duration_ns);
bool __wrap_spin_turn(struct spin *spin);
int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);
int __wrap_futex_wait_either(const _Atomic uint32_t *first, uint32_t expected_first, const _Atomic uint32_t *second,
                             uint32_t expected_second, uint64_t deadline_ns);
void __wrap_futex_wake(const _Atomic uint32_t *word, int count);
int __wrap_process_code(struct code_range **out);
bool __wrap_process_thread_look(pid_t pid, pid_t thread, struct thread_look *look);

uint64_t __wrap_clock_ns(void) { return world.now_ns += 1000; }

uint64_t __wrap_clock_coarse_ns(void) { return world.now_ns; }

uint64_t __wrap_clock_after(uint64_t duration_ns)
{
    uint64_t now = __wrap_clock_ns();
    return duration_ns >= NEVER - now ? NEVER : now + duration_ns;
}

bool __wrap_spin_turn(struct spin *spin)
{
    spin->turn++;
    return false;
}

/* Only the owner sleeps here. Whoever would have woken it has changed the word, or else time passes. */
int __wrap_futex_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    if (!world.is_open)
        return 0;
    if (atomic_load(word) == expected) {
        if (world.input.at != world.input.end)
            world_act();
        else
            MUST(++world.sleeps < SLEEPS_MOST); /* else this call would never return */
        world_turn();
    }
    if (atomic_load(word) != expected)
        return 0;
    if (deadline_ns > world.now_ns)
        world.now_ns = deadline_ns == NEVER ? world.now_ns + AUDIT_NS : deadline_ns;
    return deadline_ns == NEVER ? 0 : -ETIMEDOUT;
}

int __wrap_futex_wait_either(const _Atomic uint32_t *first, uint32_t expected_first, const _Atomic uint32_t *second,
                             uint32_t expected_second, uint64_t deadline_ns)
{
    (void)second, (void)expected_second;
    return __wrap_futex_wait(first, expected_first, deadline_ns);
}

void __wrap_futex_wake(const _Atomic uint32_t *word, int count) { (void)word, (void)count; }

/* As where /proc is not mounted: reading it would be a third of the time. */
int __wrap_process_code(struct code_range **out)
{
    *out = NULL;
    return -ENOENT;
}

/* Who has nothing to do would be said to sleep, but then it has answered. */
bool __wrap_process_thread_look(pid_t pid, pid_t thread, struct thread_look *look)
{
    (void)pid, (void)thread;
    *look = (struct thread_look){.sleeps = true};
    return true;
}

/* What the kernel counts, for who watches caps. */
bool __wrap_usage_glance(pid_t pid, struct usage *usage);
bool __wrap_usage_cpu_of_thread(pid_t pid, pid_t thread, uint64_t *used_ns);
void __wrap_spawn_fill(struct supervisor *s);

bool __wrap_usage_glance(pid_t pid, struct usage *usage)
{
    (void)pid;
    *usage = (struct usage){.anon_bytes = 1 << 20};
    return true;
}

bool __wrap_usage_cpu_of_thread(pid_t pid, pid_t thread, uint64_t *used_ns)
{
    (void)pid, (void)thread;
    *used_ns = world.now_ns / 2;
    return true;
}

/* ---- what hosts can write to ------------------------------------------------------------------------------------ */

static uint8_t *arena(uint32_t life) { return world.answers + (uint64_t)life * world.region->g.arena_bytes; }

struct host_head *world_head(uint32_t life) { return (struct host_head *)(void *)arena(life); }

struct desk *world_desk(uint32_t life, uint32_t worker)
{
    return (struct desk *)(void *)(arena(life) + sizeof(struct host_head)) + worker;
}

struct notes *world_notes(uint32_t life, uint32_t worker)
{
    return (struct notes *)(void *)(arena(life) + world.region->g.arena_notes) + worker;
}

struct trace *world_trace(uint32_t life)
{
    return (struct trace *)(void *)(arena(life) + world.region->g.arena_trace);
}

struct cleanups *world_cleanups(uint32_t life, uint32_t worker)
{
    return (struct cleanups *)(void *)(arena(life) + world.region->g.arena_cleanups) + worker;
}

struct life_line *world_line(uint32_t life, uint32_t thread)
{
    return (struct life_line *)(void *)(arena(life) + world.region->g.arena_lines) + thread;
}

struct cell *world_cell(uint32_t life, uint32_t slot)
{
    return (struct cell *)(void *)(arena(life) + world.region->g.arena_cells) + slot;
}

/* ---- hosts come and go ------------------------------------------------------------------------------------------- */

static void spawn(uint32_t berth)
{
    struct supervisor *s = &world.supervisor;
    struct host_record *record = &s->hosts[berth];
    uint32_t life = lives_take(s);
    if (life == NO_LIFE)
        return;
    MUST(life < s->region->g.lives && s->life_berth[life] == 0);
    struct watch *watches = record->watches;
    memset(watches, 0, WORKERS_PER_HOST * sizeof *watches);
    *record = (struct host_record){.state = HOST_STARTING, .pid = NO_PROCESS, .life = life, .birth = ++s->births,
                                   .position = NO_POSITION, .lost_worker = NO_WORKER, .since_ns = world.now_ns,
                                   .watches = watches, .blamed_worker = NO_WORKER};
    s->life_berth[life] = (uint16_t)(berth + 1);
    atomic_store(&berth_of(s->region, berth)->doomed, 0);
    atomic_store(&berth_of(s->region, berth)->active, 0);
    atomic_store(&berth_of(s->region, berth)->resting, 0);
    atomic_store(&berth_of(s->region, berth)->errand, 0);
    atomic_store(&berth_of(s->region, berth)->birth, record->birth);
    atomic_store(&berth_of(s->region, berth)->life, life);
    memset(arena(life), 0, s->region->g.arena_cells);
    atomic_store(&world_head(life)->birth, record->birth);
    player_born(berth);
    atomic_store(&world_head(life)->ready, 1);
}

static void bury(uint32_t berth, int code, int status)
{
    siginfo_t info = {.si_code = code};
    info.si_status = status;
    player_died(berth);
    death_certified(&world.supervisor, berth, &info);
    struct control_head *control = control_head(world.supervisor.region);
    atomic_store(&control->trees_gone, (uint32_t)atomic_load(&control->deaths)); /* nothing here starts processes */
}

static void keep_enough(void)
{
    struct supervisor *s = &world.supervisor;
    uint32_t alive = 0, spare = s->region->g.standby;
    if (spare < cleanup_hosts_wanted(s))
        spare = cleanup_hosts_wanted(s);
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        alive += s->hosts[i].state != HOST_EMPTY && s->hosts[i].state != HOST_DYING && s->hosts[i].state != HOST_LEAVING;
    for (uint32_t i = 0; i < s->region->g.berths && alive < s->region->g.hosts + spare; i++)
        if (s->hosts[i].state == HOST_EMPTY) {
            spawn(i);
            alive++;
        }
    spawn_check_ready(s);
    (void)spawn_take_over(s);
}

void __wrap_spawn_fill(struct supervisor *s)
{
    (void)s;
    keep_enough();
}

/* The rest of a turn of the supervisor's, and what its hosts do about it. */
static void turn_richly(struct supervisor *s)
{
    ask_heed_yields(s);
    for (uint32_t i = 0; world.settles && i < s->region->g.berths; i++) {
        player_clean(i, 0);
        player_rest(i);
    }
    (void)cleanup_turn(s, __wrap_clock_ns());
    for (uint32_t i = 0; i < s->unclean_count; i++)
        MUST(s->uncleans[i].left <= CLEANUPS && s->uncleans[i].slot < SLOTS && s->uncleans[i].life < s->region->g.lives);
    (void)cap_check(s, __wrap_clock_ns());
    (void)recycle_check(s, __wrap_clock_ns());
    (void)sitters_kill(s, __wrap_clock_ns());
}

void world_turn(void)
{
    struct supervisor *s = &world.supervisor;
    condemn_requests(s);
    audit_parked(s);
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        if (s->hosts[i].state == HOST_DYING)
            bury(i, CLD_KILLED, SIGKILL);
    keep_enough();
    if (world.is_rich)
        turn_richly(s);
    (void)deadline_check(s, __wrap_clock_ns());
    if (world.now_ns >= s->audit_at) {
        audit(s);
        s->audit_at = world.now_ns + AUDIT_NS;
        (void)audit_finds_work(s);
    }
    for (uint32_t i = 0; i < s->region->g.berths; i++)
        for (uint32_t worker = 0; worker < WORKERS_PER_HOST && s->hosts[i].state == HOST_ACTIVE; worker++)
            player_step(i, worker);
}

static void die(void)
{
    static const struct {
        int code, status;
    } deaths[] = {{CLD_KILLED, SIGSEGV}, {CLD_KILLED, SIGKILL}, {CLD_EXITED, 0}, {CLD_EXITED, 3}, {CLD_DUMPED, SIGABRT}};
    uint32_t berth = (uint32_t)bytes_take(&world.input, 1) % world.region->g.berths;
    unsigned how = (unsigned)bytes_take(&world.input, 1) % 5;
    if (world.supervisor.hosts[berth].state == HOST_EMPTY)
        return;
    bury(berth, deaths[how].code, deaths[how].status);
    keep_enough();
}

void world_act(void)
{
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    uint32_t berth = (kind >> 4) % world.region->g.berths;
    if (kind % 16 < 5) {
        player_claim(berth, kind % 2);
    } else if (kind % 16 < 8) {
        int status = (int)bytes_take(&world.input, 1) % 4 == 0;
        player_return(berth, kind % 2, status, (uint32_t)bytes_take(&world.input, 2));
    } else if (kind % 16 == 8) {
        die();
    } else if (kind % 16 == 9) {
        world_turn();
    } else if (world.is_rich && kind % 16 == 11) {
        player_leave(berth, kind >> 7);
    } else if (world.is_rich && kind % 16 == 12) {
        player_clean(berth, (int)bytes_take(&world.input, 1));
        player_rest(berth);
    } else if (kind % 16 == 10) {
        world.now_ns += 1ull << bytes_take(&world.input, 1) % 34;
    } else {
        forge();
    }
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

static int launch_world(struct pool *pool)
{
    struct supervisor *s = &world.supervisor;
    const struct geometry *g = &pool->region->g;
    world.pool = pool;
    world.region = pool->region;
    world.answers = memory_map(pool->region->answers_fd, 0, g->lives * g->arena_bytes, true, NULL);
    s->heritage = &pool->heritage;
    s->region = pool->region;
    s->heritage->start_ns = NEVER;
    s->hosts = calloc(g->berths, sizeof *s->hosts);
    s->positions = calloc(g->hosts, sizeof *s->positions);
    s->returned = calloc(RETURNED_ENTRIES, sizeof *s->returned);
    s->leaving = calloc(g->hosts, sizeof *s->leaving);
    s->oom_kills = -1;
    s->ready = true;
    MUST(g->berths <= BERTHS_MOST && world.answers != NULL && lives_open(s) == 0 && s->leaving != NULL);
    MUST(!world.is_rich || cleanup_open(s) == 0);
    for (uint32_t i = 0; i < g->berths; i++) {
        s->hosts[i].watches = calloc(WORKERS_PER_HOST, sizeof *s->hosts[i].watches);
        s->hosts[i].life = NO_LIFE;
        s->hosts[i].position = NO_POSITION;
    }
    for (uint32_t i = 0; i < g->hosts; i++)
        s->positions[i] = NO_POSITION;
    keep_enough();
    atomic_store(&control_head(pool->region)->state, POOL_READY);
    return 0;
}

void world_open(const uint8_t *input, size_t bytes, bool is_rich)
{
    memset(&world, 0, sizeof world);
    world.input = (struct bytes){input, input + bytes};
    world.now_ns = 1000000000000ull;
    world.is_rich = is_rich;
    mortal_pool_options options = {.size = sizeof options, .workers = WORKERS, .workers_per_host = WORKERS_PER_HOST,
                                   .held_tasks = SLOTS, .queue_tasks = SLOTS - 2, .inputs_bytes = INPUTS_BYTES,
                                   .results_bytes = RESULTS_BYTES,
                                   .measure = bytes_take(&world.input, 1) % 2 ? MORTAL_MEASURE_TIMES : 0};
    if (is_rich) {
        unsigned more = (unsigned)bytes_take(&world.input, 1);
        options.cleanup_ns = 1000000;
        options.cells_bytes = 8192;
        options.recycle_tasks = more & 1 ? more / 4 % 8 + 1 : 0;
        options.recycle_ns = more & 2 ? 1000000 : 0;
    }
    MUST(pool_open_with(&world.handle, &options, launch_world) == 0);
    world.is_open = true;
}

void world_close(void)
{
    struct supervisor *s = &world.supervisor;
    uint64_t answers_bytes = world.region->g.lives * world.region->g.arena_bytes;
    uint32_t berths = world.region->g.berths;
    world.sleeps = 0;
    MUST(mortal_pool_close(world.handle, MORTAL_CLOSE_KILL, 0, NULL) == 0);
    world.is_open = false;
    memory_unmap(world.answers, answers_bytes);
    for (uint32_t i = 0; i < berths; i++)
        free(s->hosts[i].watches);
    void *tables[] = {s->hosts, s->positions, s->returned, s->free_lives, s->leaving, s->uncleans};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        free(tables[i]);
}
