/* pool.h - what the owner knows of a pool, in memory that no host can reach */
#ifndef OWNER_POOL_H
#define OWNER_POOL_H

#include <pthread.h>
#include <signal.h>

#include "region/cells.h"
#include "region/heap.h"
#include "region/heritage.h"
#include "region/notes.h"
#include "system/process.h"

#define NO_SLOT UINT32_MAX
#define INPUT_NONE UINT64_MAX
#define COPY_RESULT_BYTES 4096u /* smaller results are copied out, larger ones read in place */
#define TASK_BUFFERS_MOST 8u

enum entry_state { ENTRY_FREE = 0, ENTRY_LIVE, ENTRY_ENDED };

/* How a task ended, where that is more than a status and a result. */
struct details {
    int32_t cause, signal, signal_code, exit_code;
    uint64_t fault_address;
    uint64_t queued_ns, ran_ns, cpu_ns, memory_peak_bytes;
    uint64_t obituary;
    uint32_t culprit;
    int32_t cleanup;
};

/* One task as the owner submitted it and as it ended: the truth that futures speak. A table of them is long and a stream of
 * tasks walks through it, so what each task needs is in the first two lines. */
struct entry {
    alignas(64) uint64_t life; /* counts the uses of this slot; its low 24 bits are the claim word's generation */
    uint64_t ticket;
    void *tag;
    struct group *group;
    uint64_t input_offset;  /* INPUT_NONE: inline or none */
    uint8_t state;
    bool has_limits, released, is_ready, is_delivered;
    bool has_details;
    bool has_extras;        /* some of: a name, a copy that was malloced, a stream */
    uint8_t buffer_count;
    /* Ended. Not in the order of a verdict: two members that were just written would be copied as one, which has to wait for
     * both. */
    int32_t outcome;
    uint32_t attempts;
    int32_t status;
    uint32_t ready_next;    /* in its group */
    const void *result;
    uint64_t result_bytes;
    alignas(16) uint8_t small[INLINE_RESULT_BYTES]; /* a copy of the result, where it is that small */
    uint64_t answered;      /* the word that a worker ended it with, if there may be parts in its host's arena; of this
                               task only if the generation is */
    uint64_t submitted_ns;

    char *name;
    void *copy;             /* of a result that is longer */
    struct stream *stream;  /* null: nobody asked for its parts */
    uint32_t next, previous; /* in its group */
    uint16_t buffers[TASK_BUFFERS_MOST]; /* that it holds until it has ended */
    struct details details; /* with has_details */
};
static_assert(offsetof(struct entry, name) == 2 * 64, "what a plain task needs is in two lines");

struct group {
    uint32_t number;
    uint32_t first;             /* all its tasks that are not released */
    uint32_t outstanding;       /* of these: not delivered yet */
    uint32_t ready_first, ready_last;
    uint32_t sleepers;
    bool closed;
    int event_fd, epoll_fd;     /* -1: none asked for */
    uint64_t audit_ns;          /* not before then again */
    struct group *parent;       /* of a map's runners: the one in the map's options; null: none. See mapping.c */
    uint32_t *tellers;          /* of these tasks it tells parts, too: see group_parts.c */
    uint32_t teller_count, teller_room, teller_next; /* next: whose turn it is */
    bool     is_quiet;          /* its descriptor, when last looked: who brings something is to ring it */
    struct feed *feed;          /* of an open map's runners: the map. It is not the program's own then */
};

/* A map under way. */
struct mapping {
    struct mapping *next;
    struct group *parent, *runners;        /* null: none; none yet */
    void (*cancel)(struct mapping *mapping); /* what has not begun is to be cancelled */
};

/* The truth about a buffer; what hosts see of it is a copy. */
struct buffer {
    uint64_t life;   /* counts the uses of this number; 0: never used */
    uint64_t offset, bytes, room; /* room: bytes in whole pages */
    uint32_t holders; /* tasks that have not ended, and one for the owner until it closes it; 0: free */
    uint8_t  window; /* enum window_kind */
    bool     is_closed;
    uint32_t lead;   /* of a file: bytes of the first page that are not part of it */
    bool     is_lazy;
};

struct log_seen {
    uint32_t birth, taken;
};

struct pool {
    struct mortal_pool *seat;
    uint32_t seat_number;
    uint64_t value_place, value_life; /* what futures and buffers of this pool begin with: seat.h */
    struct heritage heritage;
    struct region *region; /* of the heritage */
    pid_t opener;
    pid_t supervisor_pid;
    int supervisor_fd; /* its pidfd */
    int link_fd;       /* our end: its closing tells the supervisor that we are gone */
    char name[16];
    mortal_task_options defaults;
    bool defaults_are_plain;
    struct code_range *code;
    uint32_t code_count;
    struct code_range code_seen; /* in which of them the last function was */
    bool is_usual; /* as far as its options go: usual.h */

    struct entry *entries;
    uint32_t *free_slots, free_count;
    uint32_t slots_made;  /* slots below were committed */
    uint32_t slots_used;  /* slots below were used at least once */
    uint32_t held;        /* not released, or released and not ended */
    uint32_t released_unended, sweep_at;
    struct heap inputs;
    uint64_t head_seen;   /* of the queue; the cursor may have moved on since */
    uint64_t futile_compact_ticket;

    struct buffer *buffers;      /* by number; null until the first one */
    uint32_t buffers_used, buffers_held; /* numbers below were used; not free */
    uint16_t *placed[WINDOW_KINDS];   /* numbers in the order of their places in the window */
    uint32_t placed_count[WINDOW_KINDS];

    struct group *groups[GROUPS_MAX];
    uint32_t group_next_number;
    struct log_seen *logs_seen; /* by berth and worker */

    uint64_t submitted, ended[16];
    uint32_t sleepers;          /* threads that are inside, asleep, without the lock */
    uint32_t spin_us;           /* how long a wait spins before it sleeps */
    uint32_t room_sleepers, input_sleepers;
    _Atomic uint32_t left;      /* futex: while closing: a sleeper left */
    _Atomic uint32_t sealed;
    struct hunt *hunts; /* kills under way, which are told of every end */
    bool closing, broken;
    struct owned_cell {
        uint64_t life, offset, bytes; /* life 0: closed */
    } cells[CELLS_MOST];
    struct heap cell_heap;         /* over the first buffer of the owner's; opened with the first cell */
    struct cell_writer cell_writer;
    pthread_t closer; /* closing: the one thread that may still wait here */
    struct modules *modules; /* null: the pool's processes are forked from this one, addresses mean the same there */
    uint32_t names_made; /* slots below have room for a name among the orders */
    struct in_line *line; /* submitters that wait for room, the oldest first */
    uint64_t aside;      /* entries of the lanes of high and low priority, as many as there were when last looked */
    uint64_t places_made[LANES]; /* of each queue: positions below have memory; UINT64_MAX: all have */
    uint32_t files_sent; /* over the link */
    struct mapping *mappings; /* maps under way */
    bool has_rung; /* a submit woke a worker, since somebody spun for a task last */
};

static inline bool pool_is_closed_to_me(const struct pool *pool) {
    return pool->closing && !pthread_equal(pool->closer, pthread_self());
}

/* ledger.c */
uint32_t ledger_take(struct pool *pool, int *error);           /* a free slot, or NO_SLOT and *error */
int      ledger_make_names(struct pool *pool, uint32_t slot);  /* room for its name: 0 or -ENOMEM */
int      ledger_make_places(struct pool *pool, enum lane lane); /* more in that queue: likewise */
void     ledger_untake(struct pool *pool, uint32_t slot);      /* it was not submitted after all */
/* The word of a free slot is as it was left, or 0 where it never was used, or a task wrote there: then who looked at that, as an
 * audit does, is not to find the same again in a word that is true, and the slot's next task has another generation. */
static inline bool ledger_is_as_left(const struct pool *pool, uint32_t slot, uint32_t generation) {
    /* ORD(*) what is written later hits the next task itself. */
    return atomic_load_explicit(claim_of(pool->region, slot), memory_order_relaxed) == word_make(generation, SLOT_FREE, 0, 0);
}
void     ledger_renew(struct pool *pool, uint32_t slot);
bool     ledger_harvest_live(struct pool *pool, uint32_t slot);
static inline bool ledger_harvest(struct pool *pool, uint32_t slot) { /* true: ended, its verdict is in the entry */
    return pool->entries[slot].state != ENTRY_LIVE || ledger_harvest_live(pool, slot);
}
void     ledger_release(struct pool *pool, uint32_t slot);
void     ledger_sweep(struct pool *pool);                      /* harvest whatever ended */
void     ledger_end(struct pool *pool, uint32_t slot, int outcome); /* by the owner's own word */
void     ledger_tell(const struct pool *pool, uint32_t slot, mortal_verdict *verdict); /* of a task that ended; all but its future */

uint64_t ledger_ended_ns(const struct pool *pool, uint32_t slot); /* since then a deadline has cut it; else it is now */

/* group.c */
int  group_of_pool(struct pool *pool, mortal_group *handle, struct group **group); /* 0 or -EINVAL */
void group_add(struct pool *pool, struct group *group, uint32_t slot);
void group_remove(struct pool *pool, uint32_t slot);
void group_ready(struct pool *pool, uint32_t slot);
void group_ring(struct pool *pool, uint32_t slot);
void group_set_watch(struct pool *pool, struct group *group); /* whether completions and parts ring for it */
void group_settle(struct pool *pool, struct group *group);    /* its descriptor says what is so */
void group_audit(struct pool *pool, struct group *group, uint64_t now_ns); /* whatever logs say; for who finds nothing */
void group_unpin(struct group *group); /* a waiter leaves; the last one frees a closed group */
bool group_take(struct pool *pool, struct group *group, mortal_verdict *verdict); /* a verdict that is there; sleeps never */
bool group_runs(const struct pool *pool, const struct group *group); /* any of its tasks was claimed and has not ended */
void group_rouse(struct pool *pool, const struct group *group);      /* its sleepers */
void group_close(struct pool *pool, struct group *group);            /* it is gone, unless somebody is inside */
/* Until its bell is rung, which ends and parts of its tasks do, unless there is enough, which is asked once they ring. 0,
 * -ETIMEDOUT: look once more; -EINTR, -ESHUTDOWN: also if the group was closed, and is gone. */
int  group_sleep(struct pool *pool, struct group *group, uint64_t deadline_ns,
                 bool (*is_enough)(struct pool *, const struct group *));
bool group_is_answered(struct pool *pool, const struct group *group); /* a verdict is there, or none will come */
void group_destroy_all(struct pool *pool);

/* group_parts.c */
bool group_has_parts(struct pool *pool, const struct group *group); /* that it is to tell of */
void group_forget_parts(struct pool *pool, uint32_t slot);

/* buffer.c */
int  buffer_hold(struct pool *pool, struct entry *entry, const mortal_task_options *options); /* what the task names; 0, or why not */
void buffer_let_go(struct pool *pool, struct entry *entry);
void buffer_destroy_all(struct pool *pool);

/* watch.c: what every wait in the owner has in common */
struct waiting {
    const _Atomic uint32_t *word; /* sleep while it has this value */
    uint32_t value;
    uint64_t deadline_ns;
    const _Atomic uint32_t *also; /* or null: and this one */
    uint32_t also_value;
};
int  watch_sleep(struct pool *pool, const struct waiting *on); /* unlocks, sleeps, locks; 0, -ETIMEDOUT, -EINTR, -ESHUTDOWN */
enum watch_for { WATCH_END, WATCH_END_OR_BREAKER /* -EHOSTDOWN if it is pending and the circuit breaker is open */ };
int  watch_task(struct pool *pool, uint32_t slot, uint64_t life, uint64_t deadline_ns,
                enum watch_for what); /* until it ended or was released */
void watch_stay(struct pool *pool);        /* with the lock: closing waits until watch_leave(), also while it is not held */
void watch_leave(struct pool *pool);       /* takes the lock */
bool watch_supervisor(struct pool *pool);  /* false: it is dead, and everything unended was declared lost */
void watch_ring_supervisor(struct pool *pool);

/* stream.c */
void stream_drop(struct entry *entry); /* which has some */
void stream_leave(struct pool *pool, uint32_t slot); /* it was released before its end */
bool stream_make(struct entry *entry);               /* its parts are asked for; false: no memory */
uint32_t *stream_place(const struct entry *entry);   /* of it among its group's tellers, from 1; 0: it is none */
bool stream_is_there(struct pool *pool, uint32_t slot); /* a part, or what was to be one */
int  stream_take(struct pool *pool, uint32_t slot, mortal_part *part); /* 0; -ENODATA: none is there; -EBADMSG, -ENOMEM */
int  stream_refuse(struct pool *pool, const char *call, int error);    /* the error, and why */

/* breaker.c */
int breaker_refuse(struct pool *pool, const char *call); /* -EHOSTDOWN, and why */

/* cell.c */
void cell_end_all(struct pool *pool);

/* kill.c */
int kill_all(struct pool *pool, struct group *group, int scope, uint64_t grace_ns, uint64_t timeout_ns,
             mortal_kill_report *report);

/* trees.c: until nothing is left of what was started in hosts that are dead by now; as watch_sleep() */
int trees_await(struct pool *pool, uint64_t deadline_ns);

void kill_note(struct pool *pool, uint32_t slot, int outcome); /* it ended so */
int  kill_explain(int error, const char *call, const mortal_kill_report *report);
int  kill_check_scope(int scope, const char *call);

/* openmap.c */
void feed_destroy(struct feed *feed);

/* mapping.c: maps, and kills */
bool mapping_is_limit(uint64_t ns);
int  mapping_check(const char *call, const mortal_task_options *options); /* may a map's items have these? */
void mapping_add(struct pool *pool, struct mapping *mapping, struct group *parent);
void mapping_remove(struct pool *pool, struct mapping *mapping); /* also one that is not there */
void mapping_use(struct mapping *mapping, struct group *runners);  /* that group is for its runners */
void mapping_cancel(const struct pool *pool, const struct group *group); /* all maps, or those of that group */
void mapping_forget(const struct pool *pool, const struct group *group); /* it is being closed */
bool mapping_is_below(const struct pool *pool, const struct group *group); /* some map has it in its options */

/* future.c */
bool future_try_cancel(struct pool *pool, uint32_t slot);

/* submit.c */
/* What hosts know the function there by. -ENOEXEC: they have no such code; other errors as modules_find(). May let go of the
 * lock meanwhile. */
int submit_locate(struct pool *pool, const char *call, uintptr_t address, uint64_t *code);

/* The long way for some of many, under one lock but for waits: the first of them, and why it is not all. */
int submit_stretch(mortal_pool *handle, const mortal_job *jobs, size_t count, const mortal_task_options *options,
                   mortal_future *futures, size_t *submitted);

/* request.c */
uint64_t request_send(struct pool *pool, enum request_kind kind, uint32_t slot, uint32_t generation, uint32_t scope,
                      uint64_t before);

/* ask.c */
void ask_to_stop(struct pool *pool, uint32_t slot); /* the grace of a kill begins */
void ask_give_up(struct pool *pool, uint32_t slot, uint64_t life); /* it ended, and the kill is not going to strike */

/* launch.c */
int  launch(struct pool *pool);
void launch_end(struct pool *pool, uint64_t deadline_ns, bool *dead);
uint64_t signals_as_bits(const sigset_t *set);

/* containment.c */
int  containment_check(const mortal_pool_options *asked);
int  containment_explain(const struct control_head *control); /* why it could not be had */
void containment_sweep(const struct pool *pool); /* the supervisor is dead: what its hosts left ends too */

/* image.c: launching where start is MORTAL_START_EXEC */
int   image_check(void);                     /* may this program? 0, or a negative errno and why */
pid_t image_supervisor(struct pool *pool);   /* or a negative errno; -ENOEXEC: it is told why */
int   image_check_arrival(struct pool *pool, uint64_t since_ns); /* not 0: it never came, is dead now, and it is told why */
int   image_explain_end(struct pool *pool);  /* it died before it became a supervisor */

/* options.c */
struct plan {
    struct limits limits;
    mortal_task_options task;
    uint64_t start_ns;
    uint32_t deaths;
    uint64_t deaths_period_ns; /* 0: no circuit breaker */
    uint32_t backtrace; /* bits of mortal_backtrace */
    mortal_pool_options asked; /* as the caller wrote it, in this version's shape */
    struct pool_caps caps;
    uint64_t cleanup_ns;
};
int options_plan(const mortal_pool_options *options, struct plan *plan);
int options_read(void *to, size_t known, const void *from, const char *call, const char *name); /* a struct of options */
bool options_are_plain(const mortal_task_options *options); /* neither a name nor a limit */
int options_task(struct pool *pool, const mortal_task_options *options, mortal_task_options *out);

/* caps.c */
int caps_plan(const mortal_pool_options *options, struct plan *plan); /* after its limits and task */
int caps_complete(const struct pool *pool, const mortal_task_options *from, mortal_task_options *out);
int caps_check(const struct pool *pool, mortal_task_options *options);
uint32_t caps_fill(struct pool *pool, uint32_t slot, const mortal_task_options *options); /* flags of the order */
bool caps_note(struct pool *pool, const mortal_task_options *options); /* true: the supervisor is to hear of it */
uint64_t caps_earliest(const struct pool *pool, const mortal_task_options *options); /* after its start, that a limit may be over */

#endif
