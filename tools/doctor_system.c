/*
 * doctor_system.c - what somebody set: limits, mounts, groups of processes, rights
 *
 * SPDX-License-Identifier: MIT
 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first line of a file, without its end. */
static bool read_line(const char *path, char *line, size_t room) {
    FILE *file = fopen(path, "re");
    bool  has = file != NULL && fgets(line, (int)room, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    if (has) {
        line[strcspn(line, "\n")] = '\0';
    }
    return has;
}

/* Where a file system is mounted, and with which options; the last one hides those before. */
static bool find_mount(const char *type, const char *at, char *place, size_t place_room, char *options, size_t options_room) {
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char  line[4096], where[1024], own[512], kind[64], super[1024];
    bool  found = false;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *rest = strstr(line, " - ");
        if (rest == NULL || sscanf(line, "%*s %*s %*s %*s %1023s %511s", where, own) != 2 ||
            sscanf(rest, " - %63s %*s %1023s", kind, super) != 2) {
            continue;
        }
        if (strcmp(kind, type) == 0 && (at == NULL || strcmp(where, at) == 0)) {
            snprintf(place, place_room, "%s", where);
            snprintf(options, options_room, "%s,%s", own, super);
            found = true;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static void ask_proc(struct diagnosis *d) {
    char path[64], place[1024], options[1600] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    diagnose(d, (struct finding){.group = "files", .name = "proc", .weight = WEIGHT_PROMISE, .promise = 9,
                                 .has = access(path, R_OK) == 0,
                                 .means = "what tasks leave running is not found; functions loaded after open are not refused; "
                                          "threads at open go unnoticed; no start by exec",
                                 .remedy = "mount -t proc proc /proc (and a kernel with CONFIG_PROC_CHILDREN)"},
             "/proc, with lists of children");
    if (find_mount("proc", "/proc", place, sizeof place, options, sizeof options)) {
        const char *hides = strstr(options, "hidepid=");
        bool hidden = hides != NULL && strncmp(hides, "hidepid=0", 9) != 0 && strncmp(hides, "hidepid=off", 11) != 0;
        diagnose(d, (struct finding){.group = "files", .name = "hidepid", .has = true},
                 hidden ? "processes of other users are hidden in /proc: the pool's own are not"
                        : "processes are not hidden in /proc");
    }
}

static uint64_t limit_of(int which) {
    struct rlimit limit;
    return getrlimit((__rlimit_resource_t)which, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

static void tell_limit(struct diagnosis *d, struct finding finding, int which, uint64_t enough) {
    uint64_t limit = limit_of(which);
    finding.group = "limits";
    finding.has = limit >= enough;
    if (limit == RLIM_INFINITY) {
        diagnose(d, finding, "unlimited");
    } else {
        diagnose(d, finding, "%llu", (unsigned long long)limit);
    }
}

static void ask_limits(struct diagnosis *d) {
    tell_limit(d, (struct finding){.name = "nofile", .weight = WEIGHT_PROMISE, .promise = 10, .remedy = "ulimit -n 1024",
                                   .means = "few pools and groups with descriptors can be open: each takes some 8, and one"},
               RLIMIT_NOFILE, 64);
    tell_limit(d, (struct finding){.name = "nproc", .weight = WEIGHT_PROMISE, .promise = 5, .remedy = "ulimit -u 1024",
                                   .means = "hosts may not be made when they are needed: all processes and threads of the user "
                                            "count"},
               RLIMIT_NPROC, 64);
    tell_limit(d, (struct finding){.name = "address-space", .weight = WEIGHT_PROMISE, .promise = 11,
                                   .remedy = "ulimit -v unlimited",
                                   .means = "less room for results, or no pool: it maps more than it uses"},
               RLIMIT_AS, 5ull << 40);
    tell_limit(d, (struct finding){.name = "file-size", .weight = WEIGHT_PROMISE, .promise = 11,
                                   .remedy = "ulimit -f unlimited", .means = "pools have to be small, or do not open"},
               RLIMIT_FSIZE, 5ull << 40);
    tell_limit(d, (struct finding){.name = "core", .weight = WEIGHT_FACT, .has = true}, RLIMIT_CORE, 0);
    tell_limit(d, (struct finding){.name = "memlock", .weight = WEIGHT_FACT}, RLIMIT_MEMLOCK, 0);
    void *window = mmap(NULL, 4ull << 40, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    diagnose(d, (struct finding){.group = "limits", .name = "window", .weight = WEIGHT_PROMISE, .promise = 11,
                                 .has = window != MAP_FAILED, .remedy = "ulimit -v unlimited; sysctl vm.overcommit_memory=0",
                                 .means = "fewer hosts that died can have results that are still held"},
             "4 TiB of address space");
    if (window != MAP_FAILED) {
        munmap(window, 4ull << 40);
    }
}

static void ask_processors(struct diagnosis *d) {
    cpu_set_t set;
    char quota[128] = "";
    int  usable = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    (void)read_line("/sys/fs/cgroup/cpu.max", quota, sizeof quota);
    diagnose(d, (struct finding){.group = "processors", .name = "processors", .has = true},
             quota[0] != '\0' ? "%d of %ld usable, quota %s (of a period, in us)" : "%d of %ld usable%s", usable,
             sysconf(_SC_NPROCESSORS_ONLN), quota);
}

static void ask_rights(struct diagnosis *d) {
    char line[64] = "";
    bool yama = read_line("/proc/sys/kernel/yama/ptrace_scope", line, sizeof line);
    diagnose(d, (struct finding){.group = "rights", .name = "user", .has = true}, "%s%s%s",
             geteuid() == 0 ? "root" : "not root", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? ", no new privileges" : "",
             prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0 ? ", system calls are filtered" : "");
    diagnose(d, (struct finding){.group = "rights", .name = "ptrace", .weight = WEIGHT_EXTRA,
                                 .has = !yama || atoi(line) <= 1 || geteuid() == 0,
                                 .means = "a debugger cannot look into a host that is stuck",
                                 .remedy = "sysctl kernel.yama.ptrace_scope=1"},
             yama ? "kernel.yama.ptrace_scope is %s" : "nothing restricts who may trace%s", yama ? line : "");
    bool unwinds = strverscmp(gnu_get_libc_version(), "2.35") >= 0;
    diagnose(d, (struct finding){.group = "rights", .name = "backtraces", .weight = WEIGHT_EXTRA, .has = unwinds,
                                 .means = "obituaries tell addresses, and no names of functions",
                                 .remedy = "the C library of version 2.35 or later"},
             "backtraces with the names of functions (C library %s)", gnu_get_libc_version());
}

void doctor_ask_system(struct diagnosis *d) {
    ask_proc(d);
    ask_limits(d);
    ask_processors(d);
    ask_rights(d);
}
