#include "region/stream.h"

#include <limits.h>

#include "region/heap.h"
#include "region/recover.h"
#include "system/futex.h"
#include "system/memory.h"

static bool makes_sense(const struct region *r, const struct stretch *s, uint64_t taken) {
    uint64_t room = r->g.arena_bytes - r->g.arena_heap, ring = r->g.stream_bytes;
    return s->from <= s->to && s->to - taken <= ring && (s->from | s->to) % STREAM_UNIT == 0 && s->to < STREAM_GONE &&
           ring <= room && s->ring <= room - ring;
}

bool stream_stretch(const struct region *r, uint32_t slot, uint64_t word, uint64_t taken, struct stretch *s) {
    uint32_t life = word_life(word);
    uint64_t running = word_with_phase(word, SLOT_RUNNING);
    *s = (struct stretch){.word = running};
    /* Else the cell may not be there, and a look would make it. ORD(stream:any) pairs ORD(stream:first) */
    if (life >= r->g.lives || atomic_load_explicit(&host_head(r, life)->emitted, memory_order_seq_cst) == 0)
        return false;
    const struct cell *cell = cell_of(r, life, slot);
    /* ORD(stream:whose) pairs ORD(stream:begun) and ORD(stream:nobody): who sees whose parts these are sees from where
     * on they count. */
    if (atomic_load_explicit(&cell->stream_word, memory_order_acquire) != running)
        return false;
    /* ORD(stream:seen) pairs ORD(stream:told): who sees the head sees all that is before it. The last look before a
     * sleep, too: after ORD(stream:watch). */
    s->to = atomic_load_explicit(&cell->stream_head, memory_order_seq_cst);
    if (s->to == taken)
        return false;
    s->from = atomic_load_explicit(&cell->stream_base, memory_order_relaxed);
    s->ring = (uint64_t)atomic_load_explicit(&cell->stream_ring, memory_order_relaxed) * HEAP_UNIT;
    /* Less than what is taken: an earlier start in the same arena, whose parts are all taken. */
    if (s->to < taken && s->from <= s->to)
        return false;
    if (s->from < taken)
        s->from = taken;
    s->is_broken = !makes_sense(r, s, taken);
    return !s->is_broken;
}

uint32_t stream_count(const struct region *r, uint32_t slot, uint32_t generation) {
    if (atomic_load_explicit(&care_of(r, slot)->streamed, memory_order_relaxed) != generation + 1)
        return 0; /* and maybe there is no memory for the notes */
    /* ORD(past:seen) pairs ORD(past:told): who sees how many there are sees them. */
    uint64_t count = atomic_load_explicit(&stream_pasts_of(r, slot)->count, memory_order_acquire);
    return count >> STREAM_POSITION_BITS == generation ? (uint32_t)count : 0;
}

bool stream_has_room_for_attempt(const struct region *r, uint32_t slot, uint32_t generation, uint64_t taken,
                                 uint64_t *base) {
    uint32_t count = stream_count(r, slot, generation);
    *base = taken;
    if (count == 0)
        return true;
    const struct stream_pasts *pasts = stream_pasts_of(r, slot);
    uint64_t last = atomic_load_explicit(&pasts->past[(count - 1) % STREAM_PASTS].to, memory_order_relaxed);
    if (last > taken)
        *base = last;
    const struct stream_past *oldest = &pasts->past[(count - STREAM_PASTS_KEPT) % STREAM_PASTS];
    return count < STREAM_PASTS_KEPT || atomic_load_explicit(&oldest->to, memory_order_relaxed) <= taken;
}

bool stream_part(const struct region *r, uint32_t slot, const struct stretch *s, struct part_place *place) {
    uint64_t ring_bytes = r->g.stream_bytes, mask = ring_bytes - 1, there = s->to - s->from;
    if (s->is_broken || there < sizeof(struct part_head) || word_life(s->word) >= r->g.lives)
        return false;
    const uint8_t *ring = heap_of(r, word_life(s->word)) + s->ring;
    const volatile struct part_head *head = (const void *)(ring + (s->from & mask));
    uint64_t mark = head->mark, bytes = head->bytes;
    if (mark != stream_mark(s->word, slot, s->from) || stream_needs(bytes) > there)
        return false;
    uint64_t at = (s->from + sizeof *head) & mask, first = ring_bytes - at < bytes ? ring_bytes - at : bytes;
    *place = (struct part_place){.first = ring + at, .first_bytes = first, .second = ring,
                                 .second_bytes = bytes - first};
    return true;
}

void stream_rouse(const struct region *r, uint32_t slot) {
    futex_wake(stream_futex(stream_taken_of(r, slot)), INT_MAX);
}

/* ORD(*) what follows is the supervisor's, of hosts that are certainly dead: the kernel comes after all they did. */

static bool is_taken(const struct region *r, uint32_t slot, uint32_t generation, const struct stream_past *past) {
    return atomic_load(&past->to) <= stream_taken_in(atomic_load(stream_taken_of(r, slot)), generation);
}

void stream_bequeath(struct region *r, uint32_t slot, uint64_t word) {
    uint32_t generation = word_generation(word);
    struct stretch s;
    uint64_t taken = stream_taken_in(atomic_load(stream_taken_of(r, slot)), generation);
    if (!stream_stretch(r, slot, word, taken, &s))
        return;
    struct stream_pasts *pasts = stream_pasts_of(r, slot);
    uint64_t offset = (uint64_t)((uint8_t *)pasts - r->control);
    if (memory_commit(pasts, sizeof *pasts, r->control_fd, offset) != 0)
        return; /* better without these parts than without a supervisor */
    uint32_t count = stream_count(r, slot, generation);
    const struct stream_past *last = &pasts->past[(count - 1) % STREAM_PASTS];
    if (count != 0 && atomic_load(&last->word) == s.word && atomic_load(&last->to) == s.to)
        return; /* this is done again */
    if (count >= STREAM_PASTS_KEPT &&
        !is_taken(r, slot, generation, &pasts->past[(count - STREAM_PASTS_KEPT) % STREAM_PASTS]))
        return; /* its host had seen that, and let it emit nothing */
    struct stream_past *past = &pasts->past[count % STREAM_PASTS];
    /* ORD(past:reuse) pairs ORD(past:again): whoever reads a note while another one is written over it sees that there are
     * more of them. The count before was stored before this, but what follows a release may be seen ahead of it. */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&care_of(r, slot)->streamed, generation + 1, memory_order_relaxed);
    atomic_store_explicit(&past->word, s.word, memory_order_relaxed);
    atomic_store_explicit(&past->from, s.from, memory_order_relaxed);
    atomic_store_explicit(&past->to, s.to, memory_order_relaxed);
    atomic_store_explicit(&past->ring, (uint32_t)(s.ring / HEAP_UNIT), memory_order_relaxed);
    atomic_store_explicit(&past->attempt, care_attempts(care_of(r, slot)) + 1, memory_order_relaxed);
    /* ORD(past:told) pairs ORD(past:seen), ORD(past:again) and ORD(stream:word) */
    atomic_store_explicit(&pasts->count, (uint64_t)generation << STREAM_POSITION_BITS | (count + 1),
                          memory_order_release);
}

void stream_mark_lives(const struct region *r, uint32_t slot, uint32_t generation, uint8_t *marks) {
    const struct stream_pasts *pasts = stream_pasts_of(r, slot);
    uint32_t count = stream_count(r, slot, generation);
    for (uint32_t n = count > STREAM_PASTS_KEPT ? count - STREAM_PASTS_KEPT : 0; n < count; n++) {
        const struct stream_past *past = &pasts->past[n % STREAM_PASTS];
        uint32_t life = word_life(atomic_load(&past->word));
        if (!is_taken(r, slot, generation, past) && life < r->g.lives)
            marks[life] = 1;
    }
}
