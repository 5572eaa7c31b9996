/*
 * Once a pool has nothing to do, none of its processes wakes up or uses processor time.
 * Broken by: a poll, a heartbeat or an audit that runs although nothing is outstanding. The one test that must let
 * time pass: it counts wake-ups over an interval, after the spinning that follows work has ended.
 */
#include "tasks.h"

enum { PROCESSES = 64, SETTLE_MS = 1200, INTERVAL_MS = 1500, TRIES = 5 };

static unsigned collect(pid_t pid, pid_t *pids, unsigned count)
{
    char path[64];
    int child;
    pids[count++] = pid;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    while (file && count < PROCESSES && fscanf(file, "%d", &child) == 1)
        count = collect(child, pids, count);
    if (file)
        fclose(file);
    return count;
}

static long ticks_of(const char *path)
{
    char line[1024] = "";
    unsigned long user = 0, system = 0;
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file) && strrchr(line, ')'))
        sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    if (file)
        fclose(file);
    return (long)(user + system);
}

static void add_process(pid_t pid, long *wakes, long *ticks)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, entry->d_name);
        *wakes += entry->d_name[0] == '.' ? 0 : number_in(path, "voluntary_ctxt_switches:");
    }
    if (dir)
        closedir(dir);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    *ticks += ticks_of(path);
}

static void measure(mortal_pool *pool, long *wakes, long *ticks, unsigned *processes)
{
    pid_t pids[PROCESSES];
    *processes = collect(supervisor_of(pool), pids, 0);
    *wakes = *ticks = 0;
    for (unsigned i = 0; i < *processes; i++)
        add_process(pids[i], wakes, ticks);
}

static bool is_quiet(mortal_pool *pool)
{
    long wakes[2], ticks[2];
    unsigned processes[2];
    harness_sleep_ms(SETTLE_MS);
    measure(pool, &wakes[0], &ticks[0], &processes[0]);
    harness_sleep_ms(INTERVAL_MS);
    measure(pool, &wakes[1], &ticks[1], &processes[1]);
    CHECK(processes[0] >= 4); /* supervisor, two hosts, a standby */
    return processes[0] == processes[1] && wakes[1] == wakes[0] && ticks[1] == ticks[0];
}

/* What the work before left comes to its end later where others use the machine; what goes on for ever never does. */
static void check_idle(mortal_pool *pool)
{
    unsigned tries = 1;
    POLL_UNTIL(stats_of(pool).hosts == 2 && stats_of(pool).standby == 1);
    while (!is_quiet(pool) && tries < TRIES)
        tries++;
    CHECK(tries < TRIES);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(2);
    check_idle(pool); /* fresh */
    for (unsigned i = 0; i < 1000; i++)
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL));
    mortal_future endless = submit_at(pool, task_endless, gate);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
    check_pool_works(pool);
    check_idle(pool); /* after work, a kill and a recovery */
    drain(pool);
}
