/*
 * layout.h - what owner, supervisor and hosts share, byte by byte
 *
 * Segments by who may write; the mappings enforce it:
 *
 *   orders    owner writes                       functions, inputs, the queue
 *   claims    owner, supervisor and hosts write  the claim words, and hints that make things fast
 *   control   owner and supervisor write         kill requests, doomed hosts, fates
 *   answers   one arena per host life; only that host writes its own
 *   cells     owner and hosts write              values that tasks share: cells.h
 *
 * Legend   O written by the owner only        S by the supervisor only       H by the host of that arena only
 *          C changed only by compare-and-swap along the arrows of word.h
 *          A anybody may write it at any time: a hint; wrong values cost time, never truth
 *          I set once before others can see it
 *
 * No pointers, no locks, no allocator state: a host may die between any two instructions of it.
 */
#ifndef REGION_LAYOUT_H
#define REGION_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/latency.h"
#include "region/priority.h"
#include "region/window.h"
#include "region/word.h"

#define LINE 64
#define INLINE_INPUT_BYTES 64u
#define INLINE_RESULT_BYTES 32u
#define GROUPS_MAX 1024u
#define LOG_ENTRIES 1024u   /* per worker; a power of two */
#define FATE_LOG_ENTRIES 4096u
#define REQUESTS 1024u
#define CLAIM_STRIDE 64u    /* one claim word per cache line: neighbours are claimed by different processors */
#define NO_LIFE UINT32_MAX
#define BUFFERS_MAX 4096u

/* ---- orders --------------------------------------------------------------------------------------------------- */

enum order_flags {
    ORDER_STAMPED = 1,   /* the worker stores when it began: a deadline or a measurement needs it */
    ORDER_EXPIRES = 2,   /* expires_at_ns is set */
    ORDER_INLINE = 4,    /* the input lies right behind the order */
    ORDER_SOFT = 8,      /* it has a soft deadline, a soft signal or a shield: its care says which */
    ORDER_CAPS_MEMORY = 16, /* it has a cap of its own on memory: its record of caps is filled in */
    ORDER_CAPS_CPU = 32,    /* likewise on processor time */
    ORDER_NAMED = 128,   /* the task has a name: notes.h */
    ORDER_RESTAMPED = 256, /* it has a deadline for each of several items, and stores when each began */
    ORDER_UNHEARD = 512, /* its future was released at once: nobody takes its parts */
    ORDER_HIGH = 1 << 16, /* it waits in that lane; neither: in the normal one. See priority.h */
    ORDER_LOW = 1 << 17,
    ORDER_TINY = 1 << 18, /* the input is where its offset would be, in the line that a worker reads anyway */
};

struct order {
    _Atomic uint64_t ticket;    /* O  place in the order of submits; the supervisor may read it while the slot changes hands */
    uint64_t function;          /* O  an address that hosts inherited, or a reference of modules.h */
    uint64_t input_offset;      /* O  into the input heap, unless inline; or a tiny input itself */
    _Atomic uint64_t deadline_ns; /* O  from the start; 0: none. Looked at by the supervisor likewise */
    _Atomic uint64_t expires_at_ns; /* O  clock_ns(); with ORDER_EXPIRES. Looked at before the claim, hence atomic */
    uint32_t input_bytes;       /* O */
    _Atomic uint32_t flags;     /* O  likewise */
    _Atomic uint32_t watched;   /* O  bits of enum watched: somebody sleeps on the claim word: wake it after publishing */
    _Atomic uint32_t group;     /* O  0: none, else number + 1; likewise */
    uint32_t attempts;          /* O  how often it may start by its own fault */
    uint32_t reserved;
    alignas(16) uint8_t input[INLINE_INPUT_BYTES]; /* O */
};
static_assert(sizeof(struct order) == 128, "an order is two lines, the second one only for its input");
static_assert(offsetof(struct order, input) == 64, "the input has a line of its own");
static_assert(offsetof(struct order, input_offset) % 16 == 0, "a tiny input is aligned like any other");

/* Where a buffer is; for tasks, who know it by number and life. */
struct buffer_record {
    _Atomic uint64_t life; /* O  stored last; 0: there is none */
    uint64_t offset, bytes; /* O  in its window */
    uint32_t window;       /* O  enum window_kind */
    uint32_t is_writable;  /* O  of a file: 1: tasks may write to it */
    uint64_t file_offset;  /* O  of a file: what is at the beginning of the page where it begins */
};
enum watched {
    WATCHED_END = 1,
    WATCHED_PARTS = 2, /* likewise on the bell of its parts */
    WATCHED_GROUP = 4  /* its group is to be told of parts: until its order is another's */
};

struct orders_head {
    alignas(LINE) _Atomic uint64_t tail;        /* O  queue position behind the newest entry */
    _Atomic uint64_t tickets;                   /* O  the next submit's ticket */
    alignas(LINE) _Atomic uint32_t room_wanted; /* O  submitters sleep: ring claims->room_bell, see enum room */
    alignas(LINE) _Atomic uint32_t group_watch[GROUPS_MAX]; /* O  GROUP_SLEEPERS | GROUP_FD */
    alignas(LINE) _Atomic uint64_t other_tail[LANES - 1]; /* O  as tail, of the lanes of high and of low priority */
};
enum room {
    ROOM_IN_QUEUE = 1,  /* when the queue is half empty: a wake for each task that leaves would be one for each task */
    ROOM_FOR_INPUT = 2, /* whenever a task ends */
};
enum group_watch { GROUP_SLEEPERS = 1, GROUP_FD = 2 };

/* ---- claims --------------------------------------------------------------------------------------------------- */

struct claims_head {
    alignas(LINE) _Atomic uint64_t head;           /* A  queue position of the oldest entry that may be unclaimed */
    alignas(LINE) _Atomic uint32_t room_bell;      /* A  futex: something left the queue or ended */
    alignas(LINE) _Atomic uint32_t brisk;          /* A  1: tasks last shorter than waking a worker for them, see bell.h */
    _Atomic uint32_t deputy;                       /* A  worker bit + 1 that sleeps for a moment only; 0: nobody */
    _Atomic uint32_t heavy_fences;                 /* A  1: the owner makes its own barriers, see fence.h */
    alignas(LINE) _Atomic uint32_t group_bell[GROUPS_MAX]; /* A  futexes: something of that group ended */
    alignas(LINE) _Atomic uint64_t other_head[LANES - 1];  /* A  as head, of the lanes of high and of low priority */
    _Atomic uint32_t turn;                         /* A  whose turn it is among the lanes: priority.h */
};

/* ---- control -------------------------------------------------------------------------------------------------- */

enum request_kind { REQUEST_KILL_TASK = 1, REQUEST_KILL_RUNNING, REQUEST_GROUP_FD, REQUEST_QUIT, REQUEST_ASK_TASK };

struct request {
    uint32_t kind;      /* O */
    uint32_t slot;      /* O  or group number */
    uint32_t generation;/* O */
    uint32_t scope;     /* O  of a kill: 1 if tasks that have not begun go back to the queue, 0 if they are cancelled */
    uint64_t before;    /* O  KILL_RUNNING: only tickets below */
    uint64_t sent_ns;   /* O  when it was made: latencies count from here */
};

/* Why the supervisor, or the owner, ended a task without a word from it. */
struct fate {
    _Atomic uint64_t word;   /* S  the ended claim word this belongs to; stored last */
    uint64_t fault_address;  /* S */
    int32_t  cause, signal, signal_code, exit_code; /* S */
    uint32_t culprit;        /* S */
    uint32_t peak_pages;       /* S  the most memory its host had; measured pools, else 0 */
    int32_t  cleanup;        /* S  enum mortal_cleanup */
    uint64_t began_ns, ran_ns; /* S  stamped tasks that had begun, else 0 */
    uint64_t cpu_ns;           /* S  that it used; measured pools, else 0 */
    uint64_t obituary; /* S  number of the host's whose death ended it, or 0 */
    uint64_t reserved[6];
};
static_assert(sizeof(struct fate) == 2 * LINE, "two lines");

#define LANE_SHIFT 62u /* where the lane of a task is told together with its place, or its entry */
struct care {
    /* Of each task, in a line: */
    alignas(LINE) _Atomic uint64_t charged; /* S  starts charged to the task, and to whom the last: recover.c; the owner resets it */
    _Atomic uint64_t returned; /* S  likewise, how often it went back uncharged from a host that nobody asked to end */
    _Atomic uint64_t position; /* O  its place in the queue: lane << LANE_SHIFT | position there */
    _Atomic uint32_t asked;    /* O  generation + 1 of the task that was asked to stop */
    _Atomic uint32_t killers;  /* O  kills in their grace: what is in a critical section ends where that does */
    _Atomic uint32_t streamed; /* S  generation + 1 of the task of which attempts that are over left parts: stream.h */
    uint32_t reserved[3];
    /* Only with ORDER_SOFT: */
    _Atomic uint64_t told;     /* S  the running word whose soft deadline is over */
    _Atomic uint64_t overdue;  /* S  the running word whose hard deadline waits for the end of its critical section */
    _Atomic uint64_t soft_deadline_ns; /* O  from the start; 0: none. Read while the slot may change hands, likewise: */
    _Atomic uint64_t shield_ns; /* O  how long a deadline waits for the end of a critical section at most */
    int32_t  soft_signal;      /* O  for the worker's thread, when it is asked to stop; 0: none */
};
static_assert(sizeof(struct care) == 2 * LINE, "no task shares its line with another");

/* Caps of a task that has some of its own. Undefined but for what its order's flags name. See cap.h. */
struct cap {
    uint64_t memory_bytes;  /* O  of its first attempt */
    uint64_t cpu_ns;        /* O */
    uint32_t more_percent;  /* O  by so much the next attempt's is larger */
    uint32_t reserved;
    _Atomic uint64_t grown; /* S  attempts that ended for lack of memory << 32 | which was the last; the owner resets it */
};
static_assert(sizeof(struct cap) == 32, "two to a line");

/* A berth is the place of a living host; the supervisor gives it out and takes it back after certain death. */
struct berth {
    alignas(LINE) _Atomic uint32_t life;   /* S  NO_LIFE: nobody */
    _Atomic uint32_t active;               /* S  how many of its workers may claim; 0: standby */
    _Atomic uint32_t doomed;               /* S  1: claims nothing more */
    _Atomic int32_t  pid;                  /* S  and the kernel */
    _Atomic uint32_t birth;                /* S  of that host, stored before its life: lives are given out again */
    _Atomic uint32_t calls;                /* S  futex of its main thread: a task of it was asked to stop */
    _Atomic uint32_t resting;              /* S  1: it claims no more, and is to say so; stays so until it has ended */
    _Atomic uint32_t errand;               /* S  a clean-up for its first worker, see errand_place(); 0: none yet */
    _Atomic int32_t  sitter;               /* S  process id of what shares its address space, 0: none is known */
    _Atomic int32_t  first;                /* S  process id of what ends last in its namespace; 0: it has none */
    uint32_t reserved[6];
};
/* How much of a worker's log the owner has read, and of which host: birth << 32 | count.  O */
typedef _Atomic uint64_t log_taken;

#define CLEANUPS 8u              /* that a task may leave at a time */
#define CLEANUP_INPUT_BYTES 496u
#define CLEANERS 4u              /* hosts that run clean-ups at once; a power of two */

/* One clean-up that a host is to run for a task that was cut. Its number is in the berth: a count, and in the lowest bits
 * its place. */
struct errand {
    alignas(LINE) uint64_t function; /* S  as the dead host left it: it is called in a fresh one only */
    uint64_t word;                   /* S  of the task that was cut */
    uint32_t slot, input_bytes;      /* S */
    alignas(16) uint8_t input[CLEANUP_INPUT_BYTES]; /* S */
};
static inline uint32_t errand_place(uint32_t number) { return number & (CLEANERS - 1); }

#define CELLS_MOST 256u
#define CELLS_PAGES_MOST 256u    /* of one buffer of all cells */

/* What one cell is. Its word and its value are among the cells. */
struct shared_cell {
    _Atomic uint64_t life;           /* O  0: closed. Never given twice */
    _Atomic uint64_t offset, bytes;  /* O  in each buffer; set before its life */
};

enum pool_state { POOL_STARTING = 0, POOL_READY, POOL_FAILED };

#define RETURNED_ENTRIES 8192u
struct control_head {
    alignas(LINE) _Atomic uint32_t supervisor_lives; /* S  robust futex: the kernel marks it when the supervisor dies */
    _Atomic uint32_t breaker_opened; /* S  how often the circuit breaker opened; each submit reads this line anyway */
    _Atomic uint32_t breaker_mended; /* O  which opening was mended last: it is open while the two differ */
    _Atomic int32_t breaker_stage;   /* S  the death that opened it: STAGE_NONE, else which start failed */
    _Atomic int32_t breaker_how, breaker_value; /* S  enum mortal_cause, or start_detail; signal, code or status */
    alignas(LINE) _Atomic uint32_t state;            /* S  futex: enum pool_state */
    int32_t start_error;                             /* S  negative errno, set before POOL_FAILED */
    int32_t start_stage, start_detail, start_value;               /* S  what failed: heritage.h */
    alignas(LINE) _Atomic uint32_t asleep;           /* S  1: it sleeps without a time-out; whoever adds work rings it */
    _Atomic uint32_t blind;                          /* S  1: it sleeps past deadlines not yet known: ring for such a task */
    alignas(LINE) _Atomic uint64_t request_tail;     /* O */
    _Atomic uint64_t now_pending, now_running;       /* O  kill_now: everything with a lower ticket */
    _Atomic uint64_t now_unended;                    /* O  likewise, of one that means both */
    _Atomic uint64_t now_kills;                      /* O  how many there were of what is pending */
    alignas(LINE) _Atomic uint32_t requests_handled; /* S  futex: low half of the count of requests decided */
    _Atomic uint32_t slots_known;                    /* O  no slot from here on was ever used */
    alignas(LINE) _Atomic uint64_t limits_unended;   /* O  tasks with a deadline or expiry that the owner saw no end of */
    _Atomic uint64_t deadline_floor_ns;              /* O  no pending task has a shorter deadline; NEVER: none has one */
    _Atomic uint64_t expiry_floor_ns;                /* O  nothing expires before; NEVER: nothing expires; S may change it */
    alignas(LINE) _Atomic uint32_t returned_version; /* S  changes with the table of returned tasks */
    _Atomic uint32_t returned_count;                 /* S */
    _Atomic uint64_t others_pushed;                  /* O  how many tasks were put into lanes other than the normal one */
    alignas(LINE) _Atomic uint64_t fate_tail;        /* S  log of tasks of groups that the supervisor ended */
    alignas(LINE) _Atomic uint64_t fate_taken;       /* O */
    alignas(LINE) _Atomic uint64_t deaths, kills, requeued; /* S */
    _Atomic uint32_t hosts_ready, standby_ready, dying;     /* S */
    _Atomic uint64_t failed_starts;                         /* S */
    _Atomic uint32_t hardened;                              /* S  bits of mortal_harden that hold in all of these */
    alignas(LINE) struct request requests[REQUESTS];
    _Atomic uint64_t returned[RETURNED_ENTRIES];     /* S  lane << LANE_SHIFT | as queue entries, in ticket order */
    _Atomic uint32_t fate_log[FATE_LOG_ENTRIES];     /* S  slots */
    alignas(LINE) _Atomic uint64_t empty_host_bytes; /* S  what the first host needed before any task; 0: not known */
    _Atomic uint64_t recycled;                       /* S  hosts that were replaced in their time */
    _Atomic uint32_t caps_used;                      /* O  1: there was a task with caps of its own */
    _Atomic uint32_t caps;                           /* S  bits of mortal_caps: by what caps are kept */
    alignas(LINE) _Atomic uint64_t obituaries;       /* S  how many were written: the number of the last */
    _Atomic uint64_t cleanups;                       /* S  how many clean-ups were begun */
    struct errand errands[CLEANERS];
    struct shared_cell cells[CELLS_MOST];
    alignas(LINE) _Atomic uint32_t trees_gone;       /* S  futex: of so many deaths nothing is left that tasks started */
    alignas(LINE) struct latency latencies[LATENCY_KINDS]; /* S  by enum latency_of */
    _Atomic uint64_t replaced;                       /* S  hosts that did not die in time: others took their places */
    _Atomic uint64_t now_asked_ns;                   /* O  kill_now: when the first not yet decided was made; S takes it */
    _Atomic uint32_t containment;                    /* S  enum mortal_containment: the one in force */
    _Atomic uint32_t files_closed;                   /* O  counts files that are buffers no more: files.h */
    _Atomic uint32_t files_taken;                    /* S  futex: counts descriptors that came over the link */
    _Atomic uint64_t files_name;                     /* S  the address of the socket where hosts ask for them */
    _Atomic int32_t file_outcomes[BUFFERS_MAX];      /* S  by buffer: 0: it is there for hosts, or a negative errno */
};

/* ---- answers -------------------------------------------------------------------------------------------------- */

/* One worker's own record of what it does. The claim word decides; this tells where to look and what was begun. */
struct desk {
    alignas(LINE) _Atomic uint32_t intent;   /* H  slot + 1 that it claims or runs; stored before the claim */
    _Atomic uint32_t parked;                 /* H  1: lost a publishing swap; waits for its end */
    _Atomic uint64_t begun;                  /* H  the claim word of the task whose function was entered; 0: published */
    _Atomic uint64_t wanted;                 /* H  the entry by which it found what intent names; stored before that */
    _Atomic uint64_t started_ns;             /* H  of stamped tasks, stored before begun */
    _Atomic uint32_t log_tail;               /* H  completions of tasks of groups */
    _Atomic uint32_t section;                /* H  1: its task is in a critical section */
    _Atomic uint32_t yields;                 /* H  1: the section is over, and something waited for it to end the task */
    _Atomic uint32_t rested;                 /* H  1: this worker saw that it is to claim no more */
    _Atomic uint64_t cpu_ns;                 /* H  processor time when the task began, of those where it counts */
    _Atomic uint32_t ran;                    /* H  tasks that it began */
    uint32_t reserved0;
    _Atomic uint64_t errand;                 /* H  number << 32 | status of the last clean-up that it ran to its end */
    alignas(LINE) _Atomic uint32_t log[LOG_ENTRIES]; /* H  slots */
};

/* What a task left to be done in a fresh host should it be cut: host/cleanup.c. */
struct cleanup {
    _Atomic uint64_t function; /* H  0: taken back */
    uint32_t input_bytes;      /* H */
    uint32_t is_ours;          /* H  1: a function of the library left it, which also takes it back */
    alignas(16) uint8_t input[CLEANUP_INPUT_BYTES]; /* H */
};
static_assert(sizeof(struct cleanup) == 512, "no gaps");
struct cleanups { /* by worker; they count if the word and the slot are those of the task that was cut */
    alignas(LINE) _Atomic uint64_t word; /* H */
    _Atomic uint32_t slot;               /* H */
    _Atomic uint32_t count;              /* H  so many are complete; stored last */
    struct cleanup left[CLEANUPS];
};

enum last_words_kind { WORDS_NONE = 0, WORDS_SIGNAL, WORDS_EXIT, WORDS_THREAD_EXIT, WORDS_INIT_FAILED, WORDS_NO_MODULE };
struct host_head {
    alignas(LINE) _Atomic uint32_t words_taken; /* H  the first who speaks wins; later ones keep silent */
    _Atomic uint32_t words;                     /* H  enum last_words_kind; stored last */
    int32_t signal, signal_code, exit_code;     /* H */
    uint32_t worker;                            /* H  who spoke; NO_WORKER: a thread that is no worker */
    uint64_t fault_address;                     /* H */
    _Atomic uint32_t birth;                     /* H  its host's; until it is, the rest is an earlier life's */
    _Atomic uint32_t ready;                     /* H  1: its workers are there */
    _Atomic uint64_t heap_top;                  /* H  heap bytes ever used: what to punch */
    uint32_t hardened;                          /* H  bits of mortal_harden that hold in it; set before ready */
    uint32_t lacks_memory;                      /* H  of the last words: it died for lack of memory; stored before words */
    _Atomic uint32_t served;                    /* H  1: it has run a task; 2: as many as it should. Only where that counts */
    _Atomic int32_t sitter;                     /* H  and the kernel: process id of what shares its address space */
    _Atomic uint32_t emitted;                   /* H  1: a task of it gave a part before it ended */
};
#define NO_WORKER UINT32_MAX

/* Robust mutexes and futexes, whose first word the kernel marks when the thread that holds it is gone: 0 of the
 * host's main thread (also marked on exec), 1 + n of worker n. In pages of their own, since it marks only what the
 * dying thread could write, and the rest of a host's records may be shut: host/guard.h. */
struct life_line {
    alignas(LINE) _Atomic uint32_t word[16]; /* H  and the kernel */
};

/* Where a result is. One cell per slot and host: a host that can claim a slot knows its old result is not needed. */
struct cell {
    uint64_t word;          /* H  the claim word that was published with it */
    uint32_t slot;          /* H  and CELL_HAS_PARTS */
    int32_t  status;        /* H */
    uint64_t result_bytes;  /* H */
    uint64_t result_offset; /* H  into the heap of this arena, where the result is not inline */
    alignas(16) uint8_t result[INLINE_RESULT_BYTES]; /* H */
    uint64_t began_ns, ran_ns;  /* H  measured pools only */
    uint64_t cpu_ns, peak_bytes; /* H  likewise */
    /* What the task gave before it ended, see stream.h. */
    _Atomic uint64_t stream_word; /* H  RUNNING, of the task whose parts the rest is about */
    _Atomic uint64_t stream_base; /* H  position of its first part */
    _Atomic uint64_t stream_head; /* H  behind its last; stored after it */
    _Atomic uint32_t stream_ring; /* H  where, in the heap, in units of it */
    _Atomic uint32_t stream_wants; /* H  1: it sleeps for room */
};
#define CELL_HAS_PARTS (1u << 31) /* what it says of parts is about this task: who gives none does not touch that line */
static_assert(sizeof(struct cell) == 128, "two lines, the second one only for measurements and parts");

/* ---- the whole ------------------------------------------------------------------------------------------------ */

/* Sizes and places: computed by the owner before anything exists, then the same constants in every process. */
struct geometry {
    uint32_t slots, queue_tasks, ring_entries;
    uint32_t workers, workers_per_host, hosts, standby, berths, lives;
    uint64_t inputs_bytes, results_bytes;
    uint64_t order_ring, order_slots, order_buffers, order_inputs, orders_bytes;
    uint64_t claim_bells, claim_idle, claim_searching, claim_words, claims_bytes;
    uint32_t idle_words;
    uint64_t control_berths, control_logs, control_cares, control_fates, control_caps, control_bytes;
    uint64_t arena_lines, arena_cells, arena_heap, arena_bytes;
    uint64_t window_bytes; /* address space that the answers may take */
    int32_t  measure;
    uint64_t arena_notes, arena_trace, order_names, control_obituaries; /* notes.h, obituary.h */
    uint64_t arena_cleanups;
    uint64_t cells_each, cell_buffers, cells_bytes; /* one buffer of all cells; where the first is; all. 0: no cells */
    uint64_t order_taken, control_streams, stream_bytes; /* stream.h */
    uint64_t ring_bytes; /* of each lane's ring */
    bool     light_fences; /* fence.h */
    int32_t  results; /* mortal_results */
};

/* One process's view. Tests make views of copies. */
struct region {
    struct geometry g;
    uint8_t *orders, *claims, *control, *answers;
    int orders_fd, claims_fd, control_fd, answers_fd;
    uint8_t *cells; /* null: there are none */
    int cells_fd;
    struct window windows[WINDOW_KINDS];
};

struct limits {
    uint32_t held_tasks, queue_tasks, workers, workers_per_host, standby;
    uint64_t inputs_bytes, results_bytes;
    int32_t  measure;
    uint64_t cells_bytes;
    bool     cells_if_possible; /* nobody asked for them: a region without is better than none */
    uint64_t buffers_bytes; /* address space of each window, if the system grants it */
    uint64_t stream_bytes; /* a power of two */
    int32_t  results; /* mortal_results */
};
void geometry_plan(struct geometry *g, const struct limits *limits);

/* Where the system grants less address space than is wished for, there are fewer lives, then less room for results in
 * each. Returns 0 or a negative errno; nothing is left behind on failure. */
int  region_create(struct region *region, const struct limits *limits);
void region_destroy(struct region *region);

/* Make the memory behind slots [from, to) exist: 0 or -ENOMEM. */
int region_commit_slots(struct region *region, uint32_t from, uint32_t to);

static inline struct orders_head *orders_head(const struct region *r) { return (struct orders_head *)(void *)r->orders; }
static inline struct claims_head *claims_head(const struct region *r) { return (struct claims_head *)(void *)r->claims; }
static inline struct control_head *control_head(const struct region *r) {
    return (struct control_head *)(void *)r->control;
}
/* ORD(breaker:look) pairs ORD(breaker:open) */
static inline bool breaker_is_open(const struct region *r) {
    const struct control_head *control = control_head(r);
    return atomic_load_explicit(&control->breaker_opened, memory_order_acquire) !=
           atomic_load_explicit(&control->breaker_mended, memory_order_relaxed);
}
static inline _Atomic uint64_t *lane_entry(const struct region *r, enum lane lane, uint64_t position) {
    return (_Atomic uint64_t *)(void *)(r->orders + r->g.order_ring + lane * r->g.ring_bytes) +
           (position & (r->g.ring_entries - 1));
}
static inline _Atomic uint64_t *ring_entry(const struct region *r, uint64_t position) {
    return lane_entry(r, LANE_NORMAL, position);
}
static inline _Atomic uint64_t *lane_tail(const struct region *r, enum lane lane) {
    return lane == LANE_NORMAL ? &orders_head(r)->tail : &orders_head(r)->other_tail[lane - 1];
}
static inline _Atomic uint64_t *lane_head(const struct region *r, enum lane lane) {
    return lane == LANE_NORMAL ? &claims_head(r)->head : &claims_head(r)->other_head[lane - 1];
}
static inline struct order *order_of(const struct region *r, uint32_t slot) {
    return (struct order *)(void *)(r->orders + r->g.order_slots) + slot;
}
static inline struct buffer_record *buffer_of(const struct region *r, uint32_t number) {
    return (struct buffer_record *)(void *)(r->orders + r->g.order_buffers) + number;
}
/* In which lane the task waits, if it does. */
static inline enum lane lane_of(const struct region *r, uint32_t slot) {
    uint32_t flags = atomic_load_explicit(&order_of(r, slot)->flags, memory_order_relaxed);
    return (flags & (ORDER_HIGH | ORDER_LOW)) == 0 ? LANE_NORMAL : (flags & ORDER_HIGH) != 0 ? LANE_HIGH : LANE_LOW;
}
static inline uint8_t *inputs_of(const struct region *r) { return r->orders + r->g.order_inputs; }
static inline _Atomic uint64_t *claim_of(const struct region *r, uint32_t slot) {
    return (_Atomic uint64_t *)(void *)(r->claims + r->g.claim_words + (uint64_t)slot * CLAIM_STRIDE);
}
/* A bit per worker that sleeps, by berth. */
static inline _Atomic uint64_t *idle_word(const struct region *r, uint32_t index) {
    return (_Atomic uint64_t *)(void *)(r->claims + r->g.claim_idle) + index;
}
/* A bit per worker that is awake and looks for work, by berth. */
static inline _Atomic uint64_t *searching_word(const struct region *r, uint32_t index) {
    return (_Atomic uint64_t *)(void *)(r->claims + r->g.claim_searching) + index;
}
static inline struct care *care_of(const struct region *r, uint32_t slot) {
    return (struct care *)(void *)(r->control + r->g.control_cares) + slot;
}
static inline struct fate *fate_of(const struct region *r, uint32_t slot) {
    return (struct fate *)(void *)(r->control + r->g.control_fates) + slot;
}
static inline struct cap *cap_of(const struct region *r, uint32_t slot) {
    return (struct cap *)(void *)(r->control + r->g.control_caps) + slot;
}
static inline struct berth *berth_of(const struct region *r, uint32_t berth) {
    return (struct berth *)(void *)(r->control + r->g.control_berths) + berth;
}
static inline log_taken *log_taken_of(const struct region *r, uint32_t berth, uint32_t worker) {
    return (log_taken *)(void *)(r->control + r->g.control_logs) + (uint64_t)berth * r->g.workers_per_host + worker;
}
/* One worker's futex. Anybody who has work for it adds to it: workers call workers, so it is among the claims. */
static inline _Atomic uint32_t *bell_of(const struct region *r, uint32_t berth, uint32_t worker) {
    return (_Atomic uint32_t *)(void *)(r->claims + r->g.claim_bells) + (uint64_t)berth * r->g.workers_per_host + worker;
}
static inline uint8_t *arena_of(const struct region *r, uint32_t life) {
    return r->answers + (uint64_t)life * r->g.arena_bytes;
}
static inline struct host_head *host_head(const struct region *r, uint32_t life) {
    return (struct host_head *)(void *)arena_of(r, life);
}
static inline struct desk *desk_of(const struct region *r, uint32_t life, uint32_t worker) {
    return (struct desk *)(void *)(arena_of(r, life) + sizeof(struct host_head)) + worker;
}
/* One word per cell, in a line of its own; any writer's swap, see cells.h.  A: a host gone wild may overwrite it. */
static inline _Atomic uint64_t *cell_word_of(const struct region *r, uint32_t cell) {
    return (_Atomic uint64_t *)(void *)(r->cells + (uint64_t)cell * LINE);
}
static inline uint8_t *cell_buffer_of(const struct region *r, uint32_t buffer) {
    return r->cells + r->g.cell_buffers + buffer * r->g.cells_each;
}
static inline struct shared_cell *shared_cell_of(const struct region *r, uint32_t cell) {
    return &control_head(r)->cells[cell];
}
static inline struct cleanups *cleanups_of(const struct region *r, uint32_t life, uint32_t worker) {
    return (struct cleanups *)(void *)(arena_of(r, life) + r->g.arena_cleanups) + worker;
}
static inline struct life_line *life_line_of(const struct region *r, uint32_t life, uint32_t thread) {
    return (struct life_line *)(void *)(arena_of(r, life) + r->g.arena_lines) + thread;
}
static inline struct cell *cell_of(const struct region *r, uint32_t life, uint32_t slot) {
    return (struct cell *)(void *)(arena_of(r, life) + r->g.arena_cells) + slot;
}
static inline uint8_t *heap_of(const struct region *r, uint32_t life) { return arena_of(r, life) + r->g.arena_heap; }

#endif
