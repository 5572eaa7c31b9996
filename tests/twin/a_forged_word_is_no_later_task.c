/*
 * Tasks can write claim words, those of free slots too, and foretell there what the word of the next task will be. Whoever looked at such
 * a word, and is about to act on it, does not take that task for it: an audit that ended what nobody claimed would end it.
 * Broken by: a task that is given the generation which a forged word has.
 */
#include "by_hand.h"

static _Atomic uint64_t *word_of(mortal_future future)
{
    return claim_of(twin_region(), (uint32_t)future.place);
}

/* When the word is forged: of a task that waits, of one that ended and is held, of a free slot. */
enum when { PENDING, ENDED, FREE, WHENS };

/* How a submit may go: its short way, its long way, in a batch. */
static mortal_future submit_by(mortal_pool *pool, unsigned way)
{
    mortal_task_options named = {.size = sizeof named, .name = "named"};
    mortal_job job = {.function = task_nothing};
    mortal_future future;
    if (way == 2)
        CHECK_EQ(mortal_pool_submit_many(pool, &job, 1, NULL, &future, NULL), 0);
    else
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, way == 0 ? NULL : &named, &future));
    return future;
}

/* As the next task there will have it, or one of those that follow. */
static uint64_t forge(mortal_future before, uint32_t ahead)
{
    uint32_t generation = word_generation(atomic_load(word_of(before))) + ahead;
    uint64_t forged = word_make(generation, SLOT_RUNNING, by_hand.host.place.life, 0);
    atomic_store(word_of(before), forged);
    return forged;
}

static uint64_t forge_when(enum when when, mortal_pool *pool, unsigned way, uint32_t ahead, mortal_future *before)
{
    uint64_t forged = 0;
    *before = submit_by(pool, way);
    if (when == PENDING)
        forged = forge(*before, ahead);
    if (when == PENDING)
        CHECK(!worker_step(&by_hand.worker));
    else
        CHECK(worker_step(&by_hand.worker));
    CHECK_EQ(outcome_of(*before), when == PENDING ? MORTAL_LOST : MORTAL_DONE);
    if (when == ENDED)
        forged = forge(*before, ahead);
    CHECK_OK(mortal_future_release(*before));
    return when == FREE ? forge(*before, ahead - 1) : forged;
}

static void foretell(mortal_pool *pool, enum when when, unsigned way, uint32_t ahead)
{
    uint32_t life = by_hand.host.place.life;
    mortal_future before;
    uint64_t forged = forge_when(when, pool, way, ahead, &before), seen = forged;
    mortal_future future = submit_by(pool, way);
    CHECK_EQ((uint32_t)future.place, (uint32_t)before.place);
    CHECK_EQ(word_phase(atomic_load(word_of(future))), SLOT_PENDING);
    CHECK(word_generation(atomic_load(word_of(future))) != word_generation(forged));
    uint32_t slot;
    uint64_t claim;
    CHECK(queue_claim(twin_region(), &by_hand.worker.claimant, &slot, &claim));
    CHECK_EQ(word_life(claim), life);
    CHECK(!atomic_compare_exchange_strong(word_of(future), &seen, word_with_phase(forged, SLOT_LOST)));
    /* The claim is handed back, as a host that is to die does, and the task stands in the queue no more: claimed by hand. */
    atomic_store(word_of(future), word_make(word_generation(claim), SLOT_PENDING, 0, 0));
    CHECK_OK(mortal_future_cancel(future));
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    mortal_pool *pool = by_hand_open((mortal_pool_options){.held_tasks = 64});
    for (uint32_t i = 0; i < 100; i++) /* until this thread is the lock's favourite */
        CHECK_OK(mortal_pool_stats(pool, &(mortal_stats){0}));
    for (int when = 0; when < WHENS; when++)
        for (unsigned way = 0; way < 3; way++)
            for (uint32_t ahead = 1; ahead < 4; ahead++)
                foretell(pool, (enum when)when, way, ahead);
    by_hand_close(pool);
}
