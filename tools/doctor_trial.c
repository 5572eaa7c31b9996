/*
 * doctor_trial.c - a pool is opened and tasks in it are killed: nothing says more about a machine
 *
 * SPDX-License-Identifier: MIT
 */
#include "doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS 10000000000u

static int answer(mortal_task *task, const void *input, size_t input_bytes) {
    return mortal_task_reply(task, input, input_bytes);
}

static int never_return(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input, (void)input_bytes;
    for (volatile unsigned long turns = 0;; turns++) {
    }
    return 0;
}

static int round_trip(mortal_pool *pool) {
    mortal_future future;
    mortal_verdict verdict;
    int number = 42, error = mortal_pool_submit(pool, answer, &number, sizeof number, NULL, &future);
    if (error != 0) {
        return error;
    }
    error = mortal_future_wait(future, PATIENCE_NS, &verdict);
    if (error == 0 && (verdict.outcome != MORTAL_DONE || verdict.result_bytes != sizeof number ||
                       memcmp(verdict.result, &number, sizeof number) != 0)) {
        error = -EBADMSG;
    }
    (void)mortal_future_release(future);
    return error;
}

/* One task is started, killed once it runs, and another one is run. */
static int kill_one(mortal_pool *pool, uint64_t *killed_ns, uint64_t *again_ns) {
    mortal_future future;
    mortal_verdict verdict;
    mortal_look look = {0};
    int error = mortal_pool_submit(pool, never_return, NULL, 0, NULL, &future);
    uint64_t until = mortal_now_ns() + PATIENCE_NS;
    while (error == 0 && look.phase != MORTAL_RUNNING && mortal_now_ns() < until) {
        error = mortal_future_look(future, &look);
    }
    uint64_t from = mortal_now_ns();
    if (error == 0) {
        error = mortal_future_kill(future, 0, PATIENCE_NS, &verdict);
    }
    *killed_ns = mortal_now_ns() - from;
    if (error == 0 && verdict.outcome != MORTAL_KILLED) {
        error = -EBADMSG;
    }
    if (error == 0) {
        error = round_trip(pool);
    }
    *again_ns = mortal_now_ns() - from;
    (void)mortal_future_release(future);
    return error;
}

static int time_out(mortal_pool *pool, uint64_t *late_ns) {
    mortal_future future;
    mortal_verdict verdict = {0};
    mortal_task_options options = {.size = sizeof options, .deadline_ns = 20000000};
    int error = mortal_pool_submit(pool, never_return, NULL, 0, &options, &future);
    if (error == 0) {
        error = mortal_future_wait(future, PATIENCE_NS, &verdict);
    }
    if (error == 0 && verdict.outcome != MORTAL_TIMED_OUT) {
        error = -EBADMSG;
    }
    *late_ns = error == 0 && verdict.ran_ns > options.deadline_ns ? verdict.ran_ns - options.deadline_ns : 0;
    return error;
}

static int by_size(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static int measure(struct trial *trial, mortal_pool *pool) {
    uint64_t kills[TRIALS], again[TRIALS], from = mortal_now_ns();
    int error = round_trip(pool);
    trial->round_trip_ns = mortal_now_ns() - from;
    for (uint32_t i = 0; i < TRIALS && error == 0; i++) {
        error = kill_one(pool, &kills[i], &again[i]);
        trial->kills += error == 0;
    }
    if (error != 0) {
        return error;
    }
    qsort(kills, TRIALS, sizeof *kills, by_size);
    qsort(again, TRIALS, sizeof *again, by_size);
    trial->kill_least_ns = kills[0];
    trial->kill_median_ns = kills[TRIALS / 2];
    trial->kill_most_ns = kills[TRIALS - 1];
    trial->again_ns = again[TRIALS / 2];
    return time_out(pool, &trial->deadline_late_ns);
}

static void try_fork(struct diagnosis *d) {
    struct finding finding = {.group = "trial", .name = "pool", .weight = WEIGHT_NEEDED,
                              .means = "no pool works here", .remedy = "what the line before says"};
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .measure = MORTAL_MEASURE_TIMES,
                                   .harden = MORTAL_HARDEN_KEYS, .name = "mortal-doctor"};
    mortal_pool *pool;
    mortal_stats stats = {0};
    struct trial *trial = &d->trial;
    char kill[32], again[32], most[32];
    uint64_t from = mortal_now_ns();
    int error = mortal_pool_open(&pool, &options);
    if (error != 0) {
        diagnose(d, finding, "%s", mortal_why());
        return;
    }
    trial->open_ns = mortal_now_ns() - from;
    error = measure(trial, pool);
    (void)mortal_pool_stats(pool, &stats);
    int end = mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
    finding.has = trial->is_done = error == 0 && end == 0;
    if (!finding.has) {
        diagnose(d, finding, "it opened, and then: %s", strerror(-(error != 0 ? error : end)));
        return;
    }
    format_duration(trial->kill_median_ns, kill, sizeof kill);
    format_duration(trial->kill_most_ns, most, sizeof most);
    format_duration(trial->again_ns, again, sizeof again);
    diagnose(d, finding, "opened; killed %u tasks, each certainly dead after %s (median; at most %s), and the next task done "
             "after %s. There is no upper bound", trial->kills, kill, most, again);
    diagnose(d, (struct finding){.group = "protection", .name = "keys", .weight = WEIGHT_EXTRA, .promise = 8,
                                 .has = (stats.hardened & MORTAL_HARDEN_KEYS) != 0,
                                 .means = "MORTAL_HARDEN_KEYS changes nothing: a stray write can overwrite a task's record, "
                                          "which then ends lost",
                                 .remedy = "a processor with memory protection keys (grep -w ospke /proc/cpuinfo)"},
             "memory protection keys for control words while a task runs");
}

static void try_exec(struct diagnosis *d) {
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .start = MORTAL_START_EXEC,
                                   .name = "mortal-doctor"};
    struct finding finding = {.group = "start", .name = "exec", .weight = WEIGHT_EXTRA,
                              .means = "programs that have threads already cannot open a pool",
                              .remedy = "/proc mounted (mount -t proc proc /proc), and a program that is not setuid"};
    mortal_pool *pool;
    uint64_t from = mortal_now_ns();
    int error = mortal_pool_open(&pool, &options);
    uint64_t took = mortal_now_ns() - from;
    if (error != 0) {
        diagnose(d, finding, "%s", mortal_why());
        return;
    }
    error = round_trip(pool);
    int end = mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
    finding.has = error == 0 && end == 0;
    d->trial.exec_open_ns = finding.has ? took : 0;
    char text[32];
    format_duration(took, text, sizeof text);
    diagnose(d, finding, "MORTAL_START_EXEC: a fresh image of the program, open took %s", text);
}

/* Of what is killed on each rung, and of what the kernel calls it. */
static void try_containment(struct diagnosis *d, int32_t rung, struct finding finding) {
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .containment = rung, .name = "mortal-doctor"};
    mortal_pool *pool;
    uint64_t killed_ns = 0, again_ns;
    char text[32];
    finding.group = "containment";
    finding.promise = 9;
    int error = mortal_pool_open(&pool, &options);
    if (error != 0) {
        diagnose(d, finding, "%s", mortal_why());
        return;
    }
    error = round_trip(pool);
    for (int i = 0; i < 3 && error == 0; i++) {
        error = kill_one(pool, &killed_ns, &again_ns);
    }
    int end = mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
    finding.has = error == 0 && end == 0;
    format_duration(killed_ns, text, sizeof text);
    diagnose(d, finding, finding.has ? "a pool opened with it, and a kill of a task and all that it started took %s"
                                     : "a pool opened with it, and then failed%s", finding.has ? text : "");
}

static void try_ladder(struct diagnosis *d) {
    static const char *const names[] = {[MORTAL_CONTAIN_SUBREAPER] = "subreaper", [MORTAL_CONTAIN_CGROUP] = "cgroup"};
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .name = "mortal-doctor"};
    mortal_pool *pool;
    mortal_stats stats = {0};
    try_containment(d, MORTAL_CONTAIN_SUBREAPER,
                    (struct finding){.name = "subreaper", .weight = WEIGHT_NEEDED, .means = "daemons of tasks escape",
                                     .remedy = "Linux 3.4 or later"});
    try_containment(d, MORTAL_CONTAIN_CGROUP,
                    (struct finding){.name = "cgroup", .weight = WEIGHT_EXTRA,
                                     .means = "MORTAL_CONTAIN_CGROUP is refused: if the supervisor itself is killed, daemons "
                                              "of tasks may survive",
                                     .remedy = "Linux 5.14 and control groups of version 2, and a subtree of them for this "
                                               "user: systemd-run --user --scope -p Delegate=yes COMMAND"});
    try_containment(d, MORTAL_CONTAIN_NAMESPACE,
                    (struct finding){.name = "pid-namespace", .weight = WEIGHT_EXTRA,
                                     .means = "MORTAL_CONTAIN_NAMESPACE is refused: likewise",
                                     .remedy = "run as root or with CAP_SYS_ADMIN, or allow user namespaces (sysctl "
                                               "user.max_user_namespaces, kernel.unprivileged_userns_clone, "
                                               "kernel.apparmor_restrict_unprivileged_userns)"});
    if (mortal_pool_open(&pool, &options) != 0) {
        return; /* told already */
    }
    (void)mortal_pool_stats(pool, &stats);
    (void)mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
    if (stats.containment == MORTAL_CONTAIN_SUBREAPER || stats.containment == MORTAL_CONTAIN_CGROUP) {
        diagnose(d, (struct finding){.group = "containment", .name = "unasked", .has = true},
                 "a pool that asks for none gets: %s", names[stats.containment]);
    }
}

#define HUGE_PAGE (2u << 20)

/* Only to have them says that they come: a machine may allow them and have none that are free. */
static void try_huge_pages(struct diagnosis *d) {
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .name = "mortal-doctor"};
    struct finding finding = {.group = "memory", .name = "huge-pages", .weight = WEIGHT_EXTRA,
                              .means = "buffers lie in pages of 4 KiB: more time to make them, and to reach what is scattered"};
    mortal_buffer_info info = {0};
    mortal_buffer buffer;
    mortal_pool *pool;
    if (mortal_pool_open(&pool, &options) != 0) {
        return; /* told already */
    }
    int error = mortal_buffer_open(&buffer, pool, 4 * HUGE_PAGE, 0);
    if (error == 0) {
        error = mortal_buffer_look(buffer, &info);
    }
    finding.has = error == 0 && info.huge_bytes != 0;
    if (error != 0) {
        finding.remedy = "what the line before says";
        diagnose(d, finding, "%s", mortal_why());
    } else if (info.huge_pages == MORTAL_HUGE_PAGES_NEVER) {
        finding.remedy = "as root: echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled (also "
                         ".../hugepages-2048kB/shmem_enabled, unless it says inherit)";
        diagnose(d, finding, "refused to shared memory: /sys/kernel/mm/transparent_hugepage/shmem_enabled says never, or this "
                 "process has them switched off");
    } else if (info.huge_pages == MORTAL_HUGE_PAGES_UNKNOWN) {
        finding.remedy = "a kernel with CONFIG_TRANSPARENT_HUGEPAGE, and /sys mounted";
        diagnose(d, finding, "nothing tells whether shared memory gets any");
    } else {
        finding.remedy = "memory that is not in pieces: ask soon after the start, or echo 1 >/proc/sys/vm/compact_memory";
        diagnose(d, finding, "of a buffer of 8 MiB %llu MiB lie in pages of 2 MiB", (unsigned long long)info.huge_bytes >> 20);
    }
    (void)mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL);
}

void doctor_try_pools(struct diagnosis *d) {
    try_fork(d);
    char text[32];
    format_duration(d->trial.open_ns, text, sizeof text);
    diagnose(d, (struct finding){.group = "start", .name = "fork", .weight = WEIGHT_NEEDED, .has = d->trial.is_done,
                                 .means = "no pool works here"},
             d->trial.is_done ? "MORTAL_START_FORK, before a program starts threads, open took %s" : "it failed", text);
    try_exec(d);
    try_ladder(d);
    try_huge_pages(d);
}
