/*
 * word.h - the claim word: one task's whole fate in 64 bits
 *
 *    63          40 39   36 35        20 19          0
 *   +--------------+-------+------------+-------------+
 *   |  generation  | phase |    life    |   worker    |
 *   +--------------+-------+------------+-------------+
 *
 *   generation  which use of the slot this is; changes exactly when the slot leaves FREE
 *   phase       below
 *   life        which host: an index into the lives of the region, meaningful from RUNNING on
 *   worker      which worker of that host
 *
 *   FREE --owner--> PENDING --worker--> RUNNING --worker--> DONE, FAILED, BARE
 *                    |   ^               |   |
 *    owner,supervisor|   +--worker: host doomed, supervisor: not begun or restartable
 *                    v                   |   +--supervisor, after certain death--> CRASHED, COLLATERAL, QUARANTINED
 *         CANCELLED, EXPIRED             v
 *                                      DYING --supervisor, after certain death--> KILLED, TIMED_OUT, CANCELLED, EXPIRED
 *          DYING and RUNNING also, over a cap or for lack of memory --supervisor, after certain death--> OUT_OF_MEMORY;
 *          DYING, over a cap on processes, --likewise--> CRASHED, QUARANTINED
 *   any ended phase --owner--> FREE           RUNNING, PENDING --owner, supervisor certainly dead--> LOST
 *
 * Every arrow is one compare-and-swap (the first and the last are plain stores of the owner, who alone may make them).
 * Owning a cell by writing one's id into it, instead of taking a ticket and recording it, is what leaves no window in
 * which a task is taken and nobody knows by whom; nginx's shared mutex and iceoryx2's index set do it the same way.
 *
 * The upper half holds generation and phase: waiters sleep on it as a futex.
 */
#ifndef REGION_WORD_H
#define REGION_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum slot_phase {
    SLOT_FREE = 0,
    SLOT_PENDING,
    SLOT_RUNNING,
    SLOT_DYING,      /* the supervisor decided to kill: the worker can no longer publish */
    SLOT_DONE,       /* a cell in the answers of that life holds status and result */
    SLOT_FAILED,     /* likewise */
    SLOT_BARE,       /* done with status 0 and without a result: there is no cell to read */
    SLOT_CANCELLED,  /* from here on: control holds the fate, written before the word */
    SLOT_EXPIRED,
    SLOT_KILLED,
    SLOT_TIMED_OUT,
    SLOT_CRASHED,
    SLOT_COLLATERAL,
    SLOT_QUARANTINED, /* crashed with its attempts, more than one, all spent */
    SLOT_LOST,
    SLOT_OUT_OF_MEMORY, /* like crashed, or killed over a cap: told by the fate. The last that four bits can tell */
};

#define GENERATION_BITS 24
#define GENERATION_MASK 0xffffffu
#define LIFE_BITS 16
#define WORKER_BITS 20
#define WORD_LIVES (1u << LIFE_BITS)
#define WORD_WORKERS (1u << WORKER_BITS)

static inline uint64_t word_make(uint32_t generation, enum slot_phase phase, uint32_t life, uint32_t worker) {
    return (uint64_t)(generation & GENERATION_MASK) << 40 | (uint64_t)phase << 36 |
           (uint64_t)(life & (WORD_LIVES - 1)) << WORKER_BITS | (worker & (WORD_WORKERS - 1));
}

static inline uint32_t word_generation(uint64_t word) { return (uint32_t)(word >> 40); }
static inline enum slot_phase word_phase(uint64_t word) { return (enum slot_phase)(word >> 36 & 15); }
static inline uint32_t word_life(uint64_t word) { return (uint32_t)(word >> WORKER_BITS) & (WORD_LIVES - 1); }
static inline uint32_t word_worker(uint64_t word) { return (uint32_t)word & (WORD_WORKERS - 1); }
static inline uint64_t word_with_phase(uint64_t word, enum slot_phase phase) {
    return (word & ~(15ull << 36)) | (uint64_t)phase << 36;
}

/* A bare end is the one phase that nothing else in the region confirms, so it carries a check in the spare upper half of
 * the worker's bits: a stray byte in a waiting task's word must not read as "done". */
static inline uint32_t word_check(uint64_t word, uint32_t slot) {
    return (uint32_t)(((uint64_t)slot * 2654435761u + word_generation(word) * 40503ull + word_life(word) * 97ull) >> 7) & 1023;
}
static inline uint64_t word_bare(uint64_t running, uint32_t slot) {
    return word_with_phase(running, SLOT_BARE) ^ (uint64_t)word_check(running, slot) << 10;
}
static inline bool word_is_bare_for(uint64_t word, uint32_t slot) {
    return word_phase(word) == SLOT_BARE && (word_worker(word) >> 10) == word_check(word, slot);
}

static inline bool phase_has_ended(enum slot_phase phase) { return phase >= SLOT_DONE; }
static inline bool phase_is_running(enum slot_phase phase) { return phase == SLOT_RUNNING || phase == SLOT_DYING; }

/* The half that waiters sleep on. */
static inline const _Atomic uint32_t *word_futex(const _Atomic uint64_t *word) {
    const _Atomic uint32_t *halves = (const _Atomic uint32_t *)(const void *)word;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return halves + 1;
#else
    return halves;
#endif
}
static inline uint32_t word_upper(uint64_t word) { return (uint32_t)(word >> 32); }

#endif
