/*
 * A task that writes claim words of other tasks, with any phase, host, worker and generation, its own included: each of
 * them ends, as the word says or lost, no verdict taken before changes, and the pool works afterwards.
 * Broken by: a word that sends the owner or the supervisor to a host that is not there, or leaves a task to nobody.
 */
#include "forge.h"

enum { ROUNDS = 12, ROUNDS_LONG = 100 };

/* Its own word may say that a forger has ended while it is still at it, and who looks whether the pool works must know. */
static word *writer_of(word *done)
{
    return done + 1;
}

static void await_writer(word *done)
{
    POLL_UNTIL(atomic_load(done) != 0 || state_of_process((pid_t)atomic_load(writer_of(done))) == 0);
}

static int forge_words(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct forgery forgery = *(const struct forgery *)input;
    const struct region *r = task->worker->region;
    uint32_t *seed = &forgery.seed, life = task->worker->host->place.life;
    word_set(writer_of(forgery.done), (uint32_t)getpid());
    for (unsigned i = 0; i < 40; i++) {
        uint32_t slot = forge_next(seed) % 48, how = forge_next(seed);
        uint64_t claim = atomic_load(claim_of(r, slot));
        uint32_t generation = word_generation(claim) + (how % 8 == 0);
        uint32_t of_life = how & 16 ? life : how & 32 ? forge_next(seed) % r->g.lives : word_life(claim);
        claim = word_make(generation, (enum slot_phase)(how >> 8 & 15), of_life, how & 64 ? forge_next(seed) : 0);
        atomic_store(claim_of(r, slot), claim);
    }
    return forge_finish(&forgery);
}

void test(void)
{
    unsigned outcomes[16] = {0};
    word *done = harness_shared(2 * sizeof *done);
    mortal_future taken[FORGE_TAKEN];
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 64, .queue_tasks = 64,
                                                        .results_bytes = 1 << 20});
    forge_take(pool, taken);
    for (uint32_t round = 0; round < (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        word_set(writer_of(done), 0);
        struct forged forged = forge(pool, forge_words, done, round, NULL);
        forge_end(&forged, false, outcomes);
        await_writer(done);
        check_pool_works(pool);
    }
    forge_check_taken(taken);
    forge_note(outcomes);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
