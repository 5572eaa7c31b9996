/*
 * heritage.h - all that crosses from the owner into the supervisor, and from there into the hosts
 *
 * Both are forked, so they could reach every byte of the owner as it was; this is what they use. The entry points are
 * handed over here too, so that owner, supervisor and host know of each other only through this struct.
 */
#ifndef REGION_HERITAGE_H
#define REGION_HERITAGE_H

#include <sys/types.h>

#include <mortal.h>

#include "region/layout.h"
#include "region/modules.h"

struct host_place {
    uint32_t berth, life;
    uint32_t birth; /* counts all hosts of the pool: what an arena says counts only if it was said since this birth */
    int32_t first;  /* of its namespace: the process that ends last there; 0: it has none of its own */
};

/* Of a pool; 0 is no cap, and no such reason to replace a host. See also struct cap, of one task. */
struct pool_caps {
    uint64_t memory_bytes, file_bytes, recycle_ns, recycle_bytes;
    uint32_t processes, files, recycle_tasks; /* NO_PROCESSES: not one */
    uint32_t cpus;       /* so many times as fast as the clock can processor time of one process pass */
};
#define NO_PROCESSES UINT32_MAX

struct heritage {
    struct region region;
    pid_t owner_pid;
    int   owner_pidfd; /* turns readable when the owner is dead */
    int   link_fd;     /* the supervisor's end of a socket: the owner's death or exec closes the other; carries descriptors */
    int   bell_fd;     /* eventfd that the owner rings after it left a request */
    pid_t supervisor_pid;
    mortal_prepare *preload, *init;
    const void *context;
    size_t context_bytes;
    const int *keep_fds; /* sorted */
    size_t keep_fd_count;
    uint64_t start_ns;
    uint32_t deaths;           /* hosts that may end unasked within the period: one more opens the circuit breaker */
    uint64_t deaths_period_ns; /* 0: there is no circuit breaker */
    uint32_t harden; /* bits of mortal_harden */
    char name[16];
    uint64_t signal_mask; /* of the opener: what tasks have blocked */
    uint64_t slice_ns;    /* likewise: how long the scheduler lets it run; 0: unknown */

    void (*supervisor_run)(struct heritage *) __attribute__((noreturn));
    void (*host_run)(struct heritage *, struct host_place) __attribute__((noreturn));
    int (*template_run)(struct heritage *, int link_fd); /* the process that ran preload; see host/template.h */

    /* Only where supervisor and hosts are a fresh image of the program (boarding.h): functions are references into this
     * table. Null: they were forked, and an address is an address. */
    const struct module_table *modules;
    int modules_fd; /* -1: there is none */
    uint64_t preload_ref, init_ref;
    mortal_prepare *module_preload, *module_init; /* call what these name; entries.c */
    struct pool_caps caps;
    uint32_t backtrace; /* bits of mortal_backtrace */
    uint64_t cleanup_ns; /* how long one clean-up of a task may take; UINT64_MAX: no limit */
    uint32_t plugged_streams; /* bits of standard streams that are closed in the owner; hosts close them, too */
    mortal_function *map_run; /* a task that runs items of a map; see host/map.h */
    int32_t containment; /* enum mortal_containment: the one asked for; from the supervisor on the one in force */
    bool drops_rights;   /* the supervisor made a user namespace, and hosts give up the rights that come with it */
    char cgroup[512];    /* directory in which each host has a control group; supervisor and below */
};

/* Filled in by entries.c, which alone sees all rooms. */
void heritage_entries(struct heritage *heritage);

/* The signal by which a worker tells the supervisor that a group's descriptor wants ringing, or that it parked: a host
 * must hold no descriptor that a task could close and open anew as something else. */
#define SIGNAL_NOTICE SIGURG

/* By which the supervisor asks a worker's thread where it is, before it kills its host. */
#define SIGNAL_TRACE (SIGRTMAX - 2)

/* Exit codes by which a host of ours tells how its start went wrong; a task's own exit is told by its last words. */
enum host_exit { HOST_EXIT_ORPHANED = 125, HOST_EXIT_BROKEN = 124 };

/* The template's first message to the supervisor. */
struct template_ready {
    int32_t detail, value; /* enum start_detail */
};

/* Over the link from owner to supervisor, with the group's event descriptor, or without one when the group is closed. */
struct group_fd_message {
    uint32_t group, bell;
};

#define KEEP_FDS_MOST 256

enum start_stage { STAGE_NONE = 0, STAGE_SUPERVISOR, STAGE_PRELOAD, STAGE_INIT, STAGE_FORK, STAGE_CONTAINMENT };
enum start_detail { DETAIL_NONE = 0, DETAIL_STATUS, DETAIL_CRASHED, DETAIL_TIMED_OUT, DETAIL_THREADS, DETAIL_SYSTEM,
                    DETAIL_CAP, /* an empty host needs more memory than it may have */
                    DETAIL_UNKNOWN_SIZE,
                    DETAIL_NO_BIRTH,       /* a rung of containment was asked for and cannot be had: birth.h */
                    DETAIL_NO_CGROUP, DETAIL_NO_KILL, DETAIL_CGROUP, /* cgroup.h */
                    DETAIL_NAMESPACE, DETAIL_USER_NAMESPACE, DETAIL_USER_MAP }; /* namespace.h */

#endif
