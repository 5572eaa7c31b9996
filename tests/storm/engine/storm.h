/*
 * storm.h - a load of mixed tasks, kills of every scope at random, and a look at what became of each task
 *
 *   load.c      the tasks: what they do, and what they say of themselves outside of the pool
 *   producer.c  threads that submit them, aim kills at some, and take the verdicts
 *   killer.c    kills that are aimed at nobody by name: whole pools, from a signal handler, from outside
 *   judge.c     each verdict beside what the task said
 *   storm.c     one pool from its open to its close; memory, processes and counters
 *
 * What is done to whom follows from the seed and the number of the task, or of the kill: the same seed decides the same
 * again, though not at the same instants.
 */
#ifndef STORM_H
#define STORM_H

#include <pthread.h>

#include "hits.h"
#include "tasks.h"

enum { PRODUCERS_MOST = 3, WINDOW = 12, RECORDS = 128, OUTCOMES = 16, FAULT_BYTES = 256, PRIORITIES = 3 };

struct storm_shape {
    uint32_t workers, workers_per_host, standby;
    uint32_t attempts;  /* of one task at most */
    uint32_t producers, queue_tasks;
    bool planted;       /* with a bug that is to be found: quiet, and over with the first thing that is wrong */
    bool aimed;         /* every kill names its tasks: who is not named must be spared. Hosts of one worker only */
    bool priorities;    /* tasks are of all three; else of none */
};

struct storm_result {
    uint64_t tasks, kills, wrong;
    struct hits hits;
    char first_fault[FAULT_BYTES];
};

/* From MORTAL_TEST_SEED, or from the clock; told in a note. */
uint64_t storm_seed(void);

/* Ends when that many hosts were killed. */
struct storm_result storm_run(const struct storm_shape *shape, uint64_t seed, uint32_t kills);

/* Storms over shapes, one after the other, with so many kills in each; tells the sum, and fails if anything was wrong. */
void storm_over(const struct storm_shape *shapes, size_t count, uint32_t kills_each);

/* ---- inside ---- */

/* What a task says of itself. Each lies in a line of its own. */
struct record {
    _Alignas(64) _Atomic uint64_t serial; /* whose it is now */
    word begins, ends, beats;             /* first line, last line, rounds while it hangs */
    word last_attempt;
};

struct scene {
    _Atomic uint64_t last[PRODUCERS_MOST][PRIORITIES]; /* the highest number that has begun */
    word overtaken;  /* began after a later one of the same producer and priority */
    word replaced;   /* likewise, but its host may have been so slow to die that another one took over before */
    _Atomic uint64_t begun_ns, paused_ns; /* the last begin of any task; the last one after a long pause */
    word strangers;  /* ran although its record is somebody else's by now */
    word spoiled;    /* another input than was given */
    word refused;    /* no room for its result */
    word suicides;   /* about to end their host */
    struct record records[PRODUCERS_MOST][RECORDS];
};

enum kind {
    KIND_BARE, KIND_FAST, KIND_SLOW, KIND_FAIL, KIND_SMALL, KIND_LARGE, KIND_FORK, KIND_CRASH, KIND_EXIT, KIND_HANG, KIND_BLOCK
};

/* A task's input, before its payload. */
struct assignment {
    struct scene *scene;
    uint64_t serial, seed, sum;
    uint32_t payload_bytes, result_bytes, spin_ns;
    uint16_t record;
    uint8_t producer, kind, attempts, polite;
    int32_t priority;
};

enum { PAYLOAD_MOST = 2048, STATUS_OF_FAIL = 7 };

enum act { ACT_NONE, ACT_KILL, ACT_KILL_RUNNING, ACT_KILL_OLDER, ACT_GRACE, ACT_CANCEL, ACT_GROUP, ACT_OUTSIDE };

struct plan {
    enum act act;
    uint32_t delay_ns, grace_ns, back;
    uint64_t within_ns, deadline_ns;
    bool in_group, may_wait;
};

struct flight {
    bool flying, judged, named; /* named: a kill or cancel was aimed at it */
    struct assignment assignment;
    struct plan plan;
    mortal_future future;
    mortal_verdict verdict;
};

/* What the record of a task said when its verdict was in. Nothing may change it any more. */
struct last_word {
    uint64_t serial;
    uint32_t begins, ends, beats;
};

struct storm;

struct producer {
    struct storm *storm;
    unsigned index;
    pthread_t thread;
    mortal_group *group;
    uint64_t next; /* number of the next task, from 1 */
    struct flight window[WINDOW];
    struct last_word said[RECORDS];
    uint64_t submitted, ended[OUTCOMES], rerun, silent_kills, cut;
    struct hits hits;
};

struct storm {
    const struct storm_shape *shape;
    uint64_t seed;
    mortal_pool *pool;
    struct scene *scene;
    _Atomic bool stop, gave_up;
    word finished, wrong, outside, producing;
    uint32_t decisions; /* of the killer */
    struct producer producers[PRODUCERS_MOST];
    char first_fault[FAULT_BYTES];
};

/* A sequence of random numbers that belongs to one decision. */
struct dice {
    uint64_t state;
};
uint64_t dice_mix(uint64_t value);
struct dice dice_for(uint64_t seed, uint64_t who, uint64_t number);
uint32_t dice_below(struct dice *dice, uint32_t limit);

void storm_fault(struct storm *storm, const char *format, ...) HARNESS_PRINTF(2, 3);

/* Asleep, and never by sched_yield(): on a busy machine that gives away milliseconds. */
void storm_rest(long duration_ns);

/* A call that a signal may have interrupted is made again. */
#define AGAIN(error, call)               \
    do {                                 \
        (error) = (call);                \
    } while ((error) == -EINTR)

int  load_task(mortal_task *task, const void *input, size_t input_bytes);
void load_payload(const struct assignment *assignment, uint8_t *payload);
uint64_t load_sum(const uint8_t *bytes, size_t count);
bool load_result_is_right(const struct assignment *assignment, const mortal_verdict *verdict);

void  producer_open(struct producer *producer, struct storm *storm, unsigned index);
void *producer_run(void *producer);

void killer_install(struct storm *storm);
void killer_remove(void);
void killer_run(struct storm *storm, uint64_t kills);
uint64_t killer_count(struct storm *storm, const mortal_stats *stats);
bool killer_send(struct storm *storm, pid_t pid, bool (*is_still_it)(pid_t pid, const void *what), const void *what);
unsigned killer_children(pid_t parent, pid_t *pids, unsigned most);

void judge_verdict(struct producer *producer, struct flight *flight, const mortal_verdict *verdict);
void judge_record(struct producer *producer, uint32_t record);
void judge_scene(struct storm *storm, const mortal_stats *stats);

#endif
