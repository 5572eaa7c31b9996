/* killer.c - kills that are aimed at nobody by name: whole pools, from a signal handler, hosts from outside */
#include "storm.h"

enum blow { BLOW_RUNNING, BLOW_ALL, BLOW_PENDING, BLOW_GRACE, BLOW_NOW, BLOW_NOW_ELSEWHERE, BLOW_ANY_HOST };

static mortal_pool *now_pool;
static _Atomic int now_scope;
static struct sigaction action_before;

static void kill_now(int signal)
{
    (void)signal;
    mortal_pool_kill_now(now_pool, atomic_load(&now_scope));
}

/* Without SA_RESTART: every wait of the storm is interrupted now and then. */
void killer_install(struct storm *storm)
{
    struct sigaction action = {.sa_handler = kill_now};
    now_pool = storm->pool;
    CHECK_OK(sigaction(SIGUSR1, &action, &action_before));
}

void killer_remove(void)
{
    CHECK_OK(sigaction(SIGUSR1, &action_before, NULL));
}

/* The number may be another process's by now: it is looked at again when a descriptor holds it fast. */
bool killer_send(struct storm *storm, pid_t pid, bool (*is_still_it)(pid_t pid, const void *what), const void *what)
{
    int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (fd < 0)
        return false;
    bool sent = false;
    if (is_still_it(pid, what)) {
        atomic_fetch_add(&storm->outside, 1); /* before: it is never less than there were deaths by it */
        sent = syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
    }
    close(fd);
    return sent;
}

static pid_t parent_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return (pid_t)number_in(path, "PPid:");
}

unsigned killer_children(pid_t parent, pid_t *pids, unsigned most)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        pid_t pid = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? atoi(entry->d_name) : 0;
        if (pid != 0 && count < most && parent_of(pid) == parent && !is_sitter(pid))
            pids[count++] = pid;
    }
    closedir(dir);
    return count;
}

static bool is_child_of(pid_t pid, const void *parent)
{
    return parent_of(pid) == *(const pid_t *)parent;
}

/* Active ones, standbys, and such as are just starting. */
static void kill_any_host(struct storm *storm, struct dice *dice)
{
    pid_t supervisor = supervisor_of(storm->pool), children[64];
    unsigned count = killer_children(supervisor, children, COUNT(children));
    if (count != 0)
        (void)killer_send(storm, children[dice_below(dice, count)], is_child_of, &supervisor);
}

static void strike(struct storm *storm, struct dice *dice)
{
    static const uint8_t blows[] = {BLOW_RUNNING, BLOW_RUNNING, BLOW_RUNNING, BLOW_ALL, BLOW_ALL, BLOW_PENDING, BLOW_GRACE,
                                    BLOW_GRACE, BLOW_NOW, BLOW_NOW, BLOW_NOW_ELSEWHERE, BLOW_NOW_ELSEWHERE};
    enum blow blow = dice_below(dice, 40) == 0 ? BLOW_ANY_HOST : (enum blow)blows[dice_below(dice, COUNT(blows))];
    uint64_t grace_ns = 1 + dice_below(dice, 500000);
    int error = 0, scope = 1 + (int)dice_below(dice, 3);
    switch (blow) {
    case BLOW_RUNNING:
        AGAIN(error, mortal_pool_kill(storm->pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
        break;
    case BLOW_ALL:
        AGAIN(error, mortal_pool_kill(storm->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
        break;
    case BLOW_PENDING:
        AGAIN(error, mortal_pool_kill(storm->pool, MORTAL_PENDING, 0, MORTAL_FOREVER, NULL));
        break;
    case BLOW_GRACE:
        AGAIN(error, mortal_pool_kill(storm->pool, scope, grace_ns, MORTAL_FOREVER, NULL));
        break;
    case BLOW_NOW:
    case BLOW_NOW_ELSEWHERE: /* whatever that thread is doing in the library */
        atomic_store(&now_scope, scope);
        if (blow == BLOW_NOW)
            error = raise(SIGUSR1);
        else
            (void)pthread_kill(storm->producers[dice_below(dice, storm->shape->producers)].thread, SIGUSR1);
        break;
    case BLOW_ANY_HOST:
        kill_any_host(storm, dice);
        break;
    }
    if (error != 0)
        storm_fault(storm, "a kill of the pool (%d) got %s: %s", (int)blow, harness_error_name(error), mortal_why());
}

/* Hosts that did not end of themselves. A task that is about to end its host may be killed before, so there may be more. */
uint64_t killer_count(struct storm *storm, const mortal_stats *stats)
{
    uint64_t suicides = atomic_load(&storm->scene->suicides);
    return stats->host_deaths > suicides ? stats->host_deaths - suicides : 0;
}

/* Between two blows something is to happen: some tasks end, unless none can. */
static void let_live(struct storm *storm, struct dice *dice)
{
    uint32_t enough = atomic_load(&storm->finished) + dice_below(dice, 20);
    for (unsigned turn = 0; turn < 20 && (int32_t)(enough - atomic_load(&storm->finished)) > 0; turn++)
        storm_rest(20000);
}

void killer_run(struct storm *storm, uint64_t kills)
{
    while (atomic_load(&storm->producing) != 0) {
        mortal_stats stats = stats_of(storm->pool);
        if (killer_count(storm, &stats) >= kills || atomic_load(&storm->gave_up))
            atomic_store(&storm->stop, true);
        if (storm->shape->planted && storm->shape->workers == 1 && atomic_load(&storm->scene->overtaken) != 0)
            storm_fault(storm, "a task began after later ones");
        if (storm->shape->aimed || atomic_load(&storm->gave_up)) {
            storm_rest(1000000);
            continue;
        }
        struct dice dice = dice_for(storm->seed, 0, storm->decisions++);
        strike(storm, &dice);
        let_live(storm, &dice);
    }
}
