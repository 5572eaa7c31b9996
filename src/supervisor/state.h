/*
 * state.h - what the supervisor knows, in memory that nobody else can write
 *
 * It believes this and the kernel. Words that hosts can write it reads to learn where to look, never whom to kill:
 * PostgreSQL's postmaster keeps its list of children to itself for the same reason.
 *
 *            spawn            ready             activate           kill, or its own end        certainly dead
 *   EMPTY ----------> STARTING -----> STANDBY ----------> ACTIVE ----------------------> DYING ---------------> EMPTY
 *                        |             |   ^                |                              ^
 *                        |             v   | it is over     +-- recycled --> LEAVING ------+
 *                        |            CLEANING                                             |
 *                        +---------------+-------------------------------------------------+
 *
 * LEAVING: another host has its position, its workers claim nothing more, and what they run goes on to its end.
 */
#ifndef SUPERVISOR_STATE_H
#define SUPERVISOR_STATE_H

#include <signal.h>
#include <sys/resource.h>

#include <sys/resource.h>

#include "region/heritage.h"
#include "region/recover.h"
#include "system/usage.h"

enum host_state { HOST_EMPTY = 0, HOST_STARTING, HOST_STANDBY, HOST_ACTIVE, HOST_DYING, HOST_LEAVING, HOST_CLEANING };

#define NO_POSITION UINT32_MAX

/* What one worker of a host was last seen doing; for deadlines. */
struct watch {
    uint64_t word, seen_ns; /* the task that it was first seen running then, with seen_slot */
    uint64_t orphaned;      /* at the last audit it ran a task whose claim is not its own any more; 0: it did not */
    uint32_t orphaned_intent; /* likewise: what its desk named then */
    pid_t thread;           /* its id, from before it ran any task; 0: not known */
    uint64_t trace;         /* what its desk said, at the last audit */
    uint64_t silent_cpu_ns; /* processor time of its thread when it fell silent */
    bool was_silent;        /* at the last audit it neither served nor answered */
    bool was_cut;           /* its life line, at the last audit */
    enum sentence sentence; /* not NONE: the supervisor took its task from it */
    uint32_t seen_slot;     /* first uses of different slots have equal words */
    uint64_t capped_word;   /* of the task whose processor time is counted, */
    uint32_t capped_slot;   /* and which slot has it; */
    uint64_t cpu_base_ns;   /* from here on */
    uint64_t cpu_look_at;   /* not before */
    pid_t outer_thread;     /* in a namespace: its id as this process sees it; 0: not yet looked for */
};

struct host_record { /* by berth */
    enum host_state state;
    pid_t pid;
    uint32_t life, birth;
    uint32_t position; /* which of the pool's hosts it is while active */
    bool asked;        /* the supervisor sent the SIGKILL */
    bool is_excused;   /* the breaker does not count its end: a kill or a limit asked for it, or its start failed */
    bool replaced;     /* dying for so long that its position was given to another */
    bool main_was_cut; /* its main thread's life line, at the last audit */
    bool became_other; /* a task called exec in it */
    uint32_t hardened;    /* bits of mortal_harden that hold in it */
    uint32_t lost_worker; /* whose thread ended while the process lives; NO_WORKER: nobody's */
    uint64_t since_ns; /* of this state */
    struct watch *watches; /* by worker */
    uint64_t memory_look_at, processes_look_at; /* not before */
    uint64_t memory_cap;    /* that held at the last look */
    uint64_t shared_known;  /* resident memory of others, or of files, that it maps */
    int32_t over;           /* killed for a cap, and nobody in it could be named: enum mortal_cause; 0: it was not */
    bool is_spent;          /* there is reason to replace it by a fresh one */
    uint32_t width;         /* leaving: how many of its workers could claim before */
    uint64_t born_ns;
    int32_t asked_for;     /* enum mortal_asked: why the supervisor ends it; 0: it does not */
    uint64_t asked_ns;     /* when that was asked for, or due */
    uint32_t blamed_worker, blamed_slot; /* for whose task's sake; NO_WORKER: nobody's */
    uint64_t trace_until_ns; /* not killed yet: asked where it is, and waited for until then; 0: it is not */
    bool was_asked_where;  /* it was */
    bool has_spoken;       /* at the last audit it had said that it crashes, and lived */
    pid_t sitter;          /* keeps its address space alive: system/sitter.h; 0: none is known */
    uint64_t wanted_ns;    /* when the first kill that doomed it was asked for, or a deadline was due; 0: none did */
    enum latency_of wanted_for;
    pid_t first;           /* of its namespace, and ends last there; 0: it has none */
    bool is_felled;        /* what its tasks started was killed at one stroke */
    bool has_files;         /* it was given a descriptor of one, and is called when any is closed */
};

/* Its workers may be running tasks. */
static inline bool host_works(const struct host_record *record) {
    return record->state == HOST_ACTIVE || record->state == HOST_LEAVING;
}

/* The sitter of a host that is dead, not yet reaped. */
struct sitter {
    pid_t pid;
    uint32_t life; /* whose arena is not given to another host before */
    uint64_t due_ns; /* when it is to be killed; NEVER: it was */
};
/* The first process of a namespace, not yet reaped. */
struct first_process {
    pid_t pid;
    void *stack;
    uint64_t due_ns; /* nobody else is left there, and it is to be killed then; NEVER: it was. 0: others may be */
};
/* The control group of a host that is dead, to be removed when nothing is left of it. */
struct dead_leaf {
    uint32_t birth;
    bool is_felled;
};
#define DEAD_LEAVES_MOST 256
#define SITTERS_MOST 256
#define ORPHANS_MOST 4096

/* What is known of the list of children as far as it was read. */
enum children {
    CHILDREN_NEWS = 0, /* one was reaped since: it has to be read again from its beginning */
    CHILDREN_FOREIGN,  /* there was one that is none of ours */
    CHILDREN_OURS
};

struct returned {
    uint64_t ticket, entry;
};

/* A task that was cut and left something to be done: its word stays as it was until that is over. */
struct unclean {
    uint32_t slot, life, worker;
    uint64_t word; /* RUNNING, as it was claimed */
    struct death death;
    enum sentence sentence;
    uint32_t left;       /* clean-ups to go, the last one first */
    uint32_t berth;      /* of the host that runs one; NO_POSITION: none does */
    uint32_t errand;     /* its number */
    uint64_t since_ns;   /* it runs, or the next one waits */
    bool is_late;        /* its host is killed for it */
    int32_t worst;       /* enum mortal_cleanup, so far */
};

struct supervisor {
    struct heritage *heritage;
    struct region *region;
    struct host_record *hosts; /* by berth */
    uint32_t *positions;       /* berth of the host there, or NO_POSITION */
    uint16_t *life_berth;      /* by life: berth + 1 of its host, 0: not alive */

    pid_t template_pid; /* 0: none */
    int template_link;
    uint64_t template_since_ns; /* start_ns later preload must be over */

    uint32_t *free_lives, free_life_count; /* a stack */
    uint32_t fresh_life;                   /* from here on none was ever used */
    uint32_t *dead_lives, dead_life_count; /* unreleased results may lie in their arenas */
    uint32_t dead_lives_pinned;            /* how many of them were pinned when last looked */
    uint8_t *life_marks;

    struct returned *returned;
    uint32_t returned_count;

    int epoll_fd, signal_fd;
    int *group_fds;         /* by group: its eventfd, or -1 */
    uint32_t *group_seen;   /* value of its bell that was passed on */

    uint64_t now_kills_seen, now_running_seen;
    uint64_t requests_seen;
    uint64_t audit_at, expiry_scan_after;
    uint64_t head_seen; /* the queue's cursor at the last audit */
    uint64_t failed_at_ns;               /* when a start failed last; 0: the last one succeeded */
    uint64_t deaths_period_ns;           /* of the circuit breaker; 0: there is none */
    uint64_t *death_times, deaths_counted; /* of the last unasked deaths, a ring; how many since the breaker was closed */
    uint32_t deaths_borne;               /* so many unasked deaths within the period; one more opens the breaker */
    uint32_t breaker_openings, births;
    uint64_t spawn_after, spawn_wait_ns; /* no start before; and how long to wait after the next failure */
    bool ready, quitting, template_ready, groups_with_fds, breaker_is_open;
    bool noticed; /* a host asked to be looked at */
    bool was_idle;          /* caps: nothing ran nor waited at the last look */
    bool wants_heir;        /* a host is to be recycled and there is no standby to follow it */
    uint32_t *leaving;      /* by position: berth + 1 of the host that left it to another and still runs; 0: nobody */
    uint32_t leaving_count;
    struct usage_range *others; /* shared memory that hosts inherit, ours too: not their own */
    int other_count;
    int64_t oom_kills;      /* by the kernel, at the last look; -1: nothing tells */
    struct rusage dead_usage; /* of the host whose death is being certified */
    uint32_t traces;       /* hosts that are waited for before they are killed, at most */
    uint64_t obituaries, obituaries_made; /* how many there were; for how many there was memory made */
    uint32_t backtrace;    /* bits of mortal_backtrace */

    struct unclean *uncleans; /* in the order of their deaths */
    uint32_t unclean_count, unclean_room, errands_given;
    uint32_t dead_leaf_count; /* of dead_leaves below */
    uint64_t cleaned_at_ns; /* a clean-up was begun or over */
    bool has_cleaned;       /* maybe there are more standbys than there should be */
    struct sitter sitters[SITTERS_MOST]; /* of dead hosts */
    uint32_t sitter_count;
    pid_t orphans[ORPHANS_MOST]; /* of dead hosts: killed, and children of this process when last looked */
    uint32_t orphan_count, orphan_looks; /* since there were none */
    enum mortal_containment rung; /* of containment: the one in force */
    uint64_t replenish_after; /* no new standby before */
    uint64_t dead_bytes;        /* of results and parts, in the arenas of dead_lives */
    uint64_t dead_bytes_pinned; /* how many of them were pinned when last looked */
    struct first_process *firsts; /* all there are */
    uint32_t first_count, first_room;
    int notice_fd; /* first processes pass on the signal of their hosts by it; -1: there are none */
    int cgroup_fd; /* locks the pool's control group; -1: there is none */
    uint64_t tidy_ns; /* when dead leaves are to be removed; NEVER: not yet */
    struct dead_leaf dead_leaves[DEAD_LEAVES_MOST];
    uint64_t lane_heads_seen[LANES]; /* the cursors at the last audit */
    struct file_held *files; /* by buffer; null until the first one */
    uint32_t files_used;     /* numbers below may have one */
    uint32_t files_closed_seen;
    int files_fd;            /* where hosts ask; only with files */
    int children_fd;         /* the kernel's list of this process's children; 0 or less: there is none */
    enum children children;
    uint32_t dying;          /* hosts that were doomed and are not yet certainly dead */
    uint32_t starting;       /* hosts that were not ready when last counted */
    bool may_have_died;      /* a child, since it was last looked which */
    int files_spare;         /* kept for what comes with a question; only with files. -1: none could be had */
};

/* An arena is given out again as it was left. What stands in it is this host's own only from its birth on.
 * ORD(birth:seen) pairs ORD(birth:told). */
static inline bool arena_is_its_own(const struct supervisor *s, const struct host_record *record) {
    return atomic_load_explicit(&host_head(s->region, record->life)->birth, memory_order_acquire) == record->birth;
}

/* spawn.c */
void spawn_forget_template(struct supervisor *s);      /* it ended */
void spawn_check_ready(struct supervisor *s);          /* hosts that say they are ready become standby */
uint32_t spawn_take_over(struct supervisor *s);        /* standby hosts into vacant places; how many stay vacant */
void spawn_fill(struct supervisor *s);                 /* active hosts and standby as many as there should be */
uint64_t spawn_next_ns(const struct supervisor *s);    /* when to look again at the latest */
void spawn_failed(struct supervisor *s, uint64_t began_ns, enum start_stage stage, enum start_detail detail, int value,
                  int error);                          /* ends an opening; later the next start waits, ever longer */
void spawn_forgive(struct supervisor *s);              /* the next start need not wait */

void spawn_widen(struct supervisor *s, uint32_t position); /* who left it claims less: its new host may claim more */
void spawn_hold(struct supervisor *s);                 /* no worker claims any more */
void spawn_resume(struct supervisor *s);               /* they do again */

/* breaker.c */
int  breaker_open_tables(struct supervisor *s);        /* 0, or there is no memory */
/* A death that nobody asked for. */
void breaker_count(struct supervisor *s, uint64_t at_ns, enum start_stage stage, int how, int value);
void breaker_tell(struct supervisor *s);               /* if it is open: who waits for what is pending shall hear it */
void breaker_heed(struct supervisor *s);               /* if it was mended: go on */

/* death.c */
void death_doom(struct supervisor *s, uint32_t berth);                                  /* SIGKILL on its way */
void death_reap(struct supervisor *s);                                                  /* all that ended so far */
void death_certified(struct supervisor *s, uint32_t berth, const siginfo_t *info);      /* it could be waited for: so it ended */
void death_settle(struct supervisor *s, const struct host_record *record, const struct death *death); /* its tasks' words */
/* Who waits for what it published or had ended. */
void death_tell(struct supervisor *s, uint32_t berth, uint32_t life, uint32_t birth);
void death_bury(struct supervisor *s, uint32_t berth, const struct death *death);       /* that host is certainly dead */
void death_rally(struct supervisor *s);                                                 /* after burials */
void death_ring(struct supervisor *s);                                                  /* the last part of that */
void death_announce(struct supervisor *s, uint32_t slot);                               /* its end is in its word */
void death_return(struct supervisor *s, uint32_t slot);                                 /* it is pending again */
void death_publish_returned(struct supervisor *s);

/* condemn.c */
void condemn(struct supervisor *s, uint32_t slot, uint32_t generation, enum sentence sentence); /* asked for just now */
void condemn_since(struct supervisor *s, uint32_t slot, uint32_t generation, enum sentence sentence, uint64_t since_ns);
void condemn_requests(struct supervisor *s);

/* ask.c */
void ask_softly(struct supervisor *s, uint32_t berth, uint32_t slot, uint64_t word); /* its soft deadline is over */
void ask_task(struct supervisor *s, uint32_t slot, uint32_t generation); /* the owner asked it; its host passes that on */
void ask_call_host(struct supervisor *s, uint32_t berth); /* its main thread is to look around */
bool ask_waits_for_section(struct supervisor *s, uint32_t berth, uint32_t worker, uint32_t slot, uint64_t word);
void ask_heed_yields(struct supervisor *s);            /* sections that are over, and kills that waited for it */
/* trace.c */
bool     trace_is_wanted(const struct supervisor *s, enum sentence sentence);
bool     trace_ask(struct supervisor *s, uint32_t berth);   /* true: its kill waits for where its thread is */
void     trace_hurry(struct supervisor *s, uint32_t berth); /* a kill has come that does not wait */
void     trace_forget(struct supervisor *s, struct host_record *record); /* it died */
void     trace_check(struct supervisor *s);                 /* kills who told, or had its time */
uint64_t trace_next_ns(const struct supervisor *s);

/* obituary.c */
void     obituary_prepare(struct supervisor *s);            /* memory for the next one */
uint64_t obituary_write(struct supervisor *s, uint32_t berth, const struct death *death); /* its number */
/* For whose sake the host is about to be killed; the first counts. */
void     obituary_blame(struct supervisor *s, uint32_t berth, enum sentence sentence, uint32_t worker, uint32_t slot,
                        uint64_t since_ns);

/* deadline.c */
uint64_t deadline_check(struct supervisor *s, uint64_t now); /* the next time at which one may be due */

/* cap.c */
int  cap_open_tables(struct supervisor *s);                 /* 0, or there is no memory */
bool cap_welcome(struct supervisor *s, uint32_t berth);     /* a host is ready: set its limits; false: it is over its cap */
uint64_t cap_check(struct supervisor *s, uint64_t now);     /* who is over a cap; when to look again */
bool cap_oom_struck(struct supervisor *s);                  /* the kernel killed for lack of memory since the last look */
void cap_look_at_oom(struct supervisor *s);

/* recycle.c */
uint64_t recycle_check(struct supervisor *s, uint64_t now); /* replace hosts in their time; when to look again */
void recycle_gone(struct supervisor *s, uint32_t berth);    /* a host that was leaving has ended, however */
uint32_t recycle_still_claimed(const struct supervisor *s, uint32_t position); /* workers of who left it, not yet at rest */

/* audit.c */
void audit(struct supervisor *s);
void audit_parked(struct supervisor *s); /* hosts with a worker that lost its claim though nobody took it */
bool audit_finds_work(struct supervisor *s);
bool audit_finds_pending(struct supervisor *s);

/* silence.c */
void silence_begin(struct supervisor *s, uint32_t berth); /* a host is ready */
void silence_check(struct supervisor *s);                 /* before an audit takes the idle bits away */

/* lives.c */
int      lives_open(struct supervisor *s);
uint32_t lives_take(struct supervisor *s);              /* or NO_LIFE */
void     lives_bury(struct supervisor *s, uint32_t life);
void     lives_let_go(struct supervisor *s, uint32_t life); /* buries it when nobody needs it: a clean-up, a sitter */
void     lives_collect(struct supervisor *s);

/* cleanup.c */
int      cleanup_open(struct supervisor *s);
/* True: that worker's task, of a host that is certainly dead, left something to be done, and is settled after that. */
bool     cleanup_takes(struct supervisor *s, const struct host_record *record, uint32_t worker, const struct death *death);
bool     cleanup_needs_life(const struct supervisor *s, uint32_t life); /* its arena holds what is to be done */
void     cleanup_host_died(struct supervisor *s, uint32_t berth);       /* maybe one that ran a clean-up */
uint64_t cleanup_turn(struct supervisor *s, uint64_t now);              /* when to look again at the latest */
uint32_t cleanup_hosts_wanted(const struct supervisor *s);
bool     cleanup_is_behind(const struct supervisor *s);                 /* no task may be begun before some are over */
/* The sentence of the task with that word, if it waits for its clean-ups; else null. */
enum sentence *cleanup_sentence(const struct supervisor *s, uint32_t slot, uint64_t word);
/* sitters.c */
void sitters_meet(struct supervisor *s, uint32_t berth);  /* its host is ready */
void sitters_end(struct supervisor *s, uint32_t berth, uint32_t life); /* that host is certainly dead, its life to bury */
uint64_t sitters_kill(struct supervisor *s, uint64_t now); /* of hosts that are dead; when the next one is due */
void sitters_kill_all(struct supervisor *s);              /* at the end, where nothing lists children */
bool sitters_need_life(const struct supervisor *s, uint32_t life);
bool sitters_have(const struct supervisor *s, pid_t pid); /* one that no ready host has: of a dead or a starting one */
bool sitters_reaped(struct supervisor *s, pid_t pid);     /* true: that child was one */

/* descendants.c */
bool descendants_are_ours(const struct supervisor *s, pid_t pid); /* template, a host, or a sitter */
void descendants_kill(struct supervisor *s);            /* after each death but a sitter's: what dead hosts' tasks left */
void descendants_prepare(struct supervisor *s);         /* before deaths that are to be looked at quickly */
bool descendants_none(struct supervisor *s);            /* of hosts that are dead, not reaped: certainly none; and told so */

void descendants_kill_below(pid_t pid);                 /* what is still being multiplied under a host that is to die */

/* containment.c */
bool  containment_open(struct supervisor *s);  /* which rung there is; false: the one asked for cannot be had */
bool  containment_is_beside(const struct supervisor *s); /* hosts are born beside their sitters */
int   containment_prepare(struct supervisor *s, struct host_place *place); /* where a host is to be born: 0, or an errno */
pid_t containment_await(struct supervisor *s, uint32_t berth, pid_t sitter); /* the pid of who is born beside it */
void  containment_abandon(struct supervisor *s, const struct host_place *place); /* nobody was born there */
bool  containment_fell(struct supervisor *s, uint32_t berth); /* all that is held with a host: now. False: it cannot be */
void  containment_orphans(struct supervisor *s);          /* there are some: of dead hosts everything is to go */
bool  containment_is_alone(const struct supervisor *s, pid_t pid); /* a first process of a namespace with nobody else in it */
uint64_t containment_turn(struct supervisor *s, uint64_t now); /* when to look again */
void  containment_buried(struct supervisor *s, uint32_t berth); /* that host is dead, its tasks' verdicts are told */
void  containment_tidy(struct supervisor *s);             /* nothing is left of any dead host */
void  containment_reaped(struct supervisor *s, pid_t pid);
pid_t containment_thread(struct supervisor *s, uint32_t berth, uint32_t worker); /* its id as seen here; 0: not known */
bool  containment_noticed(struct supervisor *s);         /* a host asked to be looked at */
void  containment_strike_all(struct supervisor *s);
void  containment_close(struct supervisor *s);           /* nothing is left */
/* files.c */
struct file_message;
void files_take(struct supervisor *s, const struct file_message *said, int fd); /* came over the link */
void files_turn(struct supervisor *s);                  /* hosts ask; and files are buffers no more */

/* groupfd.c */
void groupfd_receive(struct supervisor *s);
void groupfd_ring(struct supervisor *s);
void groupfd_ring_all(struct supervisor *s);            /* whatever their bells say */

#endif
