/* forge.h - tasks that forge one kind of record, by a seed, and what the tests of them have in common */
#ifndef FORGE_H
#define FORGE_H

#include "hostile.h"

enum { PENDING = 30 };

struct forgery {
    uint32_t seed;
    bool stays; /* computes for ever afterwards, else returns */
    word *done;
};

HELPER uint32_t forge_next(uint32_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
    return *state;
}

/* Values at the edge of something, or anything. */
HELPER uint64_t forge_value(const struct region *r, uint32_t *state)
{
    const uint64_t room = r->g.arena_bytes - r->g.arena_heap;
    const uint64_t edges[] = {0, 1, 31, 32, 33, 4096, 4097, room, room - 16, room + 16, r->g.slots, r->g.slots + 1ull,
                              r->g.lives, UINT32_MAX, UINT64_MAX, UINT64_MAX - 15, 1ull << 63, LOG_ENTRIES + 1};
    uint32_t kind = forge_next(state) % (2 * COUNT(edges));
    return kind < COUNT(edges) ? edges[kind] : (uint64_t)forge_next(state) << 32 | forge_next(state);
}

/* The end of each forging task. */
HELPER int forge_finish(const struct forgery *forgery)
{
    word_add(forgery->done, 1);
    if (forgery->stays)
        compute_for_ever();
    return 0;
}

struct forged {
    mortal_future forger, pending[PENDING];
};

/* A forger, and tasks that wait behind it. Returns when it has done, when somebody ended its future, or after a second:
 * it may have run into what it forged, and hang. */
HELPER struct forged forge(mortal_pool *pool, mortal_function *forger, word *done, uint32_t round, mortal_group *group)
{
    struct forged f;
    struct forgery what = {round * 2654435761u + 1, round % 2, done};
    atomic_store(done, 0);
    f.forger = submit_like(pool, forger, &what, sizeof what, (mortal_task_options){.group = group});
    for (unsigned i = 0; i < PENDING; i++)
        f.pending[i] = submit_like(pool, i % 2 ? task_echo : task_nothing, "pending", 8,
                                  (mortal_task_options){.group = group, .priority = (int)(i % 3) - 1});
    uint64_t until = mortal_now_ns() + SECONDS(1);
    POLL_UNTIL(atomic_load(done) != 0 || look_at(f.forger).phase == MORTAL_ENDED || mortal_now_ns() > until);
    return f;
}

/* They all end, whatever as. harmless: those that waited are done. */
HELPER void forge_end(struct forged *f, bool harmless, unsigned *outcomes)
{
    outcomes[kill_and_read(f->forger)]++;
    CHECK_OK(mortal_future_release(f->forger));
    for (unsigned i = 0; i < PENDING; i++) {
        mortal_verdict verdict = wait_for(f->pending[i]);
        int outcome = read_whole(&verdict);
        outcomes[outcome]++;
        CHECK(!harmless || outcome == MORTAL_DONE);
        CHECK_OK(mortal_future_release(f->pending[i]));
    }
}

HELPER void forge_note(const unsigned *outcomes)
{
    for (int i = 1; i <= MORTAL_LOST; i++)
        if (outcomes[i])
            harness_note("%s: %u", mortal_outcome_name(i), outcomes[i]);
}

/* Verdicts that were taken before anything is forged stay as they are. */
enum { FORGE_TAKEN = 5 };

HELPER void forge_take(mortal_pool *pool, mortal_future taken[FORGE_TAKEN])
{
    for (unsigned i = 0; i < FORGE_TAKEN; i++)
        CHECK_EQ(outcome_of(taken[i] = submit(pool, task_echo, "taken before", 13)), MORTAL_DONE);
}

HELPER void forge_check_taken(const mortal_future taken[FORGE_TAKEN])
{
    for (unsigned i = 0; i < FORGE_TAKEN; i++) {
        mortal_verdict verdict = wait_for(taken[i]);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_STR((const char *)verdict.result, "taken before");
    }
}

#endif
