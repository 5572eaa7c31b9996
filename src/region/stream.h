/*
 * stream.h - what a task gives before it ends: parts, each of which is kept whatever happens later
 *
 * Parts lie in a ring in the heap of the task's host. A part is there from the store of the head behind it on, and
 * nothing is needed after that. Positions count on from one attempt of a task to the next, so what nobody took of all
 * attempts together is never more than one ring, and one word that only the owner writes tells all of them what is taken.
 *
 *   host                                  supervisor, host is dead              owner
 *   ----                                  ------------------------              -----
 *   base = end of what is there           notes for the slot: this attempt's    word; earlier attempts, oldest first;
 *   part, then head ------------------->  parts lie there, from base to head,   then the present one: copy, check, and
 *   sleeps where the ring is full         and swaps the word only then          taken = behind it
 *     ^                                                                           |
 *     +---------------------------------------------------------------------------+
 *
 * An arena with parts that nobody took is not given to another host: lives.c looks at these notes as at claim words.
 *
 * The host could write anything there: each part says of which task and position it is, and whoever reads believes no
 * length that leads out of the ring.
 */
#ifndef REGION_STREAM_H
#define REGION_STREAM_H

#include "region/layout.h"

#define STREAM_UNIT 16u         /* of positions, and what a part is aligned to */
#define STREAM_PASTS_KEPT 6u    /* attempts of a task whose parts are kept beside the present one's */
#define STREAM_PASTS 7u         /* one more, so that nobody reads what is being written */
#define STREAM_BYTES_LEAST 4096ull
#define STREAM_BYTES_MOST (1ull << 30)
#define STREAM_POSITION_BITS 40 /* in units */
#define STREAM_GONE (((1ull << STREAM_POSITION_BITS) - 1) * STREAM_UNIT) /* taken: nobody will ever take more */

/* Ahead of each part in the ring. The ring is a power of two, so this never lies at both its ends. */
struct part_head {
    uint64_t mark;  /* H  of this task, attempt and position */
    uint32_t bytes; /* H */
    uint32_t reserved;
};
static_assert(sizeof(struct part_head) == STREAM_UNIT, "one unit");

struct stream_past {
    _Atomic uint64_t word;       /* S  RUNNING, of the attempt that is over */
    _Atomic uint64_t from, to;   /* S  positions: its parts */
    _Atomic uint32_t ring;       /* S  in the heap of that life, in units of it; as its host said */
    _Atomic uint32_t attempt;    /* S */
};
/* One per slot. What was noted n-th is at n % STREAM_PASTS, and stays there until all of it is taken and one more is
 * noted. */
struct stream_pasts {
    alignas(LINE) _Atomic uint64_t count; /* S  generation << 40 | how many were noted for it; stored last */
    uint64_t reserved[3];
    struct stream_past past[STREAM_PASTS];
};
static_assert(sizeof(struct stream_pasts) == 256, "four lines");

static inline struct stream_pasts *stream_pasts_of(const struct region *r, uint32_t slot) {
    return (struct stream_pasts *)(void *)(r->control + r->g.control_streams) + slot;
}
/* generation << 40 | units taken.  O */
static inline _Atomic uint64_t *stream_taken_of(const struct region *r, uint32_t slot) {
    return (_Atomic uint64_t *)(void *)(r->orders + r->g.order_taken) + slot;
}
/* Futex: a part of that slot's task is there. Beside the claim word.  A */
static inline _Atomic uint32_t *stream_bell_of(const struct region *r, uint32_t slot) {
    return (_Atomic uint32_t *)(void *)(claim_of(r, slot) + 1);
}

static inline uint64_t stream_taken_word(uint32_t generation, uint64_t taken) {
    return (uint64_t)(generation & GENERATION_MASK) << STREAM_POSITION_BITS | taken / STREAM_UNIT;
}
/* Of that generation: an earlier task of the slot left its own there. */
static inline uint64_t stream_taken_in(uint64_t said, uint32_t generation) {
    return said >> STREAM_POSITION_BITS == (generation & GENERATION_MASK)
               ? (said & ((1ull << STREAM_POSITION_BITS) - 1)) * STREAM_UNIT : 0;
}
/* The half that changes, for whoever sleeps for room. */
static inline const _Atomic uint32_t *stream_futex(const _Atomic uint64_t *taken) {
    const _Atomic uint32_t *halves = (const _Atomic uint32_t *)(const void *)taken;
    return halves + (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 1);
}

static inline uint64_t stream_mark(uint64_t running, uint32_t slot, uint64_t position) {
    return (running ^ 0x5d1a7bca55e77e11ull) * 0x9e3779b97f4a7c15ull + (slot + 1ull) * 0xc2b2ae3d27d4eb4full + position;
}
static inline uint64_t stream_needs(uint64_t bytes) { /* of the ring */
    return sizeof(struct part_head) + (bytes + STREAM_UNIT - 1) / STREAM_UNIT * STREAM_UNIT;
}

/* What a living or dead host says of a task's parts. Read once, and checked: false if there are none beyond `taken`, or
 * if it makes no sense, which is then told by is_broken. */
struct stretch {
    uint64_t word, from, to, ring; /* ring: an offset into the heap of its life */
    uint32_t attempt;
    bool     is_broken;
};
bool stream_stretch(const struct region *r, uint32_t slot, uint64_t claim, uint64_t taken, struct stretch *stretch);

/* How many earlier attempts of that task were noted. */
uint32_t stream_count(const struct region *r, uint32_t slot, uint32_t generation);

/* A new attempt's parts begin at base. False: too many earlier ones still have parts. */
bool stream_has_room_for_attempt(const struct region *r, uint32_t slot, uint32_t generation, uint64_t taken,
                                 uint64_t *base);

/* The first part of a stretch, in two pieces where it goes around the end of the ring. False: what stands there is
 * none. The bytes may change while they are copied, the pieces lie in the ring whatever the host does. */
struct part_place {
    const uint8_t *first, *second;
    uint64_t first_bytes, second_bytes;
};
bool stream_part(const struct region *r, uint32_t slot, const struct stretch *stretch, struct part_place *place);
static inline uint64_t part_bytes_of(const struct part_place *place) {
    return place->first_bytes + place->second_bytes;
}

/* The supervisor, before it moves the word of a task whose host is certainly dead: note what it left. May be cut
 * anywhere, and done again. */
void stream_bequeath(struct region *r, uint32_t slot, uint64_t claim);

/* Sets the mark of each life where parts of earlier attempts lie that are still to be taken. */
void stream_mark_lives(const struct region *r, uint32_t slot, uint32_t generation, uint8_t *marks);

/* Who sleeps for room looks again why. */
void stream_rouse(const struct region *r, uint32_t slot);

#endif
