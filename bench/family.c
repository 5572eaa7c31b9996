/*
 * family.c - what this program and all processes below it use
 *
 * SPDX-License-Identifier: MIT
 */
#include "family.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

#define MEMBERS_MAX 4096
#define KCMP_VM     1

struct family {
    int    pids[MEMBERS_MAX];
    size_t count;
};

static void add_children_of_thread(struct family *family, int pid, const char *tid) {
    char  path[64];
    FILE *file;
    int   child;

    snprintf(path, sizeof path, "/proc/%d/task/%.12s/children", pid, tid);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    while (family->count < MEMBERS_MAX && fscanf(file, "%d", &child) == 1)
        family->pids[family->count++] = child;
    fclose(file);
}

/* Calls for each thread of a process. */
static void each_thread(int pid, void (*call)(void *context, int pid, const char *tid), void *context) {
    char           path[32];
    struct dirent *entry;
    DIR           *threads;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    threads = opendir(path);
    while (threads != NULL && (entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            call(context, pid, entry->d_name);
    if (threads != NULL)
        closedir(threads);
}

static void add_children(void *family, int pid, const char *tid) {
    add_children_of_thread(family, pid, tid);
}

/* This process first, then generation by generation. */
static void family_find(struct family *family) {
    size_t i;

    family->pids[0] = (int)getpid();
    family->count = 1;
    for (i = 0; i < family->count; i++)
        each_thread(family->pids[i], add_children, family);
}

static int shares_memory_with_earlier(const struct family *family, size_t member) {
    size_t i;

    for (i = 0; i < member; i++)
        if (syscall(SYS_kcmp, family->pids[i], family->pids[member], KCMP_VM, 0, 0) == 0)
            return 1;
    return 0; /* where the kernel does not tell: counted twice rather than not at all */
}

static uint64_t kib_of(int pid) {
    unsigned long long kib = 0;
    char               path[48], line[128];
    FILE              *file;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtoull(line + 4, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib;
}

uint64_t family_kib(void) {
    static struct family family;
    uint64_t             kib = 0;
    size_t               i;

    family_find(&family);
    for (i = 0; i < family.count; i++)
        if (!shares_memory_with_earlier(&family, i))
            kib += kib_of(family.pids[i]);
    if (kib == 0)
        measure_skip("/proc does not tell of memory");
    return kib;
}

static void add_switches(void *context, int pid, const char *tid) {
    uint64_t *switches = context;
    char      path[64], line[128];
    FILE     *file;

    if (atoi(tid) == (int)syscall(SYS_gettid))
        return;
    snprintf(path, sizeof path, "/proc/%d/task/%.12s/status", pid, tid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strstr(line, "voluntary_ctxt_switches:") != NULL)
            *switches += strtoull(strchr(line, ':') + 1, NULL, 10);
    if (file != NULL)
        fclose(file);
}

double family_wakes_per_s(uint64_t ns) {
    static struct family family;
    uint64_t             before = 0, after = 0, start = clock_ns();
    size_t               i;

    family_find(&family);
    for (i = 0; i < family.count; i++)
        each_thread(family.pids[i], add_switches, &before);
    sleep_ns(ns);
    for (i = 0; i < family.count; i++)
        each_thread(family.pids[i], add_switches, &after);
    return (double)(after - before) * 1e9 / (double)(clock_ns() - start);
}
