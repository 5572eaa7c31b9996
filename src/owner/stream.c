/*
 * stream.c - mortal_future_next: what a task gave before it ended, one part after the other
 *
 * Of each attempt, the oldest first, parts lie in the arena of the host that ran it, where that host could write
 * anything: each length is read once and bounded, each part says where it belongs, and is copied out. What makes no
 * sense ends that attempt's parts, and nothing else.
 */
#include "region/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "owner/seat.h"
#include "region/recover.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/why.h"

/* What futures whose parts were asked for have beside their entry. */
struct stream {
    uint64_t taken;       /* as hosts are told */
    uint64_t number;      /* of the next part */
    uint64_t broken_word; /* parts of that start are not believed any more */
    uint32_t pasts_seen;  /* earlier attempts that were noted and are taken */
    uint32_t sleepers;
    uint8_t *copy;
    size_t   copy_room;
    uint32_t place;       /* among its group's tellers, from 1 */
};

void stream_drop(struct entry *entry) {
    free(entry->stream->copy);
    free(entry->stream);
    entry->stream = NULL;
}

static uint32_t generation_of(const struct entry *entry) { return (uint32_t)(entry->life & GENERATION_MASK); }

/* Where its parts lie now, if it runs or has published: the word, or 0. An ended task's word is the ledger's. */
static uint64_t present_word(const struct pool *pool, uint32_t slot) {
    const struct entry *entry = &pool->entries[slot];
    if (entry->state != ENTRY_LIVE)
        return word_generation(entry->answered) == generation_of(entry) ? entry->answered : 0;
    /* ORD(stream:word) pairs ORD(past:told): who sees a later start sees what was noted of those before. So this comes
     * first. */
    uint64_t word = atomic_load_explicit(claim_of(pool->region, slot), memory_order_acquire);
    enum slot_phase phase = word_phase(word);
    bool has_cell = phase_is_running(phase) || phase == SLOT_DONE || phase == SLOT_FAILED;
    return has_cell && word_generation(word) == generation_of(entry) ? word : 0;
}

/* Hosts may use the memory of what was taken again. Who waits for room is woken when half of it is there, and not for
 * each part. */
static void take_up_to(struct pool *pool, uint32_t slot, uint64_t taken) {
    const struct region *r = pool->region;
    const struct entry *entry = &pool->entries[slot];
    /* ORD(stream:take) pairs ORD(stream:room), ORD(stream:sleep) and ORD(parts:reuse): the part was copied before. And
     * a full barrier before the look for who waits, ORD(stream:heed). */
    atomic_store_explicit(stream_taken_of(r, slot), stream_taken_word(generation_of(entry), taken),
                          memory_order_seq_cst);
    uint64_t word = present_word(pool, slot);
    if (entry->state != ENTRY_LIVE || !phase_is_running(word_phase(word)) || word_life(word) >= r->g.lives)
        return;
    if (atomic_load(&host_head(r, word_life(word))->emitted) == 0) /* ORD(*) or there is nobody to heed */
        return;
    const struct cell *cell = cell_of(r, word_life(word), slot);
    /* ORD(stream:heed) pairs ORD(stream:wish): one of the two sees the other. Only a hint to whom: what stands there
     * may be of another task. */
    if (atomic_load_explicit(&cell->stream_wants, memory_order_seq_cst) == 0)
        return;
    uint64_t head = atomic_load_explicit(&cell->stream_head, memory_order_relaxed);
    if (head <= taken || head - taken <= r->g.stream_bytes / 2)
        stream_rouse(r, slot);
}

/* Nobody will take more: who waits for room need not. */
void stream_leave(struct pool *pool, uint32_t slot) { take_up_to(pool, slot, STREAM_GONE); }

static bool next_past(struct pool *pool, uint32_t slot, struct stream *stream, struct stretch *s) {
    const struct region *r = pool->region;
    uint32_t count = stream_count(r, slot, generation_of(&pool->entries[slot]));
    if (count > STREAM_PASTS_KEPT && stream->pasts_seen < count - STREAM_PASTS_KEPT)
        stream->pasts_seen = count - STREAM_PASTS_KEPT; /* those before are taken, and written over */
    for (; stream->pasts_seen < count; stream->pasts_seen++) {
        const struct stream_past *past = &stream_pasts_of(r, slot)->past[stream->pasts_seen % STREAM_PASTS];
        *s = (struct stretch){
            .word = atomic_load_explicit(&past->word, memory_order_relaxed),
            .from = atomic_load_explicit(&past->from, memory_order_relaxed),
            .to = atomic_load_explicit(&past->to, memory_order_relaxed),
            .ring = (uint64_t)atomic_load_explicit(&past->ring, memory_order_relaxed) * HEAP_UNIT,
            .attempt = atomic_load_explicit(&past->attempt, memory_order_relaxed),
        };
        /* ORD(past:again) pairs ORD(past:told) and ORD(past:reuse): the note, then whether it could not yet be written over. */
        atomic_thread_fence(memory_order_acquire);
        if (stream_count(r, slot, generation_of(&pool->entries[slot])) != count)
            return next_past(pool, slot, stream, s);
        if (s->from < stream->taken)
            s->from = stream->taken;
        if (s->word == stream->broken_word && s->to > stream->taken)
            take_up_to(pool, slot, stream->taken = s->to);
        else if (s->from < s->to)
            return true;
    }
    return false;
}

static bool next_stretch(struct pool *pool, uint32_t slot, struct stream *stream, struct stretch *s) {
    uint64_t word = present_word(pool, slot);
    if (next_past(pool, slot, stream, s))
        return true;
    if (word == 0 || word_with_phase(word, SLOT_RUNNING) == stream->broken_word)
        return false;
    if (!stream_stretch(pool->region, slot, word, stream->taken, s) && !s->is_broken)
        return false;
    s->attempt = care_attempts(care_of(pool->region, slot)) + 1;
    /* ORD(stream:attempt) pairs ORD(care:charged): the count of starts, then whether what this one left was noted meanwhile. It
     * is charged after that: then the note tells which one it was. */
    atomic_thread_fence(memory_order_acquire);
    if (stream_count(pool->region, slot, generation_of(&pool->entries[slot])) != stream->pasts_seen)
        return next_stretch(pool, slot, stream, s);
    return true;
}

static bool reserve_copy(struct stream *stream, size_t bytes) {
    if (bytes <= stream->copy_room)
        return true;
    size_t room = stream->copy_room * 2 > bytes ? stream->copy_room * 2 : bytes < 256 ? 256 : bytes;
    uint8_t *more = malloc(room); /* aligned to 16; nothing of the part before is needed */
    if (more == NULL)
        return false;
    free(stream->copy);
    stream->copy = more;
    stream->copy_room = room;
    return true;
}

/* The part at the beginning of a stretch. 0, -EBADMSG or -ENOMEM. */
static int read_part(const struct region *r, uint32_t slot, const struct stretch *s, struct stream *stream,
                     size_t *count) {
    struct part_place place;
    if (!stream_part(r, slot, s, &place))
        return -EBADMSG;
    if (!reserve_copy(stream, part_bytes_of(&place)))
        return -ENOMEM;
    if (place.first_bytes != 0)
        memcpy(stream->copy, place.first, place.first_bytes);
    if (place.second_bytes != 0)
        memcpy(stream->copy + place.first_bytes, place.second, place.second_bytes);
    *count = part_bytes_of(&place);
    return 0;
}

static void tell_part(struct pool *pool, uint32_t slot, struct stream *stream, const struct stretch *s, size_t count,
                      mortal_part *part) {
    *part = (mortal_part){.future = seat_future(pool, slot), .tag = pool->entries[slot].tag, .number = stream->number++,
                          .attempt = s->attempt, .bytes = count, .data = count != 0 ? stream->copy : NULL};
}

int stream_take(struct pool *pool, uint32_t slot, mortal_part *part) {
    struct stream *stream = pool->entries[slot].stream;
    struct stretch s;
    size_t count;
    if (!next_stretch(pool, slot, stream, &s))
        return -ENODATA;
    int error = read_part(pool->region, slot, &s, stream, &count);
    if (error == -ENOMEM)
        return error;
    if (error == -EBADMSG && s.is_broken)
        stream->broken_word = s.word; /* nor is it believed how much there is */
    else
        take_up_to(pool, slot, stream->taken = error == 0 ? s.from + stream_needs(count) : s.to);
    if (error != 0)
        return error;
    tell_part(pool, slot, stream, &s, count, part);
    return 0;
}

bool stream_make(struct entry *entry) {
    if (entry->stream == NULL)
        entry->stream = calloc(1, sizeof *entry->stream);
    entry->has_extras = true;
    return entry->stream != NULL;
}

uint32_t *stream_place(const struct entry *entry) { return &entry->stream->place; }

bool stream_is_there(struct pool *pool, uint32_t slot) {
    struct stretch s;
    return next_stretch(pool, slot, pool->entries[slot].stream, &s);
}

/* Without the lock, so that others get in; what is looked at stays mapped, and is only a hint. */
static void spin_for_part(struct pool *pool, uint32_t slot) {
    const struct region *r = pool->region;
    const _Atomic uint64_t *claim = claim_of(r, slot);
    uint64_t word = present_word(pool, slot), taken = pool->entries[slot].stream->taken;
    if (word == 0 || word_life(word) >= r->g.lives)
        return;
    if (atomic_load(&host_head(r, word_life(word))->emitted) == 0)
        return; /* the cell may not be there */
    const struct cell *cell = cell_of(r, word_life(word), slot);
    struct spin spin = {.limit_us = pool->spin_us};
    pool->sleepers++;
    seat_unlock(pool);
    /* ORD(*) hints: ORD(stream:seen) and ORD(harvest) read both again. */
    while (atomic_load(claim) == word && atomic_load(&cell->stream_head) <= taken && spin_turn(&spin)) {
    }
    watch_leave(pool);
}

/* Until something changes: a part, the end, the supervisor's death. */
static int sleep_for_part(struct pool *pool, uint32_t slot, uint64_t life, uint64_t deadline_ns) {
    struct entry *entry = &pool->entries[slot];
    struct order *order = order_of(pool->region, slot);
    entry->stream->sleepers++;
    /* ORD(stream:watch) pairs ORD(stream:watched) and ORD(stream:ring): told before the last look. And as
     * ORD(watch:sleep). */
    atomic_fetch_or(&order->watched, WATCHED_PARTS);
    const _Atomic uint32_t *bell = stream_bell_of(pool->region, slot);
    const _Atomic uint64_t *claim = claim_of(pool->region, slot);
    struct waiting on = {.word = bell, .value = atomic_load(bell), .deadline_ns = deadline_ns,
                         .also = word_futex(claim), .also_value = word_upper(atomic_load(claim))};
    struct stretch s;
    int outcome = 0;
    if (!ledger_harvest(pool, slot) && !next_stretch(pool, slot, entry->stream, &s)) {
        uint64_t since = clock_ns();
        outcome = watch_sleep(pool, &on);
        pool->spin_us = spin_learn(pool->spin_us, clock_ns() - since);
    }
    if (entry->life == life && --entry->stream->sleepers == 0)
        atomic_fetch_and(&order->watched, ~(uint32_t)WATCHED_PARTS);
    return outcome;
}

static int next_part(struct pool *pool, uint32_t slot, uint64_t deadline_ns, mortal_part *part) {
    struct entry *entry = &pool->entries[slot];
    uint64_t life = entry->life;
    bool has_spun = false;
    int error;
    if (!stream_make(entry))
        return -ENOMEM;
    for (;;) {
        bool ended = ledger_harvest(pool, slot); /* before the look: what comes in between is found the next time */
        error = stream_take(pool, slot, part);
        if (error != -ENODATA)
            return error;
        if (!ended && !watch_supervisor(pool)) /* which asks the kernel, so not while there are parts */
            continue;
        if (ended)
            return -ENOENT;
        if (breaker_is_open(pool->region) &&
            word_phase(atomic_load(claim_of(pool->region, slot))) == SLOT_PENDING)
            return -EHOSTDOWN;
        if (deadline_ns == 0)
            return -ETIMEDOUT;
        if (!has_spun)
            spin_for_part(pool, slot);
        else
            error = sleep_for_part(pool, slot, life, deadline_ns);
        if (pool_is_closed_to_me(pool))
            return -ESHUTDOWN;
        if (entry->life != life || entry->released)
            return -ESTALE;
        if (has_spun && error == -ETIMEDOUT)
            deadline_ns = 0; /* one last look */
        else if (has_spun && error != 0)
            return error;
        has_spun = true;
    }
}

int stream_refuse(struct pool *pool, const char *call, int error) {
    switch (error) {
    case -ENOENT:
        return why(error, "%s: the task has ended, and all that it emitted was taken", call);
    case -ETIMEDOUT:
        return why(error, "%s: no part came within the time-out", call);
    case -EINTR:
        return why(error, "%s: a signal handler ran; call again to wait on", call);
    case -ESHUTDOWN:
        return why(error, "%s: another thread is closing the pool, or the group", call);
    case -ESTALE:
        return why(error, "%s: another thread released this future meanwhile", call);
    case -EBADMSG:
        return why(error, "%s: a task has overwritten parts: what was not taken of that attempt is lost; call again for "
                          "the rest", call);
    case -ENOMEM:
        return why(error, "%s: no memory for a copy of the part; it is still there", call);
    case -EHOSTDOWN:
        return breaker_refuse(pool, call);
    default:
        return error;
    }
}

int mortal_future_next(mortal_future future, uint64_t timeout_ns, mortal_part *part) {
    struct pool *pool;
    uint32_t slot;
    if (part == NULL)
        return why(-EINVAL, "mortal_future_next: part is null");
    int error = seat_enter_future(future, "mortal_future_next", &pool, &slot);
    if (error != 0)
        return error;
    error = next_part(pool, slot, timeout_ns == 0 ? 0 : clock_after(timeout_ns), part);
    if (error != 0)
        error = stream_refuse(pool, "mortal_future_next", error);
    seat_unlock(pool);
    return error;
}
