/*
 * world.h - a pool in one process, for fuzzing: the owner and the supervisor are the real ones, hosts are played
 *
 * The owner's calls, and what the supervisor does with tasks and hosts, are the library's own code on a real region.
 * Hosts are records of what they would be doing: an input decides what they do, rightly or wrongly, with the memory that
 * a host can write to. There are no processes, the clock is a number, and a sleep is a turn of the world, so that each
 * input plays the same way every time, and a wait that would never end is seen after a hundred sleeps.
 */
#ifndef WORLD_H
#define WORLD_H

#include <mortal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "owner/pool.h"
#include "owner/seat.h"
#include "region/notes.h"
#include "region/queue.h"
#include "supervisor/state.h"

/* Also in the fuzzer, which has no harness: a report of where, and an abort. */
#define MUST(condition) ((condition) ? (void)0 : world_fail(__FILE__, __LINE__, #condition))
_Noreturn void world_fail(const char *file, int line, const char *condition);

enum { SLOTS = 16, WORKERS = 4, WORKERS_PER_HOST = 2, RESULTS_BYTES = 65536, INPUTS_BYTES = 8192, BERTHS_MOST = 16 };

/* What is left of the input; behind its end all is 0. */
struct bytes {
    const uint8_t *at, *end;
};
uint64_t bytes_take(struct bytes *bytes, unsigned count);

/* A worker, in truth. */
struct player {
    bool runs;      /* a task's function, until the input has it return, or a kill ends it */
    bool parked;    /* lost a publishing swap */
    uint32_t slot;
    uint64_t word;
    struct claimant claimant;
};

struct world {
    struct bytes input;
    mortal_pool *handle;
    struct pool *pool;
    struct region *region;
    uint8_t *answers; /* all arenas, writable: what each host sees of its own */
    struct supervisor supervisor;
    struct player players[BERTHS_MOST][WORKERS_PER_HOST];
    uint64_t now_ns;
    unsigned sleeps;  /* in this call of the owner, since there is no more input */
    bool is_open;
    bool is_rich;     /* the pool uses what came later, too */
    bool settles;     /* there is no more input: hosts behave, and tasks that were claimed from now on return */
};
extern struct world world;

void world_open(const uint8_t *input, size_t bytes, bool is_rich);
void world_close(void);
void world_turn(void);            /* the supervisor's, then each worker's */
void world_act(void);             /* what a host does next, by the input */

struct desk *world_desk(uint32_t life, uint32_t worker);
struct host_head *world_head(uint32_t life);
struct cell *world_cell(uint32_t life, uint32_t slot);
struct notes *world_notes(uint32_t life, uint32_t worker);
struct trace *world_trace(uint32_t life);
struct cleanups *world_cleanups(uint32_t life, uint32_t worker);
struct life_line *world_line(uint32_t life, uint32_t thread);

/* players.c: what hosts do as they should */
void player_claim(uint32_t berth, uint32_t worker);
void player_return(uint32_t berth, uint32_t worker, int status, uint32_t result_bytes);
void player_step(uint32_t berth, uint32_t worker); /* by itself: it answers, and when the world settles it works */
void player_born(uint32_t berth);
void player_died(uint32_t berth);

void player_leave(uint32_t berth, uint32_t worker); /* a clean-up; or it begins or ends a critical section */
void player_clean(uint32_t berth, int status);      /* it is done with the clean-up that it was given */
void player_rest(uint32_t berth);                   /* it is to be replaced, and claims no more */

/* plays.c: a play from its beginning to its end */
void plays_run(const uint8_t *input, size_t bytes, bool is_rich);

/* forge.c: and what they do as they should not */
void forge(void);

#endif
