/*
 * twin.h - a pool whose hosts are threads of the test
 *
 * ThreadSanitizer sees the memory of one process only. Here the owner's code and the workers' code meet in one: the pool
 * is opened with a launcher that starts threads on its own region, where a supervisor would fork hosts. A race that is
 * found so is a race between the processes.
 *
 * What is different: nobody is killed and nobody watches over deadlines; and nobody looks around twice a second, so a
 * wake-up that is lost once is lost for ever, and the test hangs until the runner ends it. Tasks share the memory of the
 * test. Every test here is linked with --wrap=launch_end: closing a pool ends with the end of its hosts, and where it
 * waits for that the threads are retired.
 */
#ifndef TWIN_H
#define TWIN_H

#include <pthread.h>
#include <sched.h>

#include "host/worker.h"
#include "owner/seat.h"
#include "region/bell.h"
#include "supervisor/state.h"
#include "system/futex.h"
#include "system/memory.h"

#include "tasks.h" /* last: it has a type by the name of word */

enum { TWIN_NO_PROCESS = INT32_MAX }; /* no process has this id: who signals it, hits nobody */

struct twin_host;

struct twin_worker {
    struct worker worker;
    struct twin_host *host;
    pthread_t thread;
};

struct twin_host {
    struct host host;
    struct twin_worker *workers;
};

/* The pool that is open: one at a time. */
static struct {
    struct pool *pool;
    struct twin_host *hosts;
    uint32_t host_count;
    _Atomic uint32_t settled, ended;
} twin;

HELPER struct region *twin_region(void)
{
    return twin.pool->region;
}

HELPER void *twin_thread(void *argument)
{
    struct twin_worker *worker = argument;
    worker_settle(&worker->worker);
    word_add(&twin.settled, 1);
    worker_run(&worker->worker);
    /* A process would leave its life line to the kernel. Here the next host's lies in the same place of the same process. */
    const struct host *host = worker->worker.host;
    pthread_mutex_t *line = (void *)life_line_of(host->region, host->place.life, 1 + worker->worker.index);
    pthread_mutex_unlock(line);
    pthread_mutex_destroy(line);
    stack_t none = {.ss_flags = SS_DISABLE}, alternate;
    if (sigaltstack(&none, &alternate) == 0 && alternate.ss_sp != NULL)
        memory_unmap(alternate.ss_sp, alternate.ss_size);
    atomic_fetch_add(&twin.ended, 1);
    return NULL;
}

/* As a host readies its arena, but that the others stay readable: here they are the owner's. */
HELPER void twin_clear_arena(const struct region *r, struct host_place place)
{
    uint8_t *arena = arena_of(r, place.life);
    CHECK(memory_map(r->answers_fd, (uint64_t)place.life * r->g.arena_bytes, r->g.arena_bytes, true, arena) == arena);
    CHECK_EQ(memory_commit(arena, r->g.arena_cells, -1, 0), 0);
    memset(arena, 0, r->g.arena_cells);
    atomic_store_explicit(&host_head(r, place.life)->birth, place.birth, memory_order_release);
}

/* Its arena is cleared. */
HELPER void twin_start_host(struct heritage *heritage, struct twin_host *host, struct host_place place)
{
    struct region *r = &heritage->region;
    const struct geometry *g = &r->g;
    uint32_t settled = atomic_load(&twin.settled);
    CHECK_EQ(host_prepare(&host->host, heritage, place), 0);
    uint32_t before = place.berth * g->workers_per_host, left = g->workers - before;
    struct berth *berth = berth_of(r, place.berth);
    atomic_store(&berth->doomed, 0);
    atomic_store(&berth->birth, place.birth);
    atomic_store(&berth->life, place.life);
    atomic_store(&berth->active, left < g->workers_per_host ? left : g->workers_per_host);
    host->workers = calloc(g->workers_per_host, sizeof *host->workers);
    CHECK(host->workers != NULL);
    for (uint32_t i = 0; i < g->workers_per_host; i++) {
        host->workers[i].host = host;
        worker_prepare(&host->workers[i].worker, &host->host, i);
        CHECK_EQ(pthread_create(&host->workers[i].thread, NULL, twin_thread, &host->workers[i]), 0);
    }
    word_await(&twin.settled, settled + g->workers_per_host);
    atomic_store(&host_head(r, place.life)->ready, 1);
}

HELPER int twin_launch(struct pool *pool)
{
    const struct geometry *g = &pool->region->g;
    CHECK(twin.pool == NULL);
    twin.pool = pool;
    twin.host_count = g->hosts;
    twin.hosts = calloc(g->hosts, sizeof *twin.hosts);
    CHECK(twin.hosts != NULL);
    atomic_store(&twin.settled, 0);
    atomic_store(&twin.ended, 0);
    for (uint32_t i = 0; i < g->hosts; i++) {
        struct host_place place = {.berth = i, .life = g->lives - 1 - i, .birth = i + 1};
        twin_clear_arena(&pool->heritage.region, place);
        twin_start_host(&pool->heritage, &twin.hosts[i], place);
    }
    atomic_store(&control_head(pool->region)->state, POOL_READY);
    return 0;
}

HELPER void twin_forget_host(struct host *host)
{
    const struct geometry *g = &host->region->g;
    uint64_t cell_pages = (g->arena_heap - g->arena_cells) / PAGE_BYTES;
    if (host->heap_is_open)
        heap_close(&host->heap);
    free(host->blocks);
    memory_unmap(host->still_here, PAGE_BYTES);
    memory_unmap(host->cells_committed, round_up(cell_pages / 8 + 8, PAGE_BYTES));
    memory_unmap(host->block_at, round_up((uint64_t)g->slots * sizeof *host->block_at, PAGE_BYTES));
    pthread_mutex_destroy(&host->results_lock);
}

/* Rung until the last worker has heard it: one that looked just before it was retired sleeps once more. */
HELPER void twin_end_host(struct twin_host *host)
{
    const struct region *r = twin_region();
    uint32_t berth = host->host.place.berth, ended = atomic_load(&twin.ended);
    atomic_store(&berth_of(r, berth)->doomed, BERTH_RETIRED);
    while (atomic_load(&twin.ended) != ended + r->g.workers_per_host) {
        bell_ring_berth(r, berth);
        sched_yield();
    }
    for (uint32_t i = 0; i < r->g.workers_per_host; i++) {
        pthread_join(host->workers[i].thread, NULL);
        free(host->workers[i].worker.cells.copy);
    }
    twin_forget_host(&host->host);
    free(host->workers);
}

HELPER void twin_retire(void)
{
    for (uint32_t i = 0; i < twin.host_count; i++)
        twin_end_host(&twin.hosts[i]);
    free(twin.hosts);
    twin.pool = NULL;
}

void __real_launch_end(struct pool *pool, uint64_t deadline_ns, bool *dead);
void __wrap_launch_end(struct pool *pool, uint64_t deadline_ns, bool *dead);

void __wrap_launch_end(struct pool *pool, uint64_t deadline_ns, bool *dead)
{
    twin_retire();
    __real_launch_end(pool, deadline_ns, dead);
}

/* Small, since every page of a region costs ThreadSanitizer several. */
HELPER mortal_pool *twin_open(uint32_t workers, uint32_t workers_per_host, mortal_pool_options options)
{
    mortal_pool *pool = NULL;
    options.size = sizeof options;
    options.workers = workers;
    options.workers_per_host = workers_per_host;
    if (options.held_tasks == 0)
        options.held_tasks = 1024;
    if (options.inputs_bytes == 0)
        options.inputs_bytes = 1 << 20;
    if (options.results_bytes == 0)
        options.results_bytes = 1 << 20;
    CHECK_OK(pool_open_with(&pool, &options, twin_launch));
    return pool;
}

/* Everything has ended or goes on to its end; then the threads are retired. */
HELPER void twin_close(mortal_pool *pool)
{
    mortal_kill_report report;
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed + report.never_started, 0);
}

/* How many completions the first worker of a host has put on record. */
HELPER uint32_t twin_completed(uint32_t host)
{
    const struct host_place place = twin.hosts[host].host.place;
    return atomic_load(&desk_of(twin_region(), place.life, 0)->log_tail);
}

/* ---- what a supervisor would do, as a thread of the test ---- */

HELPER void twin_supervisor_open(struct supervisor *s)
{
    struct region *r = twin_region();
    memset(s, 0, sizeof *s);
    s->heritage = &twin.pool->heritage;
    s->region = r;
    s->hosts = calloc(r->g.berths, sizeof *s->hosts);
    s->returned = calloc(RETURNED_ENTRIES, sizeof *s->returned);
    s->life_berth = calloc(r->g.lives, sizeof *s->life_berth);
    struct watch *watches = calloc((size_t)twin.host_count * r->g.workers_per_host, sizeof *watches);
    CHECK(s->hosts != NULL && s->returned != NULL && s->life_berth != NULL && watches != NULL);
    for (uint32_t i = 0; i < twin.host_count; i++) {
        const struct host_place place = twin.hosts[i].host.place;
        s->hosts[i] = (struct host_record){.state = HOST_ACTIVE, .pid = TWIN_NO_PROCESS, .life = place.life,
                                           .birth = place.birth, .position = i, .lost_worker = NO_WORKER,
                                           .watches = watches + (size_t)i * r->g.workers_per_host};
        s->life_berth[place.life] = (uint16_t)(i + 1);
    }
    s->births = twin.host_count;
}

HELPER void twin_supervisor_close(struct supervisor *s)
{
    free(s->hosts[0].watches);
    free(s->hosts);
    free(s->returned);
    free(s->life_berth);
}

/* The host of that berth ends its task, dies, is buried and followed by another. A thread that was joined is as certainly
 * dead as a process that was waited for. */
HELPER void twin_replace_host(struct supervisor *s, uint32_t berth, uint32_t next_life)
{ /* NOLINTBEGIN(clang-analyzer-unix.Malloc): the records are the supervisor's, see twin_supervisor_close() */
    struct host_record *record = &s->hosts[berth];
    const struct death death = {.cause = MORTAL_CAUSE_SIGNAL, .signal = SIGKILL, .asked = true, .culprit = NO_WORKER};
    uint32_t life = record->life;
    twin_end_host(&twin.hosts[berth]);
    death_settle(s, record, &death);
    atomic_store(&berth_of(s->region, berth)->active, 0);
    atomic_store(&berth_of(s->region, berth)->life, NO_LIFE);
    s->life_berth[life] = 0;
    death_tell(s, berth, life, record->birth);
    bell_ring_all(s->region);
    record->life = next_life;
    record->birth = ++s->births;
    s->life_berth[next_life] = (uint16_t)(berth + 1);
    struct host_place place = {.berth = berth, .life = next_life, .birth = s->births};
    /* The owner may still be reading what the dead one said of itself: hints to it, but a race to a sanitizer. */
    seat_lock(twin.pool);
    twin_clear_arena(s->region, place);
    seat_unlock(twin.pool);
    twin_start_host(s->heritage, &twin.hosts[berth], place);
} /* NOLINTEND(clang-analyzer-unix.Malloc) */

/* ---- threads and chance ---- */

HELPER pthread_t thread_start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, body, argument), 0);
    return thread;
}

HELPER uint32_t more_if_long(uint32_t count)
{
    return TEST_LONG ? count * 20 : count;
}

/* Each thread has its own; the same in every run. */
HELPER uint32_t below(uint64_t *dice, uint32_t limit)
{
    *dice = *dice * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's MMIX */
    return (uint32_t)((*dice >> 33) % limit);
}

HELPER void spin(uint32_t turns)
{
    for (volatile uint32_t i = 0; i < turns; i++)
        ;
}

#endif
