/*
 * mortal.h - a thread pool that can be killed
 *
 * Submit C functions, get futures. Whatever is running can be stopped at once, even if it never returns, and the pool
 * carries on with nothing lost: finished results kept, waiting tasks kept, every task with exactly one truthful verdict.
 *
 * (In one file, however long: it is the whole promise, and its comments are the manual.)
 *
 * Rules that hold everywhere
 *   Errors    A function that can fail returns 0 or a negative errno value. Outputs are untouched on failure. errno is
 *             neither read nor set. mortal_why() tells this thread's last failure in words. Nothing aborts, prints or exits.
 *   Times     Nanoseconds. As an argument 0 means do not wait; as an option 0 means the default (for limits: none).
 *             MORTAL_FOREVER is no limit. Waits return -EINTR after a signal handler installed without SA_RESTART.
 *   Threads   Any thread of the process that opened the pool may call anything, concurrently, unless a page says otherwise.
 *   Fork      Only the process that opened a pool may use it. In a forked child every call returns -EPERM and does no harm.
 *   Inside    A task may call only mortal_task_*, mortal_cell_read, mortal_cell_update, mortal_why, mortal_now_ns, mortal_version, and *_name and *_text.
 *   Killed    What a task wrote outside its result (files, sockets) stays as it was at the instant of death.
 *
 * C11, clean under C++. SPDX-License-Identifier: MIT
 */
#ifndef MORTAL_H
#define MORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MORTAL_API __attribute__((visibility("default")))
#define MORTAL_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define MORTAL_API
#define MORTAL_PRINTF(text, first)
#endif

#define MORTAL_VERSION_MAJOR 0
#define MORTAL_VERSION_MINOR 1
#define MORTAL_VERSION_PATCH 0

#define MORTAL_FOREVER UINT64_MAX
#define MORTAL_NONE    UINT32_MAX /* "zero" in an option whose 0 means the default */

/* Opaque, made and ended by the functions below. A handle that is null, made up or already ended gets -EINVAL. */
typedef struct mortal_pool  mortal_pool;
typedef struct mortal_group mortal_group;
typedef struct mortal_task  mortal_task;
typedef struct mortal_map   mortal_map;

/* A value: copy it, store it, compare it. All-zero is "no future". A stale or made-up one gets -ESTALE or -EINVAL. */
typedef struct mortal_future {
    uint64_t place, life;
} mortal_future;

/* Shared state that outlives every kill, see mortal_cell_open(). A value likewise: put it into inputs of tasks. */
typedef struct mortal_cell {
    uint64_t place, life;
} mortal_cell;

/* Changes a copy of a cell's value. Returns 0: this shall be the value now; anything else: leave it as it is. */
typedef int mortal_change(void *value, void *argument);

/* Shared memory by reference: put the value into an input. All-zero is "no buffer". Likewise a value. */
typedef struct mortal_buffer {
    uint64_t place, life;
} mortal_buffer;

/* A part of a buffer: what a task is to read, or where its result is to be. Likewise a value. */
typedef struct mortal_slice {
    mortal_buffer buffer;
    uint64_t      offset, bytes;
} mortal_slice;

/* A task's body. Runs in a host process, on a worker thread. Returns 0 (done) or any other status (failed). */
typedef int mortal_function(mortal_task *task, const void *input, size_t input_bytes);

/* What mortal_pool_map() and mortal_map_open() call for each item. Returns 0 (done) or any other status (failed). item:
 * aligned as it is in the array, or a uint64_t, its number, if there is none. result: its place in the array of results, null
 * if there is none. */
typedef int mortal_map_function(mortal_task *task, const void *item, void *result);

/* preload and init bodies: 0 is success. */
typedef int mortal_prepare(const void *context, size_t context_bytes);

/* How a task ended. Starts at 1, so a zeroed verdict is not "done". */
enum mortal_outcome {
    MORTAL_DONE = 1,    /* returned 0; the result is kept whatever happens later */
    MORTAL_FAILED,      /* returned another status; the result, if any, is kept */
    MORTAL_CANCELLED,   /* taken back while it was pending: never started, or (attempts over 0) had to start again */
    MORTAL_EXPIRED,     /* within_ns was over while it was pending: likewise */
    MORTAL_KILLED,      /* a kill cut it: may have partly run */
    MORTAL_TIMED_OUT,   /* its deadline_ns, or within_ns, cut it: may have partly run */
    MORTAL_CRASHED,     /* it ended its host: a signal, exit() with any code, exec, or the end of its thread */
    MORTAL_COLLATERAL,  /* it only shared its host with a task that was killed or crashed: may have partly run */
    MORTAL_OUT_OF_MEMORY, /* it took more memory than it may, or died because it was refused more, or lazy memory was
                             missing: may have partly run */
    MORTAL_QUARANTINED, /* attempts over 1, and each of them ended a host, the last by a crash: do not run it again */
    MORTAL_LOST         /* nobody can tell any more: the supervisor was killed, or the task's record was overwritten */
};

enum mortal_phase { MORTAL_PENDING = 1, MORTAL_RUNNING = 2, MORTAL_UNENDED = 3, MORTAL_ENDED = 4 }; /* 1, 2, 3: also the scope of a kill */
enum mortal_close_how { MORTAL_CLOSE_DRAIN = 1, MORTAL_CLOSE_CANCEL, MORTAL_CLOSE_KILL };
enum mortal_start_how {
    MORTAL_START_FORK = 1, /* hosts are forked from this process as it is at open: before it starts threads */
    MORTAL_START_EXEC      /* hosts come from a fresh image of this program, see mortal_host_main(): at any time */
};

/* Of 16 starts one goes to a task of low priority and three go to tasks of normal priority at least, while such tasks wait;
 * the others to the highest priority that waits. Within a priority tasks start in the order of submits. */
enum mortal_priority { MORTAL_PRIORITY_LOW = -1, MORTAL_PRIORITY_NORMAL = 0, MORTAL_PRIORITY_HIGH = 1 };

/* What ended the host of a crashed or quarantined task, or of one out of memory; and CPU: why it is timed out. */
enum mortal_cause {
    MORTAL_CAUSE_SIGNAL = 1, /* signal, signal_code and fault_address say which */
    MORTAL_CAUSE_EXIT,       /* exit_code: something called exit, even with 0 */
    MORTAL_CAUSE_EXEC,       /* the task replaced its process by another program */
    MORTAL_CAUSE_THREAD_EXIT, /* the task ended its worker thread (pthread_exit, thrd_exit) */
    MORTAL_CAUSE_NO_MODULE,  /* MORTAL_START_EXEC: its function's module was gone, replaced, or could not be loaded */
    MORTAL_CAUSE_MEMORY,      /* killed: its host held more than memory_bytes */
    MORTAL_CAUSE_CPU,         /* killed: it used its cpu_ns */
    MORTAL_CAUSE_PROCESSES    /* killed: more processes than it may had been started below its host */
};

/* Bits of mortal_pool_options.measure. */
enum mortal_measure {
    MORTAL_MEASURE_TIMES = 1,  /* queued_ns, ran_ns: some 70 ns a task */
    MORTAL_MEASURE_CPU = 2,    /* cpu_ns: some 0.6 us a task */
    MORTAL_MEASURE_MEMORY = 4  /* memory_peak_bytes: some 6 us a task */
};

/* How the caps of a pool are kept here, as bits of mortal_stats.caps. A refusal by the kernel holds at once, and the task
 * may deal with it; what is watched may be over its cap for some milliseconds before its host is killed. */
enum mortal_caps {
    MORTAL_CAPS_MEMORY_REFUSED = 1,    /* private memory: malloc and mmap fail (RLIMIT_DATA) */
    MORTAL_CAPS_MEMORY_WATCHED = 2,    /* what is resident, shared memory of its own too */
    MORTAL_CAPS_PROCESSES_WATCHED = 4, /* there is no limit of the kernel that is not per user and holds for root */
    MORTAL_CAPS_CPU_WATCHED = 8,
    MORTAL_CAPS_FILES_REFUSED = 16,    /* RLIMIT_NOFILE, RLIMIT_FSIZE */
    MORTAL_CAPS_OOM_WATCHED = 32       /* a kill by the kernel for lack of memory is told as such: a counter of it is there */
};

/* How what tasks start (daemons too) is held, so that it dies with their host. */
enum mortal_containment {
    MORTAL_CONTAIN_AUTO = 0,  /* the control group, where one was left to this program to divide; else the subreaper */
    MORTAL_CONTAIN_SUBREAPER, /* orphans come to the supervisor, which kills them. Everywhere, and tasks see nothing of it.
                                 Who forks and ends faster than it looks is gone later; if the supervisor itself is
                                 killed, daemons may survive */
    MORTAL_CONTAIN_CGROUP,    /* a control group (version 2, Linux 5.14) for each host, killed at one stroke. Needs the
                                 right to make groups below the one this program is in. If the supervisor is killed,
                                 daemons die when the pool is closed, or the next such pool opens there */
    MORTAL_CONTAIN_NAMESPACE  /* a namespace of processes for each host: whatever happens, all in it ends with it. Needs
                                 root, or user namespaces. Tasks see it: getpid() is 2 in every host, and /proc shows
                                 other numbers; in a user namespace other users' files are nobody's, and no setuid
                                 program works */
};

/* How what a task left to be done at its death went: mortal_task_on_death(). Of several the one that went worst. */
enum mortal_cleanup {
    MORTAL_CLEANUP_DONE = 1,  /* all returned 0 */
    MORTAL_CLEANUP_FAILED,    /* one returned something else */
    MORTAL_CLEANUP_TIMED_OUT, /* one was killed, since it took longer than cleanup_ns: may have partly run */
    MORTAL_CLEANUP_CRASHED,   /* one ended its host: may have partly run */
    MORTAL_CLEANUP_MISSED     /* one was not run: no host could be made for it */
};

/* Bits for mortal_buffer_open() and mortal_buffer_wrap_fd(). */
enum mortal_buffer_flags {
    MORTAL_BUFFER_GIVEN = 1, /* tasks can only read it: a write is a crash of the task */
    MORTAL_BUFFER_LAZY = 2,  /* memory is taken as it is touched, and may be missing then; default: all of it at once */
    MORTAL_BUFFER_WRITABLE = 4, /* only mortal_buffer_wrap_fd(): tasks and this program can write to the file */
    MORTAL_BUFFER_COPY = 8   /* only mortal_buffer_wrap_fd(): the bytes as they are now, whatever becomes of the file */
};

/* Bits of mortal_pool_options.results. */
enum mortal_results {
    MORTAL_RESULTS_LAZY = 1 /* memory of a result exists as it is touched, so that a task of which nobody knows how much it
                               will answer can ask for the most, fill it, and shrink it. If it is missing then, the task
                               ends out of memory. Default: when mortal_task_result() returns, all of it exists */
};

/* Whether this machine puts shared memory, such as buffers from 2 MiB on, into pages of 2 MiB: what is reached all over
 * the place is then found faster, and made faster. */
enum mortal_huge_pages {
    MORTAL_HUGE_PAGES_UNKNOWN = 0, /* nothing tells: /sys is not mounted, or the kernel has none */
    MORTAL_HUGE_PAGES_NEVER,  /* it refuses: /sys/kernel/mm/transparent_hugepage/shmem_enabled says never (or deny), or this
                                 process has had them switched off. The administrator can write advise there */
    MORTAL_HUGE_PAGES_WANTED  /* where the kernel finds one when the memory is made, and small ones elsewhere */
};

/* Bits of mortal_pool_options.harden. What a machine lacks is left out silently: mortal_stats.hardened tells what
 * holds. */
enum mortal_harden {
    MORTAL_HARDEN_KEYS = 1 /* memory protection keys: the library's records of tasks cannot be written while a task
                              runs, so a stray write into them is a crash of that task. Some 30 ns a task. Against
                              accidents, not attackers */
};

/* Bits of mortal_pool_options.backtrace: of which threads obituaries tell where they were. */
enum mortal_backtrace {
    MORTAL_BACKTRACE_CRASH = 1,    /* that crashed or called exit. The default */
    MORTAL_BACKTRACE_DEADLINE = 2, /* whose task's time was over: asked by a signal first, killed when it has answered,
                                      or 2 ms later. A system call of it may be interrupted by that */
    MORTAL_BACKTRACE_KILL = 4,     /* likewise, of a task that is to be killed */
    MORTAL_BACKTRACE_NONE = 8      /* of none */
};

/* Options of one task. Zero, but for size, is a good default. */
typedef struct mortal_task_options {
    size_t        size;        /* sizeof(mortal_task_options) */
    const char   *name;        /* for people; copied, at most 63 bytes are kept; null: none */
    mortal_group *group;       /* where the verdict also arrives; null: nowhere else */
    void         *tag;         /* yours: comes back in the verdict, is never looked at, never leaves this process */
    uint64_t      within_ns;   /* from submit to end, all attempts together: expired if pending, timed out if running */
    uint64_t      deadline_ns; /* from each start: killed, timed out. 0: the pool's default; MORTAL_FOREVER: none */
    uint32_t      attempts;    /* default 1: at most once. More: restartable, starts at most so often by its own fault;
                                  at most 1,000,000 */
    uint32_t      reserved0;
    uint64_t      soft_deadline_ns; /* from each start: asked to stop, see mortal_task_should_stop(). 0: the pool's default;
                                  MORTAL_FOREVER: none */
    uint64_t      shield_ns;   /* how long a deadline_ns or within_ns that falls into a critical section waits for its end
                                  at most, see mortal_task_shield(). 0: the pool's default; none: not at all */
    int32_t       soft_signal; /* sent to the task's thread, and to it only, when it is asked to stop: a blocking call
                                  there returns -EINTR. 0: the pool's default; none: no signal */
    size_t        memory_bytes; /* cap on its host's memory while it runs, see the pool's; 0: the pool's. Only with
                                   workers_per_host 1. Two system calls a task */
    uint64_t      cpu_ns;      /* processor time of each attempt: killed, timed out. 0: the pool's; MORTAL_FOREVER: none */
    uint32_t      more_memory_percent; /* retry with more: after each attempt that ended for lack of memory the next one's
                                  cap is by so much larger; with attempts over 1; at most 1000 */
    uint32_t      buffer_count; /* of buffers[], at most 8 */
    const mortal_buffer *buffers; /* stay alive until this task has ended, although they are closed before. Borrowed */
    int32_t       priority;    /* mortal_priority. 0: the pool's default, normal if it has none */
    uint32_t      reserved1;
} mortal_task_options;

/* One of many tasks, see mortal_pool_submit_many(). */
typedef struct mortal_job {
    mortal_function *function;
    const void      *input;
    size_t           input_bytes;
    void            *tag; /* yours, as in mortal_task_options; null: the one there */
} mortal_job;

/* Options of a pool. Zero, but for size, is a good default. */
typedef struct mortal_pool_options {
    size_t          size;             /* sizeof(mortal_pool_options) */
    const char     *name;             /* for people and process lists; copied, at most 15 bytes are kept */
    uint32_t        workers;          /* tasks that run at once, 1..1024; default: the processors this process may use */
    uint32_t        workers_per_host; /* default 1: a kill harms no other task; = workers: all threads in one child */
    uint32_t        standby;          /* hosts kept ready to take over, 0..64; default 1; MORTAL_NONE: none */
    uint32_t        queue_tasks;      /* pending tasks; more: submit waits; default 4096, at most 1,000,000 */
    uint32_t        held_tasks;       /* tasks not yet released; more: -ENOBUFS; default 131,072, at most 1,000,000 */
    int32_t         start;            /* MORTAL_START_FORK, the default, or MORTAL_START_EXEC */
    mortal_prepare *preload;          /* runs before any host is forked; every host inherits what it made. Once, unless
                                         the process that keeps it is killed: then again */
    mortal_prepare *init;             /* runs in each new host before its first task */
    const void     *context;          /* given to preload and init; copied at open */
    size_t          context_bytes;
    const mortal_task_options *task;  /* defaults for the tasks of this pool (all but group and tag); copied at open */
    const int      *keep_fds;         /* descriptors that hosts keep beside 0, 1 and 2; open now, at most 256 */
    size_t          keep_fd_count;
    size_t          inputs_bytes;     /* memory for inputs over 64 bytes of tasks that have not ended; default 64 MiB */
    size_t          results_bytes;    /* memory in each host for results over 32 bytes; default 64 MiB. Both from 4 KiB to
                                         64 GiB; one input or result may take the largest power of two in it */
    uint64_t        start_ns;         /* how long preload, and init, may take; default 60 s */
    int32_t         measure;          /* bits of mortal_measure: what verdicts measure; default nothing */
    int32_t         harden;           /* bits of mortal_harden: against accidents in memory; default none */
    uint32_t        deaths;           /* hosts that may end unasked within deaths_period_ns; one more opens the circuit
                                         breaker, see mortal_pool_mend(). Default: there is none; MORTAL_NONE: not one
                                         may; at most 1,000,000 */
    uint32_t        reserved1;
    uint64_t        deaths_period_ns; /* only with deaths; default 60 s; MORTAL_FOREVER: all count */

    /* Caps; 0: none. mortal_stats.caps tells how they are kept on this machine. */
    size_t          memory_bytes;     /* memory of each host: what is its alone, and what it inherited, touched pages. More
                                         is refused (malloc fails), or killed: out of memory. Shared memory counts that
                                         the host maps alone, the pool's own does not */
    uint64_t        cpu_ns;           /* processor time of a task: of all threads of its host, or, with workers_per_host
                                         over 1, of its own thread; not of processes it starts. Killed, timed out */
    uint32_t        processes;        /* processes below each host at once; MORTAL_NONE: not one. Killed, crashed */
    uint32_t        files;            /* descriptors of each host, one more is refused (EMFILE); at least 4 */
    size_t          file_bytes;       /* no file grows beyond this by a host: SIGXFSZ, crashed (or EFBIG, if the program
                                         ignores that signal) */
    /* Recycling: a host is replaced by a fresh one between two tasks. Any of these is reason enough; 0: none. */
    uint32_t        recycle_tasks;    /* after so many tasks, or a few more */
    uint32_t        reserved2;
    uint64_t        recycle_ns;       /* so long after it took its first place, if it has run a task */
    size_t          recycle_bytes;    /* when it holds more memory than this, counted as for memory_bytes */
    int32_t         backtrace;        /* bits of mortal_backtrace: whose obituaries; default MORTAL_BACKTRACE_CRASH */
    uint32_t        reserved3;
    uint64_t        cleanup_ns;       /* how long each clean-up may take, see mortal_task_on_death(); default 1 s;
                                         MORTAL_FOREVER: no limit */
    size_t          cells_bytes;      /* what all cells together hold, see mortal_cell_open(); default 64 KiB, 64 bytes to
                                         1 MiB. It is there twice for each worker and standby that may be */
    size_t          buffers_bytes;    /* address space for buffers that tasks may write, as much for those that they
                                         cannot, and for files; costs no memory. Default 1 TiB, at most 16 TiB; less where
                                         the system limits it (ulimit -v, -f): mortal_stats tells */
    size_t          stream_bytes;     /* how much a task may have emitted that nobody took yet, see mortal_task_emit(), 16
                                         bytes a part included; default 64 KiB, 4 KiB to 1 GiB and what results_bytes
                                         allow one result; rounded up to a power of two. From results_bytes, with the
                                         first part of a task */
    int32_t         containment;      /* enum mortal_containment: how what tasks start is held; one that cannot be had here
                                         is refused (-EPERM, -ENOTSUP). mortal_stats.containment tells which is in force */
    uint32_t        reserved4;
    int32_t         results;          /* bits of mortal_results: when the memory of results is taken; default when a task
                                         asks for it. results_bytes themselves are address space, and cost nothing */
    uint32_t        reserved5;
} mortal_pool_options;

/* One task's one and only ending. */
typedef struct mortal_verdict {
    mortal_future future;
    void         *tag;
    int32_t       outcome;       /* mortal_outcome */
    int32_t       status;        /* what the function returned: done (0) and failed */
    int32_t       cause;         /* mortal_cause of crashed, quarantined (its last attempt), out of memory, and collateral
                                    tasks of a host that crashed; MORTAL_CAUSE_CPU of timed out ones; else 0 */
    int32_t       signal;        /* cause signal: its number */
    int32_t       signal_code;   /* cause signal: si_code, 0 if not known */
    int32_t       exit_code;     /* cause exit: the code, even 0 */
    uint64_t      fault_address; /* cause signal SEGV, BUS, ILL, FPE: where */
    const void   *result;        /* done and failed; aligned to 16; a view until release; null if there is none.
                                    After mortal_future_take() the caller's own memory */
    size_t        result_bytes;
    uint64_t      queued_ns, ran_ns; /* MORTAL_MEASURE_TIMES, else 0; of the last attempt */
    uint32_t      attempts;      /* how often it started by its own account; collateral restarts are not counted */
    uint32_t      culprit;       /* crashed, quarantined: 1 this task did it, 0 one of several that ran in its host, it is
                                    not known which */
    uint64_t      cpu_ns;        /* MORTAL_MEASURE_CPU, else 0: processor time of the last attempt, counted as for the
                                    option cpu_ns. With workers_per_host over 1 only of tasks that returned */
    uint64_t      memory_peak_bytes; /* MORTAL_MEASURE_MEMORY, else 0: the most memory its host had resident while it ran,
                                    shared pages too. With workers_per_host over 1: since its host began */
    uint64_t      obituary;      /* number of its host's, if that host's death ended it, else 0; see
                                    mortal_pool_obituary() */
    int32_t       cleanup;       /* mortal_cleanup of its last attempt; 0: it left nothing to be done, or it returned */
    int32_t       reserved0;
    uint64_t      reserved[2];
} mortal_verdict;

/* One of the things that a task gave before it ended. */
typedef struct mortal_part {
    mortal_future future;
    void         *tag;
    const void   *data;    /* a copy, aligned to 16; good until the next mortal_future_next() of this future, or its
                              release; null: an empty part */
    size_t        bytes;
    uint64_t      number;  /* counts the parts taken of this future, from 0 */
    uint32_t      attempt; /* that emitted it, from 1; collateral restarts are not counted */
    uint32_t      reserved0;
    uint64_t      reserved[4];
} mortal_part;

typedef struct mortal_look {
    int32_t  phase;   /* MORTAL_PENDING, MORTAL_RUNNING, MORTAL_ENDED */
    int32_t  outcome; /* ended: mortal_outcome, else 0 */
    uint32_t attempt; /* running or ended: which attempt, from 1 */
    int32_t  host;    /* running: process id of its host, else 0 */
    uint64_t done, total; /* running: as mortal_task_progress() told last, else 0 */
    uint64_t reserved[4];
} mortal_look;

/* What a buffer takes. */
typedef struct mortal_buffer_info {
    size_t   bytes;        /* as asked for */
    uint64_t memory_bytes; /* of it that exist, in whole pages: all, but of a lazy one. Of a wrapped file 0: not the pool's */
    uint64_t huge_bytes;   /* of these in pages of 2 MiB, whoever made them */
    int32_t  huge_pages;   /* mortal_huge_pages: whether there may be any */
    uint32_t tasks;        /* that have not ended and named it in their options */
    uint64_t reserved[4];
} mortal_buffer_info;

/* What a kill did. */
typedef struct mortal_kill_report {
    uint32_t never_started;  /* were pending: cancelled */
    uint32_t finished_first; /* ended by themselves, however, before the kill reached them; results kept */
    uint32_t killed;         /* were running: certainly dead now, may have partly run */
    uint32_t still_dying;    /* the kernel had not ended them, or their clean-ups went on, when timeout_ns was over */
    uint32_t hosts;          /* hosts that were killed meanwhile, for this or for a deadline */
    uint32_t trees_left;     /* 1: processes that tasks had started were not all gone when timeout_ns was over */
    uint64_t took_ns;        /* from the call to its return */
    uint64_t reserved[4];
} mortal_kill_report;

typedef struct mortal_stats {
    uint64_t submitted;
    uint64_t ended[16];      /* by mortal_outcome */
    uint64_t pending, running, held; /* at this instant; held: submitted and not yet released */
    uint64_t host_deaths;    /* hosts that ended, asked or not */
    uint64_t host_kills;     /* of these: killed because a kill or a deadline asked */
    uint64_t requeued;       /* tasks that went back to the queue after a host's death */
    uint32_t workers, hosts, standby; /* hosts and standby: ready at this instant */
    uint32_t dying;          /* hosts that were killed and are not certainly dead yet */
    int32_t  supervisor;     /* its process id, 0 when it is gone */
    int32_t  broken;         /* 1: the supervisor died; everything unended is lost */
    uint64_t input_bytes_max, result_bytes_max; /* of one task, in this pool */
    uint64_t failed_starts;  /* of hosts: init or preload failed, or no process could be made */
    int32_t  breaker;        /* 1: the circuit breaker is open, and nothing starts; mortal_pool_mend() closes it */
    uint32_t breaker_opened; /* how often it opened so far */
    int32_t  hardened;       /* bits of mortal_harden that hold in every host that is ready */
    int32_t  caps;           /* bits of mortal_caps */
    uint64_t recycled;       /* hosts that were replaced by a fresh one, as recycle_tasks and its like ask */
    uint64_t empty_host_bytes; /* memory of a host before any task: memory_bytes must be more; 0: not known */
    uint64_t obituaries;     /* of hosts so far: the number of the last; see mortal_pool_obituary() */
    uint64_t cleanups;       /* clean-ups that were begun */
    uint64_t replaced;       /* hosts that were not dead 20 ms after their kill: another took their place meanwhile */
    uint32_t buffers;        /* that are not closed, or that a task still holds */
    int32_t  containment;    /* enum mortal_containment: the one in force; 0 when the supervisor is gone */
    uint64_t buffers_bytes;  /* address space for buffers of each of the three kinds */
    uint64_t stream_bytes;   /* of one task, in this pool: the largest part is 16 bytes smaller */
    uint64_t results_used_bytes; /* memory that results, parts, and records of hosts, living and dead, take now, as the
                                kernel counts it; what was released may be in it, to be used again */
    uint64_t reserved[2];
} mortal_stats;

/* Why a host was ended by its supervisor. */
enum mortal_asked {
    MORTAL_ASKED_NOBODY = 0, /* it was not: it ended by itself, or something outside ended it */
    MORTAL_ASKED_KILL,       /* a kill */
    MORTAL_ASKED_DEADLINE,   /* a task's deadline_ns */
    MORTAL_ASKED_WITHIN,     /* a task's within_ns */
    MORTAL_ASKED_START,      /* init was not done within start_ns */
    MORTAL_ASKED_AUDIT,      /* a worker of it served nobody any more: the record of its task was overwritten */
    MORTAL_ASKED_CAP,        /* a cap on memory, processor time or processes */
    MORTAL_ASKED_RECYCLING   /* it was replaced by a fresh one, between two tasks */
};

enum mortal_map_order {
    MORTAL_MAP_IN_ORDER = 0,   /* as items were put. One that takes long holds back those behind it; their work too, of up
                                  to 15 that its worker took up with it, where the items before were short */
    MORTAL_MAP_AS_FINISHED = 1 /* whichever has ended, about in that order */
};

/* Options of a map over items that come one by one. Zero, but for size, is a good default. */
typedef struct mortal_map_options {
    size_t   size;         /* sizeof(mortal_map_options) */
    size_t   item_bytes;   /* of each; 0: an item is its own number, a uint64_t, from 0 */
    size_t   result_bytes; /* of each; 0: there are none */
    uint32_t window;       /* items that are put and not yet taken: memory is for these (as finished: twice). Default 1024;
                              at most 1,048,576 */
    int32_t  order;        /* mortal_map_order */
    const mortal_task_options *task; /* of each item: name, deadline_ns, attempts, priority, memory_bytes. Group: what kills
                              it kills this map's items; nothing arrives there. Null: the pool's defaults */
} mortal_map_options;

/* What became of an item of such a map. item, and what the verdict views, are good until this thread calls mortal_map_next()
 * for this map and gets another, or the map is closed; where more than 16 threads take, the oldest ones end. */
typedef struct mortal_map_entry {
    uint64_t       number;   /* counts the items put, from 0 */
    const void    *item;     /* as it was put; null: it is its number */
    mortal_verdict verdict;  /* its future is none, its result is result_bytes of done and failed ones; tag: as it was put */
    uint64_t       reserved[4];
} mortal_map_entry;

enum mortal_stage { MORTAL_STAGE_STARTING = 1, MORTAL_STAGE_STANDBY, MORTAL_STAGE_ACTIVE };

enum mortal_backtrace_state {
    MORTAL_BACKTRACE_NOT_ASKED = 0, /* its pool does not want one of such a death, or nobody could be asked */
    MORTAL_BACKTRACE_TAKEN,
    MORTAL_BACKTRACE_NO_ANSWER      /* the thread blocked the signal, was deep in the kernel, or had no readable stack */
};

#define MORTAL_OBITUARY_OTHERS  4
#define MORTAL_OBITUARY_LINES   8
#define MORTAL_OBITUARY_FRAMES  48
#define MORTAL_OBITUARY_MODULES 8

/* A task in an obituary. */
typedef struct mortal_obituary_task {
    mortal_future future;   /* all-zero if it was released */
    uint64_t      ticket;   /* counts the submits of the pool, from 0 */
    uint32_t      attempt;  /* from 1 */
    uint32_t      reserved0;
    char          name[64]; /* empty: it has none */
} mortal_obituary_task;

/* A line that a task logged. */
typedef struct mortal_obituary_line {
    uint64_t at_ns;     /* mortal_now_ns() */
    char     text[168]; /* as the task left it: any bytes but zero */
} mortal_obituary_line;

/* One call of a backtrace. */
typedef struct mortal_obituary_frame {
    uint64_t address, offset;  /* in the host; in the file of its module, as addr2line wants it */
    uint64_t into;             /* bytes behind the beginning of the function */
    int32_t  module;           /* index into modules; -1: not known */
    int32_t  reserved0;
    char     function[88];     /* empty: not known */
} mortal_obituary_frame;

/* What is known of a host that died. */
typedef struct mortal_obituary {
    uint64_t number;          /* counts the deaths of the pool's hosts, from 1 */
    uint64_t host;            /* counts its hosts, from 1 */
    int32_t  pid;
    int32_t  stage;           /* mortal_stage, when it ended */
    uint64_t born_ns, died_ns; /* mortal_now_ns(); when it was forked, and certainly dead */
    uint64_t died_wall_ns;    /* since 1970 */
    int32_t  cause;           /* mortal_cause; these five as in a verdict, also where a kill asked for it */
    int32_t  signal, signal_code, exit_code;
    uint64_t fault_address;
    int32_t  asked;           /* mortal_asked */
    int32_t  reserved0;
    uint64_t latency_ns;      /* asked: from the request, or from the deadline, to its certain death; else 0 */
    uint64_t user_ns, system_ns; /* processor time, that of children which it waited for included */
    uint64_t memory_peak_bytes;  /* most that was resident, what it shared with this program included */
    uint64_t tasks;           /* that it began, by its own account */
    uint32_t has_culprit;     /* 1: culprit, progress and lines tell of the task that ended it, or for whose sake */
    uint32_t condemned;       /* tasks for whose sake it was ended, the culprit included */
    uint32_t collateral;      /* tasks that only ran in it too, or, without a culprit, all; others: the first of them */
    uint32_t has_progress;    /* 1: done and total are what mortal_task_progress() told last */
    uint64_t done, total;
    mortal_obituary_task culprit, others[MORTAL_OBITUARY_OTHERS];
    uint32_t line_count;      /* of lines: the last that it logged, oldest first */
    int32_t  backtrace;       /* mortal_backtrace_state */
    uint32_t frame_count;     /* of frames: of the thread that crashed, or did not end; innermost first */
    uint32_t module_count;
    mortal_obituary_line  lines[MORTAL_OBITUARY_LINES];
    mortal_obituary_frame frames[MORTAL_OBITUARY_FRAMES];
    char     modules[MORTAL_OBITUARY_MODULES][256]; /* paths */
    uint64_t reserved[16];
} mortal_obituary;

/* Which deaths mortal_pool_latency() tells of. */
enum mortal_latency_of {
    MORTAL_LATENCY_OF_KILLS = 1, /* hosts that a call asked to kill: from that request, the grace not counted */
    MORTAL_LATENCY_OF_DEADLINES  /* hosts that a deadline_ns or within_ns ended: from when that was over */
};

#define MORTAL_LATENCY_BUCKETS 64

typedef struct mortal_latency {
    uint64_t count;     /* hosts; one that two requests met counts once, from the first */
    uint64_t sum_ns, max_ns;
    uint64_t median_ns, p99_ns; /* rounded up to a bucket's bound, at most max_ns; 0 if count is */
    uint64_t bound_ns[MORTAL_LATENCY_BUCKETS]; /* the longest time in each, ascending; the last: MORTAL_FOREVER */
    uint64_t counts[MORTAL_LATENCY_BUCKETS];
    uint64_t reserved[4];
} mortal_latency;

/**
 * mortal_pool_open - make a pool: its supervisor, its hosts and its standby
 *
 * Shape     out      a pool on success, end it with mortal_pool_close()
 *           options  null: all defaults. Borrowed for the call; everything needed later is copied
 * Returns   0, or
 *           -EINVAL     an option is out of range; mortal_why() names it
 *           -EBUSY      this process has other threads, and hosts cannot be forked from it: open before starting threads,
 *                       or with MORTAL_START_EXEC
 *           -ENOTSUP    MORTAL_START_EXEC, and main did not call mortal_host_main()
 *           -EACCES     MORTAL_START_EXEC, and the program is setuid, setgid or has file capabilities
 *           -ENOEXEC    MORTAL_START_EXEC, and preload or init is in no file that hosts could load
 *           -ENOTSUP    memory_bytes, recycle_bytes or processes, and /proc is not mounted: nothing tells what is used
 *           -EMFILE     64 pools are open in this process, or no descriptor is left
 *           -ENOMEM     not enough memory or address space (see ulimit -v) for the region
 *           -EFBIG      the file size limit (ulimit -f) is smaller than the region
 *           -ECANCELED  preload or init returned non-zero, crashed, left threads or did not finish within start_ns; or the
 *                       new image (MORTAL_START_EXEC) did not come to mortal_host_main(): mortal_why() tells
 *           -EPERM      called inside a task; or the containment asked for is forbidden to this user
 *           -ENOTSUP    the containment asked for cannot be had on this machine; or pidfd_open is refused, as by some
 *                       sandboxes, and by valgrind 3.19
 *           -EAGAIN     no process could be made
 * Blocks    until the first host is ready, or start_ns; flushes the stdio streams of this process once (not with EXEC)
 * Threads   from a process with a single thread only, later the process may have as many as it likes; with
 *           MORTAL_START_EXEC any, but nobody may change the environment (setenv) meanwhile
 * Signals   not async-signal-safe
 * Fork      a forked child may open a pool of its own
 * Killed    if a host dies while it starts, another is made
 * Notes     hosts see this process's memory as it was now. Globals changed later are not seen by tasks. With
 *           MORTAL_START_EXEC they see what constructors, preload and init make, and nothing of this process; and the
 *           supervisor is a child that waitpid(-1) sees, with a SIGCHLD at its end: reap it or not, as you like
 * Since     0.1
 * Test      tests/api/pool_opens_runs_and_closes.c
 */
MORTAL_API int mortal_pool_open(mortal_pool **out, const mortal_pool_options *options);

/**
 * mortal_pool_submit - hand one task to the pool
 *
 * Shape     function     code that existed when the pool was opened; with MORTAL_START_EXEC any that lies in a file, also
 *                        of a module loaded since, which stays loaded until the pool is closed
 *           input        input_bytes bytes, any alignment, copied before return; tasks see it aligned to 16
 *           options      null: the pool's defaults
 *           future       out: ends the task's story here; release it with mortal_future_release(). Null: released at
 *                        once, or, if the task has a group, the group's verdict brings the future
 * Returns   0, or
 *           -EINVAL      null or ended handle, null function, null input with bytes, bad option
 *           -ENOEXEC     the function is not code that existed at open: load modules before mortal_pool_open(). With
 *                        MORTAL_START_EXEC: it lies in no file (code made at run time), or in one that is gone
 *           -EMSGSIZE    the input is larger than inputs_bytes allows; mortal_why() tells the limit
 *           -EFAULT      the input lies in a wrapped file that was cut off
 *           -ENOBUFS     held_tasks tasks are not released: release some
 *           -ENOMEM      the kernel has no memory for it
 *           -ESHUTDOWN   the pool is sealed or closing
 *           -EOWNERDEAD  the supervisor died: close the pool and open another
 *           -EHOSTDOWN   the circuit breaker is open, mortal_why() tells of which death: mortal_pool_mend(), or close
 *           -EINTR       a signal handler ran while it waited; nothing was submitted
 *           -EPERM       called in a forked child or inside a task
 * Blocks    while queue_tasks tasks are pending or inputs_bytes are in use
 * Threads   any; tasks start in the order in which submits succeed
 * Signals   not async-signal-safe
 * Killed    a host's death while the task is pending does not touch it
 * Since     0.1
 * Test      tests/api/submit_returns_a_future_that_ends.c
 */
MORTAL_API int mortal_pool_submit(mortal_pool *pool, mortal_function *function, const void *input, size_t input_bytes,
                                  const mortal_task_options *options, mortal_future *future);

/**
 * mortal_pool_try_submit - like mortal_pool_submit, but never waits
 *
 * Shape     as mortal_pool_submit()
 * Returns   as mortal_pool_submit(), and -EAGAIN where that would wait: the queue or the input memory is full, or others
 *           wait for what room there is
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    as mortal_pool_submit()
 * Since     0.1
 * Test      tests/api/a_full_queue_refuses_try_submit_and_holds_submit.c
 */
MORTAL_API int mortal_pool_try_submit(mortal_pool *pool, mortal_function *function, const void *input,
                                      size_t input_bytes, const mortal_task_options *options, mortal_future *future);

/**
 * mortal_pool_submit_many - hand many tasks to the pool in one call
 *
 * Shape     jobs       count of them, each as mortal_pool_submit() takes it; borrowed for the call, inputs are copied
 *           options    of all of them; null: the pool's defaults
 *           futures    out: count of them, those of the tasks that were submitted; null: as in mortal_pool_submit()
 *           submitted  out, may be null: how many tasks were submitted, the first ones, also where the call failed
 * Returns   0: all were submitted; or why job number *submitted was not, as mortal_pool_submit(). The ones before it
 *           stay submitted. Call again with the rest where the reason is over. -EINVAL also: null jobs with a count
 * Blocks    as mortal_pool_submit(): while queue_tasks tasks are pending or inputs_bytes are in use. What was submitted
 *           runs meanwhile
 * Threads   any; tasks start in the order of the array. Those of other threads may come in between
 * Signals   not async-signal-safe
 * Killed    each is a task of its own: whatever ends one does not touch the others
 * Notes     it is the locks and looks of mortal_pool_submit() that are done once for many: worth it for tasks of less
 *           than some microseconds. mortal_pool_map() costs less still, where it is one function over an array
 * Since     0.1
 * Test      tests/api/many_tasks_are_submitted_in_one_call.c
 */
MORTAL_API int mortal_pool_submit_many(mortal_pool *pool, const mortal_job *jobs, size_t count,
                                       const mortal_task_options *options, mortal_future *futures, size_t *submitted);

/**
 * mortal_pool_map - call a function for each item of an array, on all workers
 *
 * Shape     function      code that existed when the pool was opened
 *           items         count items of item_bytes bytes each; null: an item is its own number, a uint64_t, from 0
 *           results       count places of result_bytes bytes each; null: there are none
 *           options       of each item: name, deadline_ns, attempts; within_ns counts for each attempt at a share of the
 *                         items. Group: what kills it kills this map, from another thread; nothing arrives there. No
 *                         tag. Null: the pool's defaults
 *           outcomes      in and out, count bytes, may be null: how each item ended (mortal_outcome); 0: not yet. Items
 *                         whose outcome is not 0 when it is called are left out, so a second call goes on where a first
 *                         one ended
 *           done          out, may be null: how many items are done, those of earlier calls included
 *           Items and results in a mortal_buffer of this pool are used in place, items in a wrapped file too; others are
 *           copied, and copied back
 * Returns   0 when every item has an outcome, whichever, or
 *           -ECANCELED   a kill of what is pending, of the pool or of the group, met it: items that had not begun are
 *                        cancelled
 *           -EINTR       a signal handler ran; what had not begun has no outcome: call again
 *           -EHOSTDOWN   the circuit breaker opened; likewise
 *           -EOWNERDEAD  the supervisor died: items of which nobody knows are lost
 *           -EINVAL      a null function, sizes that do not fit, a tag, a group of another pool, limits that items cannot
 *                        have (mortal_why() says which), results in a wrapped file
 *           -EFAULT      items that have to be copied are not there
 *           -EIO         a runner could not get at what it was to do: no descriptor was left there for the items' file, or
 *                        the map's own memory was overwritten. What had not begun has no outcome
 *           -ENOEXEC, -ENOMEM, -ENOBUFS, -ESHUTDOWN, -EPERM as mortal_pool_submit() and mortal_buffer_open()
 * Blocks    until then
 * Threads   any, several maps at once; other tasks run in between
 * Signals   not async-signal-safe
 * Killed    a death takes along the one item that its worker had in hand: killed, timed out, crashed, or begun again if it
 *           has attempts left. All others go on. A kill of what runs hits the items in hand only. What an
 *           item left (clean-ups, files not published) is treated as if it were a task
 * Notes     its runners are tasks of the pool, one for each worker: kill reports and mortal_stats count these. Idle
 *           workers take items from the shares of others, so order and neighbourhood of the calls are not fixed
 * Since     0.1
 * Test      tests/api/a_map_calls_its_function_for_each_item.c
 */
MORTAL_API int mortal_pool_map(mortal_pool *pool, mortal_map_function *function, const void *items, size_t item_bytes,
                               void *results, size_t result_bytes, size_t count, const mortal_task_options *options,
                               uint8_t *outcomes, size_t *done);

/**
 * mortal_map_open - call a function for each of items that come one by one, without end, in bounded memory
 *
 * Shape     out       put items in, take what became of them out; end it with mortal_map_close()
 *           function  code that existed when the pool was opened
 *           options   null: the pool's defaults, and items that are numbers
 *           Items are put, and results are read, in memory that tasks see: each is moved once, or not at all
 * Returns   0, or
 *           -EINVAL   null out or function, an order or a window that is none, a tag, a group of another pool, limits that
 *                     items cannot have: within_ns, soft deadlines and signals, shields, cpu_ns, more_memory_percent,
 *                     buffers (mortal_why() says which)
 *           -EMFILE   too many groups are open: a map takes one
 *           -ENOEXEC, -ENOMEM, -ENOBUFS, -ESHUTDOWN, -EPERM as mortal_pool_submit() and mortal_buffer_open(); but in a pool
 *           that is only sealed it opens, and mortal_map_put() is refused
 * Blocks    until the memory of the window is there
 * Threads   any; several maps at once; other tasks run in between
 * Signals   not async-signal-safe
 * Killed    a death takes along the one item that its worker had in hand: killed, timed out, crashed, or begun again if it
 *           has attempts left. All others go on
 * Notes     items are run by tasks of the pool, short ones many by one, long ones one by one: kill reports and mortal_stats
 *           count these tasks
 * Since     0.1
 * Test      tests/api/an_open_map_takes_items_without_end.c
 */
MORTAL_API int mortal_map_open(mortal_map **out, mortal_pool *pool, mortal_map_function *function,
                               const mortal_map_options *options);

/**
 * mortal_map_put - one more item
 *
 * Shape     item   item_bytes bytes, copied; null if there are none
 *           tag    yours: comes back with the verdict, is never looked at
 *           It starts when a worker is free, as tasks do, with no further call: unless the queue of the pool is full, or what
 *           ran it was cut; then with the next call of put, next or kill. If it is short, and was given to a worker that an
 *           item before it keeps for long, it is given to another by a call that comes, or sleeps, some milliseconds later
 * Returns   0, or
 *           -EAGAIN      timeout_ns is 0 and window items are put and not taken: mortal_map_next() makes room
 *           -ETIMEDOUT   likewise, all the time
 *           -EDEADLK     likewise, and this process has one thread: nobody else can take. Take first
 *           -EHOSTDOWN   the circuit breaker is open: mortal_pool_mend()
 *           -EOWNERDEAD  the supervisor died
 *           -ESHUTDOWN   after mortal_map_end(), or the pool is sealed, or it or the map is being closed
 *           -EINTR       a signal handler ran
 *           -EINVAL      a bad map, or a null item with item_bytes, or an item without
 *           -EFAULT      the item lies in a wrapped file, and is not there
 *           -EPERM. With any of these nothing was put
 * Blocks    at most timeout_ns, for room
 * Threads   any; others may put and take meanwhile
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/an_open_map_takes_items_without_end.c
 */
MORTAL_API int mortal_map_put(mortal_map *map, const void *item, void *tag, uint64_t timeout_ns);

/**
 * mortal_map_end - no more items will be put
 *
 * Shape     what was put goes on; when all of it is taken mortal_map_next() says so. Again: no difference
 * Returns   0; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/an_open_map_takes_items_without_end.c
 */
MORTAL_API int mortal_map_end(mortal_map *map);

/**
 * mortal_map_next - what became of the next item
 *
 * Shape     entry   out. Each item that was put is delivered once, however it ended. What it views is good until this thread
 *                   is given the next one
 * Returns   0, or
 *           -ENOENT     mortal_map_end() was called, or the pool is sealed, and everything is taken
 *           -ETIMEDOUT  nothing came within timeout_ns
 *           -EHOSTDOWN  the circuit breaker is open, and all that is not taken waits for mortal_pool_mend()
 *           -EOWNERDEAD the supervisor died, and everything is taken
 *           -EINTR      a signal handler ran
 *           -ENOMEM, -EINVAL, -ESHUTDOWN, -EPERM
 * Blocks    at most timeout_ns, also where nothing was put: another thread may
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    items that were killed, or cancelled, are delivered as such; when the supervisor dies all that has not ended is
 *           lost
 * Since     0.1
 * Test      tests/api/an_open_map_takes_items_without_end.c
 */
MORTAL_API int mortal_map_next(mortal_map *map, uint64_t timeout_ns, mortal_map_entry *entry);

/**
 * mortal_map_kill - mortal_pool_kill() for the items of one map; the map lives on
 *
 * Shape     scope   MORTAL_PENDING: what was put and has not begun is cancelled. MORTAL_RUNNING: what is in hand is killed,
 *                   the rest goes on. MORTAL_UNENDED: both. What is put later is not meant. mortal_map_next() still
 *                   delivers all of it
 *           report  out, may be null: never_started and killed count items, the rest counts tasks that ran them
 * Returns   as mortal_pool_kill()
 * Blocks    at most grace_ns + timeout_ns and a little
 * Threads   any
 * Signals   not async-signal-safe; mortal_pool_kill_now() meets maps too, whose next call heeds it
 * Killed    with workers_per_host over 1, tasks of others may be collateral
 * Since     0.1
 * Test      tests/kill/an_open_map_is_cancelled_or_killed_whole.c
 */
MORTAL_API int mortal_map_kill(mortal_map *map, int scope, uint64_t grace_ns, uint64_t timeout_ns,
                               mortal_kill_report *report);

/**
 * mortal_map_close - end a map; what has not ended is killed, and what was not taken is dropped
 *
 * Shape     null is fine. To lose nothing call mortal_map_end() first, and take until -ENOENT
 * Returns   0; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    until what ran is dead, 10 s at most: what the kernel has not ended by then keeps its memory until it is
 * Threads   any; waiters in mortal_map_put() and mortal_map_next() end with -ESHUTDOWN
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/an_open_map_takes_items_without_end.c
 */
MORTAL_API int mortal_map_close(mortal_map *map);

/**
 * mortal_pool_kill - end what the pool has: ask, wait, kill; the pool lives on
 *
 * Shape     scope       MORTAL_PENDING, MORTAL_RUNNING or MORTAL_UNENDED (both)
 *           grace_ns    tasks are asked, see mortal_task_should_stop(), then this long is waited before the kill; one in a
 *                       critical section is killed at the end of it, if that is sooner, see mortal_task_shield(). 0: kill
 *                       at once, critical sections or not
 *           timeout_ns  how long to wait, after the kill, for certain death and for the end of all processes that the
 *                       tasks had started
 *           report      out, may be null
 * Returns   0, or
 *           -EINPROGRESS  some hosts are still dying (report->still_dying); their tasks end when the kernel lets them.
 *                         Or, with none, processes that tasks had started are not all gone (report->trees_left)
 *           -EINVAL       bad handle or scope
 *           -EOWNERDEAD   the supervisor died; everything unended is lost
 *           -EINTR        a signal handler ran. During the grace: tasks were asked, none was killed; call again. Later:
 *                         the kill goes on, verdicts tell
 *           -EPERM        called in a forked child or inside a task
 * Blocks    at most grace_ns + timeout_ns and a little
 * Threads   any, several at once; hits only what was submitted before the call, and with MORTAL_RUNNING and a grace only
 *           what was running at the call
 * Signals   not async-signal-safe; see mortal_pool_kill_now()
 * Killed    collateral tasks that are restartable run again, uncharged
 * Since     0.1
 * Test      tests/kill/a_kill_of_all_answers_for_every_task.c
 */
MORTAL_API int mortal_pool_kill(mortal_pool *pool, int scope, uint64_t grace_ns, uint64_t timeout_ns,
                                mortal_kill_report *report);

/**
 * mortal_pool_kill_now - the same from a signal handler: no grace, no waiting
 *
 * Shape     scope as in mortal_pool_kill(). Bad handles and scopes are ignored
 * Returns   nothing; verdicts tell
 * Blocks    never
 * Threads   any
 * Signals   async-signal-safe; calls may coalesce
 * Killed    as mortal_pool_kill(); hits only what was submitted before the call
 * Since     0.1
 * Test      tests/kill/kill_now_works_in_a_signal_handler.c
 */
MORTAL_API void mortal_pool_kill_now(mortal_pool *pool, int scope);

/**
 * mortal_pool_seal - accept no more tasks; what is there runs on
 *
 * Shape     any number of times; a bad handle is ignored
 * Returns   nothing; later submits return -ESHUTDOWN
 * Blocks    never
 * Threads   any
 * Signals   async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/a_sealed_pool_refuses_and_drains.c
 */
MORTAL_API void mortal_pool_seal(mortal_pool *pool);

/**
 * mortal_pool_close - end the pool and every process of it
 *
 * Shape     how       MORTAL_CLOSE_DRAIN   everything runs to its end, for at most grace_ns, then the rest is killed;
 *                                          with an open circuit breaker what runs does, and what waits is cancelled
 *                     MORTAL_CLOSE_CANCEL  pending tasks are cancelled, running ones may end for grace_ns, then are killed
 *                     MORTAL_CLOSE_KILL    pending tasks are cancelled, running ones are asked, and killed after grace_ns
 *           report    out, may be null
 * Returns   0, or
 *           -EINVAL       bad handle or how; the pool was closed before
 *           -EALREADY     another thread is closing it
 *           -EINPROGRESS  a host would not die within 10 s; it is left to the kernel
 *           -EPERM        called in a forked child or inside a task
 * Blocks    until every host is certainly dead and reaped. Calls of other threads on this pool end with -ESHUTDOWN
 * Threads   any; once. Futures, groups, open maps, buffers and cells of the pool, and views of results, end with it
 * Signals   not async-signal-safe
 * Killed    everything that is left: that is its purpose
 * Since     0.1
 * Test      tests/api/close_drains_cancels_or_kills.c
 */
MORTAL_API int mortal_pool_close(mortal_pool *pool, int how, uint64_t grace_ns, mortal_kill_report *report);

/**
 * mortal_pool_stats - counters of the pool at this instant
 *
 * Shape     stats out
 * Returns   0; -EINVAL, -EPERM, -ESHUTDOWN as everywhere
 * Blocks    never for long: looks at each held task once
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/stats_add_up.c
 */
MORTAL_API int mortal_pool_stats(mortal_pool *pool, mortal_stats *stats);

/**
 * mortal_pool_obituary - what is known of a host that died: why, for whose sake, where it was, what it used
 *
 * Shape     number     of the obituary, from 1, as in mortal_verdict.obituary; 0: the last
 *           obituary   out, some 12 KiB; names of functions are looked up now, in the files of the modules
 * Returns   0, or
 *           -EINVAL     null or ended handle, null obituary
 *           -ENOENT     there is no such number yet; or it is older than the last 256, which are kept
 *           -ESHUTDOWN  the pool is being closed by another thread
 *           -EPERM      called in a forked child or inside a task
 * Blocks    for the disk, where it reads the modules that a backtrace names
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    a verdict's obituary is there when the verdict is, also when the supervisor has died since. What the host
 *           itself left in it (lines, progress, tasks, backtrace) is as the host left it: it may have been overwritten
 * Since     0.1
 * Test      tests/recover/an_obituary_tells_of_a_crash.c
 */
MORTAL_API int mortal_pool_obituary(mortal_pool *pool, uint64_t number, mortal_obituary *obituary);

/**
 * mortal_pool_latency - how long it took from the request for a kill to certain death, in this pool so far
 *
 * Shape     of       MORTAL_LATENCY_OF_KILLS or MORTAL_LATENCY_OF_DEADLINES
 *           latency  out: a histogram of all hosts that were killed so and are certainly dead. What it may show has no
 *                    upper bound; a host that is still dying is in it when it has died, until then in
 *                    mortal_stats.dying
 * Returns   0; -EINVAL bad handle, another of, or latency is null; -EPERM, -ESHUTDOWN as everywhere
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/kill/the_time_from_request_to_death_is_counted.c
 */
MORTAL_API int mortal_pool_latency(mortal_pool *pool, int of, mortal_latency *latency);

/**
 * mortal_pool_mend - close the circuit breaker: hosts are made again, and what waits goes on
 *
 * Shape     the breaker opens when more than `deaths` hosts ended within `deaths_period_ns` though neither a kill nor a
 *           deadline asked for it: tasks crashed, idle hosts died, init or preload failed. While it is open nothing
 *           starts and submits are refused; what runs goes on; what is pending stays so, can be cancelled or killed, and
 *           expires. End the cause first: counting starts afresh, and the same deaths open it again
 * Returns   0, also if it was not open: then nothing has changed
 *           -EINVAL      null or ended handle
 *           -EOWNERDEAD  the supervisor died: close the pool and open another
 *           -ESHUTDOWN   the pool is being closed by another thread
 *           -EPERM       called in a forked child or inside a task
 * Blocks    never
 * Threads   any, several at once: one closes it, the others change nothing
 * Signals   not async-signal-safe
 * Killed    hosts that die after it are counted anew
 * Since     0.1
 * Test      tests/recover/hosts_that_keep_dying_open_the_breaker_and_mend_closes_it.c
 */
MORTAL_API int mortal_pool_mend(mortal_pool *pool);

/**
 * mortal_host_main - the first line of main, in programs that open pools with MORTAL_START_EXEC
 *
 * Shape     such a pool starts this program again; in that process the call never returns, and main goes no further. In
 *           all others it returns at once. What stands before it in main runs in the new image too, and so do the
 *           program's constructors: nothing should, but declarations.
 *           Instead of the call the program may be linked with `pkg-config --libs mortal-entry`: -Wl,--wrap=main and a
 *           small library, which call it between the last constructor and main
 * Returns   nothing
 * Blocks    never
 * Threads   before there are others
 * Signals   not async-signal-safe
 * Killed    no difference
 * Notes     arguments and environment cannot bring a program to believe that it is a host: it asks the kernel who made
 *           the socket that it was handed, and that is its parent, the same program, or main runs as ever. Called from
 *           a shared object it counts for nothing: it must be the program's own
 * Since     0.1
 * Test      tests/exec/threads_do_not_matter.c
 */
MORTAL_API void mortal_host_main(void);

/**
 * mortal_group_open - a place where the verdicts of many futures arrive
 *
 * Shape     out   give it to tasks in mortal_task_options.group; end it with mortal_group_close()
 * Returns   0; -EINVAL; -EMFILE 1024 groups of this pool are open; -ENOMEM; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/a_group_gives_verdicts_as_they_come.c
 */
MORTAL_API int mortal_group_open(mortal_group **out, mortal_pool *pool);

/**
 * mortal_group_next - the next verdict that arrived, in the order of arrival
 *
 * Shape     verdict   out. Each task of the group is delivered once; release verdict.future when done with its result
 * Returns   0, or
 *           -ENOENT     nothing is outstanding: every task of the group was delivered or released
 *           -EHOSTDOWN  the circuit breaker is open, and all that is outstanding waits for mortal_pool_mend()
 *           -ETIMEDOUT  nothing arrived within timeout_ns
 *           -EINTR      a signal handler ran
 *           -EINVAL, -ESHUTDOWN, -EPERM
 * Blocks    at most timeout_ns
 * Threads   any; several may wait, each verdict goes to one of them
 * Signals   not async-signal-safe
 * Killed    the verdicts of killed tasks arrive here too; when the supervisor dies all that is unended arrives as lost
 * Since     0.1
 * Test      tests/api/a_group_gives_verdicts_as_they_come.c
 */
MORTAL_API int mortal_group_next(mortal_group *group, uint64_t timeout_ns, mortal_verdict *verdict);

/**
 * mortal_group_fd - a descriptor for event loops
 *
 * Shape     fd   out: readable while mortal_group_next() has something to say at once. Level-triggered. It belongs to the
 *                group and is closed with it: poll it, do not read it. After it turns readable call mortal_group_next()
 *                with time-out 0 until it returns -ETIMEDOUT, -ENOENT or -EHOSTDOWN (an open circuit breaker is told
 *                by the descriptor once, and once more with each further death). With mortal_group_stream() it is readable
 *                also while mortal_group_next_part() has something
 *                After the last was taken it may turn readable once more, since another process writes to it: the next call
 *                then says that there is nothing, and silences it
 * Returns   0; -EMFILE; -ENOMEM; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    readable also when the supervisor died
 * Since     0.1
 * Test      tests/api/a_group_descriptor_serves_an_event_loop.c
 */
MORTAL_API int mortal_group_fd(mortal_group *group, int *fd);

/**
 * mortal_group_stream - have a group tell also of the parts that one of its tasks emits, not only of its verdict
 *
 * Shape     future  whose task has this group in its options. From now on mortal_group_next_part() gives its parts, those
 *                   that are there already first, and the group's descriptor is readable while one can be taken
 * Returns   0, also if it does already; -ENOMEM; -EINVAL not a future of this group; -ESTALE; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    what was emitted before is kept, and told of
 * Notes     for tasks that go on for long: each look at the group asks each task of which it is to tell. mortal_future_next()
 *           takes from the same parts
 * Since     0.1
 * Test      tests/api/a_group_tells_of_parts_where_asked.c
 */
MORTAL_API int mortal_group_stream(mortal_group *group, mortal_future future);

/**
 * mortal_group_next_part - the next part of any task of which this group is to tell
 *
 * Shape     part  out, as of mortal_future_next(): part->future and part->tag say whose. In the order of each task's own; the
 *                 tasks take turns
 * Returns   0, or
 *           -ENOENT     all tasks of which it is to tell have ended or were released, and all their parts were taken; or
 *                       it is to tell of none
 *           -ETIMEDOUT  none came within timeout_ns
 *           -EBADMSG    a task gone wild has overwritten parts, as in mortal_future_next(): call again for the rest
 *           -EHOSTDOWN  the circuit breaker is open, and all these tasks wait for mortal_pool_mend()
 *           -ENOMEM     no memory for the copy: nothing was taken
 *           -EINTR      a signal handler ran
 *           -EINVAL, -ESHUTDOWN, -EPERM
 * Blocks    at most timeout_ns
 * Threads   any; several may take parts, each goes to one of them, but its data is good only until the next part of the same
 *           future is taken
 * Signals   not async-signal-safe
 * Killed    as mortal_future_next()
 * Notes     verdicts come by mortal_group_next() as ever, and may come before the last parts: a descriptor stays readable
 *           until both have nothing more to say
 * Since     0.1
 * Test      tests/api/a_group_tells_of_parts_where_asked.c
 */
MORTAL_API int mortal_group_next_part(mortal_group *group, uint64_t timeout_ns, mortal_part *part);

/**
 * mortal_group_kill - mortal_pool_kill() for the tasks of one group
 *
 * Shape     as mortal_pool_kill()
 * Returns   as mortal_pool_kill()
 * Blocks    at most grace_ns + timeout_ns and a little
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    with workers_per_host over 1, tasks of others may be collateral
 * Since     0.1
 * Test      tests/kill/a_kill_of_a_group_spares_the_others.c
 */
MORTAL_API int mortal_group_kill(mortal_group *group, int scope, uint64_t grace_ns, uint64_t timeout_ns,
                                 mortal_kill_report *report);

/**
 * mortal_group_close - end a group; its tasks run on, their futures stay good
 *
 * Shape     null is fine
 * Returns   0; -EINVAL; -EPERM
 * Blocks    never
 * Threads   any; waiters in mortal_group_next() end with -ESHUTDOWN
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/a_closed_group_leaves_its_futures_good.c
 */
MORTAL_API int mortal_group_close(mortal_group *group);

/**
 * mortal_buffer_open - memory that the program and all its tasks see, of any size, without a copy
 *
 * Shape     out    the buffer; end it with mortal_buffer_close()
 *           bytes  1 and more, also beyond 4 GiB; rounded up to pages, and zero at first
 *           flags  bits of mortal_buffer_flags
 * Returns   0, or
 *           -EINVAL     null, no bytes, unknown flags; a bad pool
 *           -ENOMEM     the system has not so much memory left (never with MORTAL_BUFFER_LAZY)
 *           -ENOBUFS    buffers_bytes of the pool are in use, or 4096 buffers are there
 *           -ESHUTDOWN, -EPERM
 * Blocks    while the kernel finds the memory, some 0.3 ms a mebibyte; with MORTAL_BUFFER_LAZY never
 * Threads   any
 * Signals   not async-signal-safe
 * Fork      a child that this program or a task forks has no such memory there
 * Killed    what a task wrote before its death stays as far as it came
 * Notes     hosts that were there before see it too. Lazy memory that is missing when it is touched ends the task out of
 *           memory, and this program by SIGBUS if that touches it; or it is the work of the system's own out-of-memory
 *           killer
 * Since     0.1
 * Test      tests/api/buffers_are_seen_by_every_host.c
 */
MORTAL_API int mortal_buffer_open(mortal_buffer *out, mortal_pool *pool, size_t bytes, int flags);

/**
 * mortal_buffer_wrap_fd - a buffer around a file or memfd that the program has: an argument without a copy
 *
 * Shape     out     the buffer; end it with mortal_buffer_close()
 *           fd      a regular file, open for reading. Borrowed: close it when you like, the file stays reachable by the
 *                   buffer until that is closed
 *           offset  where the buffer begins in the file; bytes: how many, up to the end of the file, or 0: up to there
 *           flags   MORTAL_BUFFER_WRITABLE: this program and tasks can write, and what they write is in the file; else
 *                   both can only read. MORTAL_BUFFER_COPY: memory with the bytes that are in the file now; it does not
 *                   change with the file and nothing is written back; with MORTAL_BUFFER_WRITABLE tasks can write to
 *                   it. MORTAL_BUFFER_GIVEN is the default here
 * Returns   0, or
 *           -EINVAL     null; offset or bytes beyond the end of the file, or nothing in between, as in files of /proc,
 *                       whose size is 0: read those; flags that are unknown, or exclude each other; a bad pool
 *           -EBADF      fd is not open
 *           -EACCES     fd is not open for reading; MORTAL_BUFFER_WRITABLE: not for reading and writing, or sealed
 *           -ENODEV     not a regular file, or its file system cannot map it: use MORTAL_BUFFER_COPY, or read it
 *           -ENOBUFS    buffers_bytes of the pool are in use (there are as many again for files), or 4096 buffers are there
 *           -ENOMEM     no memory; MORTAL_BUFFER_COPY: as mortal_buffer_open()
 *           -EMFILE     the supervisor has no descriptor left, and needs one for each file: raise ulimit -n
 *                       before the pool is opened
 *           -EIO        MORTAL_BUFFER_COPY: reading failed, or the file became shorter meanwhile
 *           -EOWNERDEAD the supervisor died
 *           -ESHUTDOWN, -EPERM
 * Blocks    until the supervisor has taken the file, some 50 us; MORTAL_BUFFER_COPY: as read(2)
 * Threads   any
 * Signals   not async-signal-safe
 * Fork      a child that this program or a task forks has no such memory there
 * Killed    what a task wrote before its death stays as far as it came
 * Notes     a file that becomes shorter under its buffer has holes there: who touches one gets SIGBUS, so a task crashes.
 *           This library never touches one in this program, and an input that lies in a hole gets -EFAULT; a task
 *           has the file at the address of mortal_task_buffer(), and only from that call on.
 *           It is aligned to 64 if offset is
 * Since     0.1
 * Test      tests/api/a_file_is_an_argument_without_a_copy.c
 */
MORTAL_API int mortal_buffer_wrap_fd(mortal_buffer *out, mortal_pool *pool, int fd, uint64_t offset, size_t bytes, int flags);

/**
 * mortal_buffer_view - where a buffer is in this process
 *
 * Shape     address  out: aligned to a page, readable and writable, until mortal_buffer_close(). Of a file as
 *                    mortal_buffer_wrap_fd() says. May be null
 *           bytes    out: as asked for. May be null
 * Returns   0; -ESTALE closed, or its pool was; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any. Tasks write the same memory at the same time
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/buffers_are_seen_by_every_host.c
 */
MORTAL_API int mortal_buffer_view(mortal_buffer buffer, void **address, size_t *bytes);

/**
 * mortal_buffer_look - what a buffer takes, and whether it got pages of 2 MiB
 *
 * Shape     info  out
 * Returns   0, or
 *           -ENOSYS  the kernel does not tell in which pages memory is: that needs Linux 5.14, and /proc
 *           -ENOMEM  no addresses are left to map it once more (ulimit -v)
 *           -ESTALE closed, or its pool was; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    as long as the kernel takes to tell: 0.1 ms and more, some 0.5 ms a gibibyte. Other calls on this pool wait
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Notes     for people and for tuning. It makes no page that is not there
 * Since     0.1
 * Test      tests/api/a_buffer_tells_what_it_takes.c
 */
MORTAL_API int mortal_buffer_look(mortal_buffer buffer, mortal_buffer_info *info);

/**
 * mortal_buffer_close - let go of a buffer; its memory goes back to the system
 *
 * Shape     at once, or when the last unended task ends that has it in mortal_task_options.buffers. Views in this process
 *           end at once
 * Returns   0; -ESTALE closed before; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    while the kernel takes back the memory
 * Threads   any; not while another thread still uses a view
 * Signals   not async-signal-safe
 * Killed    no difference
 * Notes     a task that did not name it in its options reads zeros, or what a later buffer has there
 * Since     0.1
 * Test      tests/api/a_closed_buffer_lives_as_long_as_its_tasks.c
 */
MORTAL_API int mortal_buffer_close(mortal_buffer buffer);

/**
 * mortal_future_wait - wait for the verdict
 *
 * Shape     verdict   out, may be null. The result is a view: good until mortal_future_release() or mortal_pool_close()
 * Returns   0, or
 *           -ETIMEDOUT  not ended within timeout_ns
 *           -EHOSTDOWN  it is pending and the circuit breaker is open: nothing was decided, and it will start once
 *                       mortal_pool_mend() was called; with any timeout_ns, at once
 *           -EINTR      a signal handler ran
 *           -ESTALE     released before, or its pool was closed
 *           -EINVAL     all-zero or made up
 *           -ESHUTDOWN  the pool is being closed by another thread
 *           -EPERM      called in a forked child or inside a task
 * Blocks    at most timeout_ns
 * Threads   any, several on the same future; it may be waited for again and gives the same verdict
 * Signals   not async-signal-safe
 * Killed    the verdict says so; whoever dies and when, no future waits for ever
 * Since     0.1
 * Test      tests/api/submit_returns_a_future_that_ends.c
 */
MORTAL_API int mortal_future_wait(mortal_future future, uint64_t timeout_ns, mortal_verdict *verdict);

/**
 * mortal_future_next - the next part that the task emitted, while it runs or after its end, however it ended
 *
 * Shape     part   out: in the order of mortal_task_emit(). Parts of an attempt that was cut come before those of the next
 *                  one, and part->attempt tells which is which. The verdict is another matter: it may be waited for
 *                  before, after or meanwhile, by the group or the future
 * Returns   0, or
 *           -ENOENT     the task has ended, and all its parts were taken
 *           -ETIMEDOUT  none came within timeout_ns
 *           -EBADMSG    a task gone wild has overwritten parts in its host: those of that attempt which were not taken
 *                       are lost. Call again for the rest
 *           -EHOSTDOWN  it is pending and the circuit breaker is open, as in mortal_future_wait()
 *           -ENOMEM     no memory for the copy: nothing was taken
 *           -EINTR      a signal handler ran
 *           -ESTALE; -EINVAL; -ESHUTDOWN; -EPERM as in mortal_future_wait()
 * Blocks    at most timeout_ns
 * Threads   any; several may take parts of one future, each part goes to one of them, but the data of a part is good only
 *           until the next one is taken
 * Signals   not async-signal-safe
 * Killed    a part whose mortal_task_emit() returned 0 is kept, whatever ended the task; one that was being emitted is there
 *           whole or not at all
 * Notes     a group, and its descriptor, tell of parts only where asked: mortal_group_stream()
 * Since     0.1
 * Test      tests/api/parts_arrive_while_their_task_runs.c
 */
MORTAL_API int mortal_future_next(mortal_future future, uint64_t timeout_ns, mortal_part *part);

/**
 * mortal_future_look - where the task is now
 *
 * Shape     look   out
 * Returns   0; -ESTALE; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    a dying task still counts as running
 * Since     0.1
 * Test      tests/api/look_tells_the_phase.c
 */
MORTAL_API int mortal_future_look(mortal_future future, mortal_look *look);

/**
 * mortal_future_cancel - take back a task that has not started
 *
 * Shape     its verdict is then MORTAL_CANCELLED
 * Returns   0; -EBUSY it is running: see mortal_future_kill(); -EALREADY it has ended; -ESTALE; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/cancel_takes_back_only_what_has_not_started.c
 */
MORTAL_API int mortal_future_cancel(mortal_future future);

/**
 * mortal_future_kill - end one task: ask, wait, kill
 *
 * Shape     grace_ns    as in mortal_pool_kill()
 *           timeout_ns  likewise
 *           verdict     out, may be null; it tells what happened: MORTAL_CANCELLED never started, MORTAL_DONE or
 *                       MORTAL_FAILED finished first (the result is kept), MORTAL_KILLED cut
 * Returns   0, or -EINPROGRESS still dying after timeout_ns, or ended, and processes that it had started are not all gone;
 *           -EINTR as in mortal_pool_kill(); -ESTALE; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    at most grace_ns + timeout_ns and a little
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    a kill by a stale future hits nothing; a kill never hits the task that ran next
 * Since     0.1
 * Test      tests/kill/a_kill_ends_a_task_that_never_returns.c
 */
MORTAL_API int mortal_future_kill(mortal_future future, uint64_t grace_ns, uint64_t timeout_ns, mortal_verdict *verdict);

/**
 * mortal_future_release - the last word: the future and the view of its result end
 *
 * Shape     in any phase: a task that has not ended runs on, its result is dropped, its tag is never delivered again
 * Returns   0; -ESTALE released before; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any; not while another thread still reads the view
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/release_ends_a_future_in_any_phase.c
 */
MORTAL_API int mortal_future_release(mortal_future future);

/**
 * mortal_future_take - wait for the verdict, copy the result and release the future, all in one
 *
 * Shape     verdict       out, may be null. On success its result is where the result argument says, null if the task
 *                         gave none or none is wanted; nothing in it has to be released
 *           result        out, result_bytes bytes of the caller's, any alignment: the result is copied there, as many
 *                         bytes as verdict->result_bytes tells; what is behind them stays as it was. Null, with no
 *                         bytes: it is not wanted
 * Returns   0: the future has ended, as after mortal_future_release(); or
 *           -EMSGSIZE   the result is larger than result_bytes. Nothing is copied or released, and the verdict is told
 *                       as by mortal_future_wait(): its result_bytes say how much room to call again with, and its
 *                       result can be read in place until mortal_future_release()
 *           -EINVAL     a null result with bytes
 *           -ETIMEDOUT, -EHOSTDOWN, -EINTR, -ESTALE, -EINVAL, -ESHUTDOWN, -EPERM as mortal_future_wait(): nothing is
 *                       released. With -ESTALE and -ESHUTDOWN the bytes at result may have been written
 * Blocks    at most timeout_ns, and for a copy. Others may submit and wait during one of more than 64 KiB
 * Threads   any; of several that take the same future one gets it, the others -ESTALE; not while another thread still
 *           reads the view of its result
 * Signals   not async-signal-safe
 * Killed    the verdict says so, and the future is released all the same
 * Notes     parts that mortal_future_next() has not taken are dropped: take those first. A group that the verdict has
 *           not been taken from yet does not tell it any more. Costs less than the three calls
 * Since     0.1
 * Test      tests/api/take_waits_copies_and_releases.c
 */
MORTAL_API int mortal_future_take(mortal_future future, uint64_t timeout_ns, mortal_verdict *verdict, void *result,
                                  size_t result_bytes);

/**
 * mortal_cell_open - shared state of fixed size that tasks and this program change as a whole
 *
 * Shape     out      close it with mortal_cell_close(), or with its pool. Tasks that run already may use it too
 *           bytes    of its value, over 0
 *           initial  bytes bytes, copied; null: all zero
 * Returns   0, or
 *           -EINVAL    null out, no bytes; null or ended handle
 *           -ENOBUFS   256 cells of this pool are open, or cells_bytes are in use; mortal_why() tells which. Also if
 *                      the address space was too small (ulimit -v) for cells that nobody asked for by cells_bytes
 *           -ENOMEM    the kernel has no memory for it
 *           -ESHUTDOWN, -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    its value is the last one that an update completed: the old or the new one, never a mixture
 * Since     0.1
 * Test      tests/kill/a_cell_is_whole_whoever_is_killed.c
 */
MORTAL_API int mortal_cell_open(mortal_pool *pool, size_t bytes, const void *initial, mortal_cell *out);

/**
 * mortal_cell_read - a copy of the value as it was at one instant
 *
 * Shape     bytes    those of the cell
 * Returns   0, or
 *           -EINVAL   null out, another number of bytes, no cell
 *           -ESTALE   the cell or its pool was closed
 *           -EAGAIN   for a second others changed it faster than it could be copied
 *           -EBADMSG  a task gone wild has overwritten the cell: close it and open another
 *           -ENOMEM; -ESHUTDOWN; -EPERM also on a thread that a task started
 * Blocks    never longer than a second, and then only for want of a quiet instant
 * Threads   any, also in a task: on its worker thread
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/kill/a_cell_is_whole_whoever_is_killed.c
 */
MORTAL_API int mortal_cell_read(mortal_cell cell, void *out, size_t bytes);

/**
 * mortal_cell_update - change the value: all of it in one instant, or nothing
 *
 * Shape     change    called with a private copy of the value and the argument; what it leaves there becomes the value
 *                     if nobody else changed it meanwhile. Else it is called again, with a new copy: it must have no
 *                     other effect. It may read other cells, and call no other function of this library
 * Returns   0; -ECANCELED change returned something else than 0; -EINVAL null change; the rest as mortal_cell_read(),
 *           where -EAGAIN is also: others were always faster. On failure the value is as if it had not been called
 * Blocks    as mortal_cell_read(), beside what change does
 * Threads   any, also in a task: on its worker thread. Nobody ever waits for somebody else
 * Signals   not async-signal-safe
 * Killed    the update happened whole or not at all; which of the two, only the value tells
 * Since     0.1
 * Test      tests/kill/a_cell_is_whole_whoever_is_killed.c
 */
MORTAL_API int mortal_cell_update(mortal_cell cell, mortal_change *change, void *argument);

/**
 * mortal_cell_close - end a cell; for tasks that still use it it is -ESTALE from now on
 *
 * Returns   0; -ESTALE; -EINVAL; -ESHUTDOWN; -EPERM
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/bad/cells_that_are_closed_or_made_up.c
 */
MORTAL_API int mortal_cell_close(mortal_cell cell);

/**
 * mortal_task_self - the task that this thread runs, for callbacks deep inside libraries
 *
 * Returns   the task, or null outside of one. Threads that a task started are outside
 * Blocks    never
 * Threads   in a host
 * Signals   async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/a_task_knows_itself.c
 */
MORTAL_API mortal_task *mortal_task_self(void);

/**
 * mortal_task_reply - copy count bytes into the result, in place of what was there
 *
 * Returns   0; -EINVAL null task or null bytes with a count; -ENOMEM the host's results_bytes are in use, or count is over
 *           mortal_stats.result_bytes_max
 * Blocks    never
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    the result appears only when the function has returned; a killed task has none
 * Notes     in an item of a map it goes nowhere: an item writes to its place in the array of results, or of the entry
 * Since     0.1
 * Test      tests/api/results_of_every_size_arrive_whole.c
 */
MORTAL_API int mortal_task_reply(mortal_task *task, const void *bytes, size_t count);

/**
 * mortal_task_result - the result as memory to write into; call again to grow or shrink it, like realloc
 *
 * Shape     bytes   0: no result. The memory is not cleared beyond what was there before. Where other results or parts lie
 *                   in the host, growing may need room for the old and the new place at once, in powers of two
 * Returns   the memory, aligned to 16; null: no room, or the system has no memory for it (the old result stays), or bytes
 *           is 0. With MORTAL_RESULTS_LAZY the memory is taken when it is touched, and where there is none then the task
 *           ends out of memory
 * Blocks    never
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    as mortal_task_reply()
 * Since     0.1
 * Test      tests/api/results_of_every_size_arrive_whole.c
 */
MORTAL_API void *mortal_task_result(mortal_task *task, size_t bytes);

/**
 * mortal_task_buffer - where a buffer is in this task's process
 *
 * Shape     address  out: the same as in the program (with MORTAL_START_EXEC only if it is free there), aligned to a page;
 *                    with MORTAL_BUFFER_GIVEN only readable, a file as mortal_buffer_wrap_fd() says. May be null
 *           bytes    out: as asked for when it was opened. May be null
 * Returns   0; -EINVAL null task, or not a buffer of this pool; -ESTALE it was closed, and is not among this task's. Of a
 *           file, when it is mapped here first, also
 *           -EMFILE  no descriptor is left to get it by, here or in the supervisor: mortal_why() tells which
 *           -ENOMEM; -EPERM called in a process that the task forked
 *           -EIO     it could not be had: the task has left the network namespace of its pool, or shut itself in
 * Blocks    never; of a file, the first time in each host: until the supervisor has answered, some 60 us
 * Threads   any thread of the host
 * Signals   async-signal-safe where it returns 0, but for the first use of a file in its host, which takes a lock
 * Killed    what was written stays as far as it came
 * Since     0.1
 * Test      tests/api/buffers_are_seen_by_every_host.c
 */
MORTAL_API int mortal_task_buffer(mortal_task *task, mortal_buffer buffer, void **address, size_t *bytes);

/**
 * mortal_task_emit - give a part of the answer now, to be kept whatever becomes of the task
 *
 * Shape     bytes, count   copied; count may be 0. The owner sees them aligned to 16
 *           timeout_ns     how long to wait for room; 0: not at all
 * Returns   0, or
 *           -EAGAIN     no room within timeout_ns: mortal_future_next() has not taken enough of what stream_bytes of the
 *                       pool bound; or there are parts of 6 earlier attempts of this task that nobody took
 *           -ECANCELED  likewise, and the task was asked to stop: mortal_task_should_stop()
 *           -EPIPE      nobody will ever take a part: the future was released, or it is an item of a map, open or not
 *           -EMSGSIZE   the part is larger than mortal_stats.stream_bytes less 16
 *           -ENOMEM     the host's results_bytes are in use
 *           -EINVAL     null task or null bytes with a count
 *           -EPERM      called in a clean-up, or on another thread than the task's own
 *           -EFBIG      16 TiB were emitted
 * Blocks    at most timeout_ns, for room; killed and timed out there as anywhere. Costs a copy and some stores; a system
 *           call only to wait, or where somebody sleeps for a part
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    at any instant: the part is there whole, or not at all. Parts come beside the result and do not change it
 * Since     0.1
 * Test      tests/kill/parts_of_a_task_that_was_cut_are_kept.c
 */
MORTAL_API int mortal_task_emit(mortal_task *task, const void *bytes, size_t count, uint64_t timeout_ns);

/**
 * mortal_task_slice - where a part of a buffer is in this task's process
 *
 * Shape     slice    what the program put into the input: bytes may be 0
 *           address  out: where it begins; bytes are there, within the buffer. May be null
 *           Arguments: a slice to read. Results: a slice to write, in place; it is not published as a whole, so read it when
 *           the verdict is done, and take what a task that was cut left there for half done
 * Returns   0; -ERANGE it does not lie in its buffer; else as mortal_task_buffer()
 * Blocks    as mortal_task_buffer()
 * Threads   any thread of the host
 * Signals   async-signal-safe where it returns 0, but for the first use of a file in its host, which takes a lock
 * Killed    what was written stays as far as it came
 * Since     0.1
 * Test      tests/api/slices_are_arguments_and_results.c
 */
MORTAL_API int mortal_task_slice(mortal_task *task, mortal_slice slice, void **address);

/**
 * mortal_task_should_stop - true when this task was asked to end
 *
 * Shape     a task is asked by the grace of a kill, and when its soft_deadline_ns is over. It may be asked by both, and
 *           stays asked. Two more ways tell the same: soft_signal, and mortal_task_stop_fd()
 * Returns   true: return soon, with whatever is worth keeping
 * Blocks    never; costs some loads, call it in loops
 * Threads   any thread of the host
 * Signals   async-signal-safe
 * Killed    when the grace, or deadline_ns, is over the task is killed without further notice
 * Notes     soft_signal comes once for each of the two, with whatever handler the task program installed; where it left the
 *           default, one that does nothing. One that the task has blocked or ignored, or that the program had blocked at
 *           open, interrupts nothing; nor does one that comes just before the call: poll mortal_task_stop_fd() too
 * Since     0.1
 * Test      tests/kill/a_soft_deadline_asks_a_task_to_stop.c
 */
MORTAL_API bool mortal_task_should_stop(const mortal_task *task);

/**
 * mortal_task_stop_fd - a descriptor that turns readable when mortal_task_should_stop() turns true
 *
 * Shape     fd   out. It belongs to the library: poll it, do not read, write or close it. Made with the first call on each
 *                worker; it is for this task only, and later ones get it afresh
 * Returns   0; -EINVAL null task or fd, or called on another thread than the task's; -EMFILE, -ENFILE, -ENOMEM: no
 *           descriptor could be made; -EAGAIN the task ended or stopped its host's main thread
 * Blocks    never
 * Threads   the worker thread of the task; any may poll it
 * Signals   not async-signal-safe
 * Killed    it is closed with the host
 * Notes     a task that closed it may call again and gets another
 * Since     0.1
 * Test      tests/kill/a_descriptor_tells_a_task_to_stop.c
 */
MORTAL_API int mortal_task_stop_fd(mortal_task *task, int *fd);

/**
 * mortal_task_shield - begin or end a critical section, which kills and deadlines hold off for a bounded time
 *
 * Shape     on    true begins one, false ends it. They nest: the outermost counts. Returning from the task's function ends
 *                 it too: the task has finished first, and its result is kept
 * Returns   0, or
 *           -ECANCELED  on: the task was asked to stop, so it is not shielded: do not begin. Inside of a section that had
 *                       begun, 0: go on to its end
 *           -EINVAL     null task; called on another thread than the task's; off without a section
 * Blocks    on: never. off: for ever, if a kill or a deadline waits for it: the task is ended there, killed or timed out
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    who kills sets the bound by grace_ns: without one no section holds, and when it is over neither. A deadline_ns
 *           or within_ns waits for the task's own shield_ns at most. It holds off what is aimed at this task: with
 *           workers_per_host over 1, the kill or crash of another in its host does not wait. Nor does any other death
 * Since     0.1
 * Test      tests/kill/a_kill_with_grace_waits_for_a_critical_section.c
 */
MORTAL_API int mortal_task_shield(mortal_task *task, bool on);

/**
 * mortal_task_attempt - which attempt this is, from 1
 *
 * Returns   over 1 only for tasks with attempts over 1; 0 for a null task
 * Blocks    never
 * Threads   any thread of the host
 * Signals   async-signal-safe
 * Killed    an attempt that was collateral is not counted
 * Since     0.1
 * Test      tests/recover/a_restartable_task_runs_again_until_its_attempts_are_spent.c
 */
MORTAL_API unsigned mortal_task_attempt(const mortal_task *task);

/**
 * mortal_task_progress - tell how far this task is: for mortal_future_look(), and for its obituary
 *
 * Shape     done, total   in whatever unit; total 0: not known
 * Returns   nothing; a null task is ignored
 * Blocks    never; costs some stores and no system call
 * Threads   any thread of the host, one at a time
 * Signals   async-signal-safe, unless it interrupts itself
 * Killed    what was told last is kept
 * Since     0.1
 * Test      tests/api/progress_is_seen_while_a_task_runs.c
 */
MORTAL_API void mortal_task_progress(mortal_task *task, uint64_t done, uint64_t total);

/**
 * mortal_task_log - leave a line for the obituary, should this task's host die
 *
 * Shape     format   as in printf; 160 bytes of a line are kept, and the last 8 lines
 * Returns   nothing; a null task, or format, is ignored
 * Blocks    never; costs what snprintf does, a look at the clock, and no system call
 * Threads   any thread of the host
 * Signals   not async-signal-safe
 * Killed    a line that was being written is left out, the ones before it are kept
 * Since     0.1
 * Test      tests/recover/the_last_lines_of_a_task_are_kept.c
 */
MORTAL_API void mortal_task_log(mortal_task *task, const char *format, ...) MORTAL_PRINTF(2, 3);

/**
 * mortal_task_on_death - leave something to be done, in a fresh host, should this task be cut
 *
 * Shape     cleanup      called with a copy of the input; its task is this one, of which it may ask
 *                        mortal_task_attempt(). Code that existed when the pool was opened. Null, with no input: takes
 *                        the last one back
 *           input_bytes  at most 496; the clean-up sees them aligned to 16. A task leaves at most 8 at a time
 *           Clean-ups run if the task is killed, timed out, crashed or collateral, the last one first, one after the
 *           other, before its verdict is told and before its next attempt starts; not if the function returned by
 *           itself. Each has cleanup_ns; one that hangs is killed, one that crashes is told (mortal_verdict.cleanup),
 *           the others run all the same, and none is run twice. Its 0 is done, any other status failed
 * Returns   0, or
 *           -EINVAL    null task, null input with bytes, input without a function
 *           -EMSGSIZE  the input is too large
 *           -ENOBUFS   8 are left already
 *           -ENOENT    there is none to take back
 *           -EPERM     called in a clean-up, or on another thread than the task's own
 * Blocks    never
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    at any instant: it counts, or it does not. So leave it before the act, and let it bear that nothing was
 *           done. If the supervisor is killed it is lost with all else
 * Since     0.1
 * Test      tests/kill/what_a_task_left_to_be_done_is_done_before_its_verdict.c
 */
MORTAL_API int mortal_task_on_death(mortal_task *task, mortal_function *cleanup, const void *input, size_t input_bytes);

/**
 * mortal_task_file_open - begin a file that shall appear whole or not at all
 *
 * Shape     path     where mortal_task_file_publish() will put it; at most 463 bytes with all folders
 *           mode     permissions of the new file as for open(2), 0666 for instance; those of an old one do not matter
 *           fd       out: open for reading and writing, close-on-exec. Nobody else sees the file yet
 *           What is not published when the function returns is dropped, and so is what the task closes
 * Returns   0, or
 *           -EINVAL        null task, path or fd, or an empty path
 *           -ENAMETOOLONG  the path
 *           -ENOBUFS       the file system has no files without a name, so a clean-up is needed, and 8 are left already
 *           -EPERM         called in a clean-up, or on another thread than the task's own
 *           and whatever open(2) of a new file in that folder may say; mortal_why() tells
 * Blocks    as open(2)
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    nothing of it is left, in any instant; if it has a name meanwhile, it is removed as by
 *           mortal_task_on_death()
 * Since     0.1
 * Test      tests/kill/a_file_is_published_whole_or_not_at_all.c
 */
MORTAL_API int mortal_task_file_open(mortal_task *task, const char *path, unsigned mode, int *fd);

/**
 * mortal_task_file_publish - put a file in its place in one instant, instead of what is there
 *
 * Shape     fd   of mortal_task_file_open(), in the same task. It is closed if the file is in place. What was written by
 *                stdio must be flushed before. If the path is a symbolic link, the link itself is replaced
 * Returns   0, or
 *           -EBADF    no such file was opened in this task, or it was closed
 *           -ENOBUFS  8 clean-ups are left already, and it needs one for an instant
 *           -EINVAL null task; -EPERM as above
 *           and what fsync(2), link(2) and rename(2) may say: then it is not in place and may be published again, unless
 *           mortal_why() tells that only the folder could not be synchronized
 * Blocks    until the file, and then its folder, are on the disk
 * Threads   the worker thread of the task
 * Signals   not async-signal-safe
 * Killed    the old file is there or the new one, whole; never both names, never a part
 * Since     0.1
 * Test      tests/kill/a_file_is_published_whole_or_not_at_all.c
 */
MORTAL_API int mortal_task_file_publish(mortal_task *task, int fd);

/**
 * mortal_why - this thread's last failure in words: what failed, on what, why, what to do
 *
 * Returns   a line without line feed, good until this thread's next call; "" if nothing failed yet
 * Blocks    never
 * Threads   any; each thread has its own
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/errors_say_what_why_and_what_to_do.c
 */
MORTAL_API const char *mortal_why(void);

/**
 * mortal_outcome_name - "done", "timed out", ...
 *
 * Returns   a constant; "unknown" for other numbers
 * Blocks    never
 * Threads   any
 * Signals   async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/verdicts_read_as_text.c
 */
MORTAL_API const char *mortal_outcome_name(int outcome);

/**
 * mortal_verdict_text - a verdict as a line: "crashed: SIGSEGV at 0x10, attempt 1"
 *
 * Shape     text   out, text_bytes bytes, always ended by a zero byte if text_bytes is not 0; may be null if it is
 * Returns   the length of the whole line, as snprintf does
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/verdicts_read_as_text.c
 */
MORTAL_API size_t mortal_verdict_text(const mortal_verdict *verdict, char *text, size_t text_bytes);

/**
 * mortal_obituary_text - an obituary for people, in several lines
 *
 * Shape     text   out, text_bytes bytes, always ended by a zero byte if text_bytes is not 0; may be null if it is.
 *                  Control characters, and bytes that are no UTF-8, are written as \x1b
 * Returns   the length of the whole text, as snprintf does
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/unit/obituaries_read_as_text_and_json.c
 */
MORTAL_API size_t mortal_obituary_text(const mortal_obituary *obituary, char *text, size_t text_bytes);

/**
 * mortal_obituary_json - an obituary for programs: one JSON object, in one line
 *
 * Shape     as mortal_obituary_text(). Addresses are strings ("0x10"); bytes that are no UTF-8 become U+FFFD
 * Returns   as mortal_obituary_text()
 * Blocks    never
 * Threads   any
 * Signals   not async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/unit/obituaries_read_as_text_and_json.c
 */
MORTAL_API size_t mortal_obituary_json(const mortal_obituary *obituary, char *text, size_t text_bytes);

/**
 * mortal_now_ns - the clock that every time of this library is read from (CLOCK_MONOTONIC)
 *
 * Returns   nanoseconds
 * Blocks    never
 * Threads   any
 * Signals   async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/verdicts_read_as_text.c
 */
MORTAL_API uint64_t mortal_now_ns(void);

/**
 * mortal_version - the version of the library that runs, as major * 10000 + minor * 100 + patch
 *
 * Returns   compare with MORTAL_VERSION_MAJOR and its kin, which are those of the header
 * Blocks    never
 * Threads   any
 * Signals   async-signal-safe
 * Killed    no difference
 * Since     0.1
 * Test      tests/api/verdicts_read_as_text.c
 */
MORTAL_API uint32_t mortal_version(void);

#ifdef __cplusplus
}
#endif
#endif
