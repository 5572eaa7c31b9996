/*
 * lives.c - which part of the answers a new host writes to
 *
 * The arena of a dead host stays as long as a claim word points into it: an unreleased result lies there. That is all the
 * bookkeeping there is; no counter could be kept right through every death.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "region/plant.h"
#include "region/stream.h"
#include "supervisor/state.h"
#include "system/memory.h"

/* ORD(*) of hosts that are certainly dead, and words that the owner alone moves on. */

#define COLLECT_AT 64u
#define COLLECT_BYTES (32ull << 20)

int lives_open(struct supervisor *s) {
    uint32_t lives = s->region->g.lives;
    /* In one, and so large enough to be a mapping of its own: a smaller one is cleared in the heap, which touches it. */
    s->free_lives = calloc(lives, sizeof *s->free_lives + sizeof *s->dead_lives + sizeof *s->life_berth + sizeof *s->life_marks);
    if (s->free_lives == NULL)
        return -ENOMEM;
    s->dead_lives = s->free_lives + lives;
    s->life_berth = (uint16_t *)(void *)(s->dead_lives + lives);
    s->life_marks = (uint8_t *)(s->life_berth + lives);
    return 0; /* none is on the stack yet: those never used are given out by number, and no table is touched before */
}

static uint64_t heap_bytes(const struct supervisor *s, uint32_t life) {
    const struct geometry *g = &s->region->g;
    uint64_t top = atomic_load(&host_head(s->region, life)->heap_top), most = g->arena_bytes - g->arena_heap;
    return top < most ? top : most; /* it may be overwritten */
}

static void give_back_pages(struct supervisor *s, uint32_t life) {
    const struct geometry *g = &s->region->g;
    uint64_t top = heap_bytes(s, life);
    if (top != 0)
        memory_punch(s->region->answers_fd, (uint64_t)life * g->arena_bytes + g->arena_heap, round_up(top, PAGE_BYTES));
}

/* Whom a start was charged to keeps a recovery from charging the same death twice. That death is settled, and the life is
 * about to be another host's: what runs and crashes there is charged anew. The count stays. */
static void forget_whom(const struct supervisor *s, _Atomic uint64_t *counted) {
    uint64_t whom = atomic_load_explicit(counted, memory_order_relaxed) & CARE_UNCHARGED;
    if (whom != CARE_UNCHARGED && s->life_berth[whom >> WORKER_BITS] == 0)
        atomic_fetch_or_explicit(counted, CARE_UNCHARGED, memory_order_relaxed);
}

void lives_collect(struct supervisor *s) {
    const struct region *r = s->region;
    memset(s->life_marks, 0, r->g.lives);
    uint32_t known = atomic_load(&control_head(r)->slots_known);
    for (uint32_t slot = 0; slot < known && slot < r->g.slots; slot++) {
        uint64_t word = atomic_load(claim_of(r, slot));
        if ((word_phase(word) == SLOT_DONE || word_phase(word) == SLOT_FAILED) && word_life(word) < r->g.lives)
            s->life_marks[word_life(word)] = 1;
        stream_mark_lives(r, slot, word_generation(word), s->life_marks);
        forget_whom(s, &care_of(r, slot)->charged);
        forget_whom(s, &care_of(r, slot)->returned);
    }
    uint32_t kept = 0;
    s->dead_bytes = 0;
    for (uint32_t i = 0; i < s->dead_life_count; i++) {
        uint32_t life = s->dead_lives[i];
        if (s->life_marks[life] != 0 && !PLANTED(PLANT_PIN_FORGOTTEN)) {
            s->dead_lives[kept++] = life;
            s->dead_bytes += heap_bytes(s, life);
        } else {
            give_back_pages(s, life);
            s->free_lives[s->free_life_count++] = life;
        }
    }
    s->dead_life_count = kept;
    s->dead_lives_pinned = kept;
    s->dead_bytes_pinned = s->dead_bytes;
}

void lives_bury(struct supervisor *s, uint32_t life) {
    s->dead_lives[s->dead_life_count++] = life;
    s->dead_bytes += heap_bytes(s, life);
}

void lives_let_go(struct supervisor *s, uint32_t life) {
    if (!cleanup_needs_life(s, life) && !sitters_need_life(s, life))
        lives_bury(s, life);
}

uint32_t lives_take(struct supervisor *s) {
    /* A look at all slots once per so many deaths, or so many bytes, costs each of them a constant share of it. */
    bool none_left = s->free_life_count == 0 && s->fresh_life == s->region->g.lives;
    if (none_left || s->dead_life_count >= COLLECT_AT + 2 * s->dead_lives_pinned ||
        s->dead_bytes >= COLLECT_BYTES + 2 * s->dead_bytes_pinned)
        lives_collect(s);
    if (s->free_life_count != 0) /* used before: its pages are warm */
        return s->free_lives[--s->free_life_count];
    return s->fresh_life < s->region->g.lives ? s->fresh_life++ : NO_LIFE;
}
