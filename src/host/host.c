#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/ear.h"
#include "host/guard.h"
#include "host/lastwords.h"
#include "host/limits.h"
#include "host/modules.h"
#include "host/trace.h"
#include "host/worker.h"
#include "system/birth.h"
#include "system/cgroup.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/memory.h"
#include "system/process.h"
#include "system/sitter.h"

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void keep_only(const struct heritage *heritage, const int *ours, size_t our_count) {
    int keep[KEEP_FDS_MOST + 4];
    size_t count = 0;
    for (size_t i = 0; i < heritage->keep_fd_count && i < KEEP_FDS_MOST; i++)
        keep[count++] = heritage->keep_fds[i];
    for (size_t i = 0; i < our_count && i < 4; i++)
        keep[count++] = ours[i];
    qsort(keep, count, sizeof *keep, by_number);
    process_close_all_but(keep, count);
}

static void read_nothing_from_terminal(void) {
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null_fd > 0) {
        dup2(null_fd, 0);
        close(null_fd);
    } else if (null_fd < 0) {
        close(0);
    }
}

static void unplug_streams(struct heritage *heritage) {
    for (int fd = 1; fd <= 2; fd++)
        if ((heritage->plugged_streams & 1u << fd) != 0)
            close(fd);
    heritage->plugged_streams = 0; /* preload may open something there, and hosts come through here again */
}

void host_manners(struct heritage *heritage, const int *keep, size_t keep_count) {
    /* Set first, then asked who the parent is: it may have died before. Its only thread is its main thread, so "the
     * parent thread ended" is "the parent died". */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != heritage->supervisor_pid)
        _exit(HOST_EXIT_ORPHANED);
    if (heritage->slice_ns != 0) /* the supervisor's short ones are not for tasks */
        (void)process_want_slice(heritage->slice_ns);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setpgid(0, 0); /* Ctrl-C at the terminal is the owner's to decide */
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    read_nothing_from_terminal();
    keep_only(heritage, keep, keep_count);
    unplug_streams(heritage);
    signal(SIGINT, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    lastwords_at_exit();
}

/* Let the host write to its own arena and to the claims, and to nothing else of the region. */
static int take_place(struct region *r, struct host_place place) {
    memory_unmap(r->answers, (uint64_t)r->g.lives * r->g.arena_bytes);
    uint8_t *arena = arena_of(r, place.life);
    if (memory_map(r->answers_fd, (uint64_t)place.life * r->g.arena_bytes, r->g.arena_bytes, true, arena) == NULL)
        return -ENOMEM;
    if (mprotect(r->control, r->g.control_bytes, PROT_READ) < 0)
        return -errno;
    /* A process that a task forks has none of this: returning from the task in it ends it, and nobody else. */
    memory_not_in_children(arena, r->g.arena_bytes);
    memory_not_in_children(r->orders, r->g.orders_bytes);
    memory_not_in_children(r->claims, r->g.claims_bytes);
    memory_not_in_children(r->control, r->g.control_bytes);
    memory_not_in_children(r->cells, r->g.cells_bytes);
    window_not_in_children(r->windows);
    if (memory_commit(arena, r->g.arena_cells, -1, 0) != 0)
        return -ENOMEM;
    memset(arena, 0, r->g.arena_cells); /* an earlier life's record */
    /* ORD(birth:told) pairs ORD(birth:seen): who sees it sees the record cleared. */
    atomic_store_explicit(&host_head(r, place.life)->birth, place.birth, memory_order_release);
    return 0;
}

int host_prepare(struct host *host, struct heritage *heritage, struct host_place place) {
    memset(host, 0, sizeof *host);
    host->heritage = heritage;
    host->region = &heritage->region;
    host->place = place;
    pthread_mutex_init(&host->results_lock, NULL);
    pthread_mutex_init(&host->files_lock, NULL);
    host->still_here = memory_wiped_in_children(PAGE_BYTES);
    uint64_t cell_pages = (host->region->g.arena_heap - host->region->g.arena_cells) / PAGE_BYTES;
    host->cells_committed = memory_private(round_up(cell_pages / 8 + 8, PAGE_BYTES));
    host->block_at = memory_private(round_up((uint64_t)host->region->g.slots * sizeof *host->block_at, PAGE_BYTES));
    if (host->still_here == NULL || host->cells_committed == NULL || host->block_at == NULL)
        return -ENOMEM;
    *host->still_here = 1;
    limits_prepare(host);
    return 0;
}

static int run_init(const struct host *host, const struct heritage *heritage) {
    if (heritage->init == NULL)
        return 0;
    guard_close(host);
    int status = heritage->init(heritage->context, heritage->context_bytes);
    (void)guard_open(host);
    return status;
}

/* ORD(*) plain atomics here are private to the host, and pass once in its life. */
struct starting {
    struct worker *worker;
    const struct heritage *init; /* run this init first, or null */
    _Atomic uint32_t ready;
};

static void *worker_thread(void *argument) {
    struct starting *starting = argument;
    struct worker *worker = starting->worker;
    worker_settle(worker);
    if (starting->init != NULL && run_init(worker->host, starting->init) != 0) {
        (void)lastwords_say(worker->host, WORDS_INIT_FAILED, NULL, 0);
        _exit(HOST_EXIT_BROKEN);
    }
    atomic_store(&starting->ready, 1);
    futex_wake(&starting->ready, 1);
    pthread_cleanup_push(lastwords_of_thread, worker->host);
    worker_run(worker);
    pthread_cleanup_pop(0);
    return NULL;
}

/* Tasks run in threads that pthread_create made, never on this one, so that everything in them is as in any program. */
static void start_worker(struct worker *worker, const struct heritage *init) {
    struct starting starting = {.worker = worker, .init = init};
    sigset_t all, old;
    sigemptyset(&all);
    for (int signal_number = 1; signal_number < 64; signal_number++)
        if ((worker->host->heritage->signal_mask >> (signal_number - 1) & 1) != 0)
            sigaddset(&all, signal_number);
    lastwords_unblock(&all);
    trace_unblock(worker->host, &all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker_thread, &starting) != 0)
        _exit(HOST_EXIT_BROKEN);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_detach(thread);
    while (atomic_load(&starting.ready) == 0)
        futex_wait(&starting.ready, 0, NEVER);
}

/* On an upper rung of containment: whoever came here stays behind as sitter, and another process goes on. In a namespace
 * of processes that one's parent has no number. */
static void be_born(struct heritage *heritage, struct host_place place) {
    char leaf[CGROUP_PATH_BYTES];
    struct birth birth = {.parent = heritage->supervisor_pid, .first = place.first, .drops_rights = heritage->drops_rights,
                          .told = &berth_of(&heritage->region, place.berth)->pid};
    if (heritage->containment == MORTAL_CONTAIN_CGROUP) {
        cgroup_leaf(heritage->cgroup, place.birth, leaf);
        birth.cgroup = leaf;
    }
    if (birth_beside_sitter(&birth) != 0)
        _exit(HOST_EXIT_BROKEN);
    if (place.first != 0)
        heritage->supervisor_pid = 0;
}

void host_run(struct heritage *heritage, struct host_place place) {
    static struct host host;
    bool is_beside = heritage->containment == MORTAL_CONTAIN_CGROUP || heritage->containment == MORTAL_CONTAIN_NAMESPACE;
    if (is_beside)
        be_born(heritage, place);
    host_manners(heritage, &heritage->region.answers_fd, 1);
    prctl(PR_SET_NAME, heritage->name[0] != '\0' ? heritage->name : "mortal-host");
    if (take_place(&heritage->region, place) != 0 || host_prepare(&host, heritage, place) != 0)
        _exit(HOST_EXIT_BROKEN);
    keep_only(heritage, NULL, 0);
    if (!is_beside) /* before any code of the program's runs here, which could tell of another */
        sitter_start(heritage->supervisor_pid, &host_head(&heritage->region, place.life)->sitter);
    process_hold_life_line(&life_line_of(&heritage->region, place.life, 0)->word[0]);
    if ((heritage->harden & MORTAL_HARDEN_KEYS) != 0 && guard_cover(&host))
        host_head(&heritage->region, place.life)->hardened = MORTAL_HARDEN_KEYS;
    lastwords_catch(&host);
    modules_settle(heritage);
    trace_listen(&host);
    uint32_t count = heritage->region.g.workers_per_host;
    struct worker *workers = calloc(count, sizeof *workers);
    if (workers == NULL)
        _exit(HOST_EXIT_BROKEN);
    for (uint32_t i = 0; i < count; i++) {
        worker_prepare(&workers[i], &host, i);
        start_worker(&workers[i], i == 0 ? heritage : NULL);
    }
    limits_set(&host);
    /* ORD(host:ready) pairs ORD(spawn:ready): the life lines are held, and what holds in this host is told, before. */
    atomic_store_explicit(&host_head(&heritage->region, place.life)->ready, 1, memory_order_release);
    worker_notify_supervisor(&host);
    guard_close(&host);
    ear_serve(&host, workers, count);
}
