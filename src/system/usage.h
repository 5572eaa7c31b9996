/* usage.h - what processes use, as the kernel counts it, and the limits that it keeps itself */
#ifndef SYSTEM_USAGE_H
#define SYSTEM_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* pid 0: this process. All of these return false where the process is gone or /proc is not mounted. */

struct usage {
    uint64_t data_bytes;   /* private and writable, touched or not: what RLIMIT_DATA counts */
    uint64_t anon_bytes;   /* resident and of no file, its own or inherited */
    uint64_t shared_bytes; /* resident otherwise: of files, and shared memory */
};
bool usage_read(pid_t pid, struct usage *usage);  /* exact, some 20 us */
bool usage_glance(pid_t pid, struct usage *usage); /* some 3 us, all but data_bytes; to some hundred pages a processor */

/* Address ranges that are mapped shared in this process, sorted. Returns how many, or a negative errno; *out is
 * malloced. */
struct usage_range {
    uintptr_t start, end;
};
int usage_shared_ranges(struct usage_range **out);

/* Resident memory of a process that is its own: what is private, and shared memory outside those ranges that nobody else
 * maps. *shared_bytes is what of it is shared memory. Exact; some 20 us and more, by the number of its mappings and how
 * much is in them. */
bool usage_own_bytes(pid_t pid, const struct usage_range *others, int other_count, const struct usage_range *one_more,
                     uint64_t *own_bytes, uint64_t *shared_bytes);

/* Processes below one, however far, not more than `most` of them counted; zombies count. */
bool usage_processes(pid_t pid, uint32_t most, uint32_t *count);

/* Likewise, and SIGKILL to each as soon as it is found. The pids are of this process's own descendants, read an instant
 * ago: of one that was reaped by its parent since another process may have the number, if the kernel has gone once round
 * all of them within that instant. */
bool usage_kill_below(pid_t pid, uint32_t most, uint32_t *count);

bool usage_cpu_of_process(pid_t pid, uint64_t *ns);              /* all threads, also those that ended */
bool usage_cpu_of_thread(pid_t pid, pid_t thread, uint64_t *ns); /* at the last tick */
uint64_t usage_own_cpu(bool of_thread); /* of this process, or of this thread only */

uint64_t usage_own_peak_bytes(void); /* the most that was resident since the last reset */
void usage_reset_own_peak(void);     /* of this process; from now on. In vain without /proc */

/* How often the kernel killed a process for lack of memory: in this process's cgroup, or where that does not tell, on this
 * machine. -1: nothing tells. */
int64_t usage_oom_kills(void);
int64_t usage_number_in(const char *path, const char *name); /* behind that name at the start of a line; or -1 */

/* Soft limits of a child, or of this process; the hard ones stay. 0 or a negative errno. */
int usage_limit_data(pid_t pid, uint64_t bytes);
bool usage_data_limit(uint64_t *bytes); /* of this process */
/* Soft and hard, of this process. */
void usage_limit_files(uint32_t files);
void usage_limit_file_bytes(uint64_t bytes);

/* How much of its limit on private memory this process has left; UINT64_MAX: not known. Async-signal-safe. */
uint64_t usage_data_left(void);

#endif
