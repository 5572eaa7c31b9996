#include "system/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define KIB 1024ull

#define AT_ONCE 3000u /* files of /proc up to this size come whole with the first read */

/* The whole of a small file, or as much as there is room for. Async-signal-safe. */
static bool read_file(const char *path, char *text, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t length = 0;
    ssize_t got;
    do {
        got = read(fd, text + length, room - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    } while (got > (ssize_t)AT_ONCE && length < room - 1);
    close(fd);
    text[length] = '\0';
    return length != 0;
}

static const char *path_of(char *path, size_t room, pid_t pid, const char *name) {
    if (pid == 0)
        (void)snprintf(path, room, "/proc/self/%s", name);
    else
        (void)snprintf(path, room, "/proc/%d/%s", (int)pid, name);
    return path;
}

/* The number behind a name at the start of a line. */
static bool number_after(const char *text, const char *name, uint64_t *number) {
    size_t length = strlen(name);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, name, length) == 0) {
            *number = strtoull(line + length, NULL, 10);
            return true;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return false;
}

bool usage_read(pid_t pid, struct usage *usage) {
    char path[64], text[4096];
    uint64_t data, anon, file, shmem;
    if (!read_file(path_of(path, sizeof path, pid, "status"), text, sizeof text) ||
        !number_after(text, "VmData:", &data) || !number_after(text, "RssAnon:", &anon) ||
        !number_after(text, "RssFile:", &file) || !number_after(text, "RssShmem:", &shmem))
        return false;
    *usage = (struct usage){.data_bytes = data * KIB, .anon_bytes = anon * KIB, .shared_bytes = (file + shmem) * KIB};
    return true;
}

bool usage_glance(pid_t pid, struct usage *usage) {
    char path[64], text[256];
    unsigned long long resident, shared;
    if (!read_file(path_of(path, sizeof path, pid, "statm"), text, sizeof text) ||
        sscanf(text, "%*u %llu %llu", &resident, &shared) != 2)
        return false;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    *usage = (struct usage){.anon_bytes = resident > shared ? (resident - shared) * page : 0,
                            .shared_bytes = shared * page};
    return true;
}

int usage_shared_ranges(struct usage_range **out) {
    FILE *file = fopen("/proc/self/maps", "re");
    if (file == NULL)
        return -errno;
    struct usage_range *ranges = NULL;
    int count = 0, room = 0;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[3] != 's')
            continue;
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            struct usage_range *more = realloc(ranges, (size_t)room * sizeof *ranges);
            if (more == NULL) {
                free(ranges);
                (void)fclose(file);
                return -ENOMEM;
            }
            ranges = more;
        }
        ranges[count++] = (struct usage_range){start, end};
    }
    (void)fclose(file);
    *out = ranges;
    return count;
}

static bool is_within(uintptr_t address, const struct usage_range *ranges, int count) {
    for (int i = 0; i < count; i++)
        if (address >= ranges[i].start && address < ranges[i].end)
            return true;
    return false;
}

/* Of the memory of no lasting file: memfd, shared and anonymous, System V, POSIX. */
static bool is_shared_memory(const char *name) {
    static const char *const begins[] = {"/memfd:", "/dev/zero", "/SYSV", "/dev/shm/"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(name, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

bool usage_own_bytes(pid_t pid, const struct usage_range *others, int other_count, const struct usage_range *one_more,
                     uint64_t *own_bytes, uint64_t *shared_bytes) {
    char path[64], line[512];
    FILE *file = fopen(path_of(path, sizeof path, pid, "smaps"), "re");
    if (file == NULL)
        return false;
    uint64_t own = 0, shared = 0;
    bool counts_anonymous = false, counts_private = false, read_any = false;
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end;
        unsigned long long kib;
        char mode[5], name[256] = "";
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &start, &end, mode, name) >= 3) {
            counts_anonymous = mode[3] == 'p';
            counts_private = mode[3] == 's' && is_shared_memory(name) && !is_within(start, others, other_count) &&
                             !is_within(start, one_more, 1);
            read_any = true;
        } else if (counts_anonymous && sscanf(line, "Anonymous: %llu", &kib) == 1) {
            own += kib * KIB;
        } else if (counts_private && (sscanf(line, "Private_Clean: %llu", &kib) == 1 ||
                                      sscanf(line, "Private_Dirty: %llu", &kib) == 1)) {
            shared += kib * KIB;
        }
    }
    (void)fclose(file);
    *own_bytes = own + shared;
    *shared_bytes = shared;
    return read_any;
}

struct tree {
    pid_t *found;
    uint32_t count, most;
    bool is_felled; /* each that is found is killed */
};

/* The children that each thread of a process has, as the kernel lists them. */
static bool add_children(struct tree *tree, pid_t pid) {
    char path[96], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return false;
    for (struct dirent *entry; tree->count < tree->most && (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid, entry->d_name);
        FILE *file = fopen(path, "re");
        int child;
        if (file == NULL)
            continue;
        (void)setvbuf(file, text, _IOFBF, sizeof text);
        while (tree->count < tree->most && fscanf(file, "%d", &child) == 1) {
            tree->found[tree->count++] = child;
            if (tree->is_felled)
                (void)kill(child, SIGKILL);
        }
        (void)fclose(file);
    }
    closedir(threads);
    return true;
}

static bool walk(pid_t pid, uint32_t most, bool is_felled, uint32_t *count) {
    struct tree tree = {.found = malloc((most > 0 ? most : 1) * sizeof(pid_t)), .most = most, .is_felled = is_felled};
    bool known = tree.found != NULL && add_children(&tree, pid);
    for (uint32_t i = 0; known && i < tree.count; i++)
        (void)add_children(&tree, tree.found[i]);
    *count = tree.count;
    free(tree.found);
    return known;
}

bool usage_processes(pid_t pid, uint32_t most, uint32_t *count) { return walk(pid, most, false, count); }

bool usage_kill_below(pid_t pid, uint32_t most, uint32_t *count) { return walk(pid, most, true, count); }

static uint64_t clock_of(clockid_t clock) {
    struct timespec now;
    return clock_gettime(clock, &now) == 0 ? (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec : 0;
}

bool usage_cpu_of_process(pid_t pid, uint64_t *ns) {
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0)
        return false;
    *ns = clock_of(clock);
    return *ns != 0;
}

bool usage_cpu_of_thread(pid_t pid, pid_t thread, uint64_t *ns) {
    char path[96], text[128];
    unsigned long long used;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)thread);
    if (!read_file(path, text, sizeof text) || sscanf(text, "%llu", &used) != 1)
        return false;
    *ns = used;
    return true;
}

uint64_t usage_own_cpu(bool of_thread) { return clock_of(of_thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID); }

uint64_t usage_own_peak_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * KIB : 0;
}

void usage_reset_own_peak(void) {
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t ignored = write(fd, "5", 1);
    (void)ignored;
    close(fd);
}

int64_t usage_number_in(const char *path, const char *name) {
    char text[16384];
    uint64_t number;
    if (!read_file(path, text, sizeof text) || !number_after(text, name, &number))
        return -1;
    return (int64_t)(number & INT64_MAX);
}

/* The path of this process in one hierarchy of control groups: "0::" or what has ":memory:". */
static bool cgroup_path(const char *hierarchy, char *path, size_t room) {
    char text[4096];
    if (!read_file("/proc/self/cgroup", text, sizeof text))
        return false;
    const char *found = strstr(text, hierarchy);
    if (found == NULL)
        return false;
    found += strlen(hierarchy);
    size_t length = strcspn(found, "\n");
    if (length >= room)
        return false;
    memcpy(path, found, length);
    path[length] = '\0';
    return true;
}

int64_t usage_oom_kills(void) {
    char group[1024], path[1200];
    int64_t kills = -1;
    if (cgroup_path("0::", group, sizeof group)) {
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.events", group);
        kills = usage_number_in(path, "oom_kill ");
    }
    if (kills < 0 && cgroup_path(":memory:", group, sizeof group)) {
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup/memory%s/memory.oom_control", group);
        kills = usage_number_in(path, "oom_kill ");
    }
    return kills >= 0 ? kills : usage_number_in("/proc/vmstat", "oom_kill ");
}

int usage_limit_data(pid_t pid, uint64_t bytes) {
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_DATA, NULL, &limit) != 0)
        return -errno;
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    return prlimit(pid, RLIMIT_DATA, &limit, NULL) == 0 ? 0 : -errno;
}

bool usage_data_limit(uint64_t *bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return false;
    *bytes = limit.rlim_cur;
    return true;
}

static void limit_both(__rlimit_resource_t resource, uint64_t most) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return;
    if (limit.rlim_max > most)
        limit.rlim_max = most;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(resource, &limit);
}

void usage_limit_files(uint32_t files) { limit_both(RLIMIT_NOFILE, files); }

void usage_limit_file_bytes(uint64_t bytes) { limit_both(RLIMIT_FSIZE, bytes); }

uint64_t usage_data_left(void) {
    char text[256];
    uint64_t limit;
    if (!usage_data_limit(&limit) || limit == RLIM_INFINITY || !read_file("/proc/self/statm", text, sizeof text))
        return UINT64_MAX;
    /* The sixth number: pages of data and of stacks that grow. Not by sscanf, which is not async-signal-safe. */
    uint64_t pages = 0;
    unsigned field = 1;
    for (const char *at = text; *at != '\0' && field <= 6; at++) {
        if (*at == ' ')
            field++;
        else if (field == 6 && *at >= '0' && *at <= '9')
            pages = pages * 10 + (uint64_t)(*at - '0');
    }
    uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return used < limit ? limit - used : 0;
}
