/* process.h - making processes, knowing them, ending them. */
#ifndef SYSTEM_PROCESS_H
#define SYSTEM_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Like fork, without the handlers of pthread_atfork and without glibc's bookkeeping.
 *   exit_signal  0: the parent's wait() never sees this child and no signal comes when it ends
 *   as_sibling   the caller's parent becomes the parent
 *   pidfd        out, may be null
 * glibc caches the main thread's id in a word that the kernel is asked to set anew, so that raise() and its kin are right
 * in the child too. Returns 0 in the child, the pid in the parent, or a negative errno. The caller has a single thread. */
pid_t process_fork(int exit_signal, bool as_sibling, int *pidfd);

/* True in the supervisor and everything below it: what a task runs in is not the program that opened the pool. */
void process_say_hosted(void);
bool process_is_hosted(void);

/* True once the program has shown that it would be a supervisor if it were started as one (mortal_host_main). */
void process_say_enterable(void);
bool process_is_enterable(void);

/* Let the kernel set FUTEX_OWNER_DIED in a word of shared memory, and wake a sleeper there, when this thread is gone,
 * however; also when its process execs. Once per process, on its main thread, which glibc gave no robust list of its own
 * (it came from process_fork). Documentation/locking/robust-futexes.rst */
void process_hold_life_line(_Atomic uint32_t *word);

int  process_threads(void);                        /* of this process; 0 when /proc does not tell */
int  process_pidfd(pid_t pid);                     /* or a negative errno */
bool process_pidfd_dead(int pidfd);                /* never waits */
bool process_pidfd_wait(int pidfd, uint64_t deadline_ns); /* until it is certainly dead; false: not by then */
bool process_pidfd_signal(int pidfd, int number);  /* false: it was reaped, or may not be signalled; 0: only asks */
int  process_reap(int pidfd);                      /* 0, or a negative errno; ECHILD (SIGCHLD ignored) counts as reaped */

/* What the kernel knows of a thread of a child. False: it is gone, or /proc is not mounted. */
struct thread_look {
    bool sleeps;     /* it neither runs, nor wants to, nor waits for a disk, nor is stopped */
    uint64_t cpu_ns; /* processor time that it has used, to some 10 ms */
};
bool process_thread_look(pid_t pid, pid_t thread, struct thread_look *look);

/* Children of this single-threaded process, as the kernel lists them. Returns how many were stored, or a negative errno
 * where /proc is not mounted. */
int process_children(pid_t *pids, size_t capacity);
int process_children_of(pid_t process, pid_t *pids, size_t capacity); /* likewise, those that its main thread made */

/* The same list, read on from where the last reading ended: the kernel appends to it, so as long as none of those that were
 * read was reaped these are all that came since. */
int process_children_open(pid_t process); /* or a negative errno */
int process_children_on(int fd, pid_t *pids, size_t capacity);
int process_children_again(int fd, pid_t *pids, size_t capacity); /* from its beginning */

/* Not at 0, 1 or 2, where this process may have closed the standard streams: whoever prints would print into it, and hosts
 * keep those. Takes fd, also on failure. Returns it, the one that it became, or a negative errno; a negative fd as it is. */
int process_lift_fd(int fd);

/* Close every descriptor above 2 that is not among keep[], which must be sorted. */
void process_close_all_but(const int *keep, size_t count);

/* Ask the scheduler for slices of that length, 100 us at least (Linux 6.12 and later; a wish, refused without a word
 * elsewhere). Shorter ones come sooner. Returns what was in force before, 0 if unknown. Inherited by children. */
uint64_t process_want_slice(uint64_t slice_ns);

unsigned process_usable_cpus(void); /* by affinity and by the cgroup's quota, at least 1 */

/* The address ranges that hold code now, sorted. Returns how many, or a negative errno; *out is malloced. */
struct code_range {
    uintptr_t start, end;
};
int process_code(struct code_range **out);

#endif
