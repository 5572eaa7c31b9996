/*
 * Recovery of one worker of one host leaves alone what runs elsewhere, whatever that worker's record says: a record that
 * names nothing, something that does not exist, or a task of somebody else. A slot's later task waits in its own turn.
 * Broken by: an intent that is believed without a look at who the word names, and at which of the slot's tasks.
 */
#include "deaths.h"

static struct region r;
static const struct death crash = {.cause = 1, .signal = 11, .culprit = NO_WORKER};

static void check_left_alone(uint64_t word, uint32_t life, uint32_t worker)
{
    for (enum sentence sentence = SENTENCE_NONE; sentence <= SENTENCE_WITHIN; sentence++) {
        uint32_t slot = 999;
        word_put(&r, SLOT, word);
        atomic_store(&desk_of(&r, life, worker)->intent, SLOT + 1);
        atomic_store(&desk_of(&r, life, worker)->begun, word_with_phase(word, SLOT_RUNNING));
        CHECK_EQ(recover_slot(&r, SLOT, life, worker, &crash, sentence), RECOVERED_NOTHING);
        CHECK_EQ(recover_desk(&r, life, worker, &crash, sentence, &slot), RECOVERED_NOTHING);
        CHECK_EQ(word_now(&r, SLOT), word);
        CHECK_EQ(atomic_load(&care_of(&r, SLOT)->charged), 0);
    }
}

static void check_no_intent(void)
{
    const uint32_t nonsense[] = {0, r.g.slots + 1, r.g.slots + 2, UINT32_MAX};
    for (size_t i = 0; i < COUNT(nonsense); i++) {
        uint32_t slot = 999;
        atomic_store(&desk_of(&r, LIFE, WORKER)->intent, nonsense[i]);
        CHECK_EQ(recover_desk(&r, LIFE, WORKER, &crash, SENTENCE_NONE, &slot), RECOVERED_NOTHING);
        CHECK_EQ(slot, 999);
    }
}

/* The worker had claimed the slot once. Its next task stands in the queue, behind others: it is not given back to its head. */
static void check_later_task(void)
{
    uint32_t     slot = 999;
    struct desk *desk = desk_of(&r, LIFE, WORKER);
    atomic_store(&desk->wanted, queue_entry(SLOT, GENERATION));
    atomic_store(&desk->intent, SLOT + 1);
    word_put(&r, SLOT, word_make(GENERATION + 1, SLOT_PENDING, 0, 0));
    CHECK_EQ(recover_desk(&r, LIFE, WORKER, &crash, SENTENCE_NONE, &slot), RECOVERED_NOTHING);
    word_put(&r, SLOT, word_make(GENERATION, SLOT_PENDING, 0, 0));
    CHECK_EQ(recover_desk(&r, LIFE, WORKER, &crash, SENTENCE_NONE, &slot), RECOVERED_WAITING);
}

void test(void)
{
    region_make(&r, limits_of(8, 2, 2), LIFE + 1);
    const enum slot_phase phases[] = {SLOT_RUNNING, SLOT_DYING};
    for (size_t i = 0; i < COUNT(phases); i++) {
        uint64_t word = word_make(GENERATION, phases[i], LIFE, WORKER);
        check_left_alone(word, LIFE - 1, WORKER);
        check_left_alone(word, LIFE, OTHER);
        check_left_alone(word_make(GENERATION, phases[i], WORD_LIVES - 1, WORD_WORKERS - 1), LIFE, WORKER);
    }
    check_no_intent();
    check_later_task();
    /* The last slot there is, is one. */
    uint32_t slot = 999, last = r.g.slots - 1;
    word_put(&r, last, word_make(GENERATION, SLOT_RUNNING, LIFE, WORKER));
    atomic_store(&desk_of(&r, LIFE, WORKER)->intent, last + 1);
    atomic_store(&desk_of(&r, LIFE, WORKER)->begun, 0);
    CHECK_EQ(recover_desk(&r, LIFE, WORKER, &crash, SENTENCE_NONE, &slot), RECOVERED_RETURNED);
    CHECK_EQ(slot, last);
    region_destroy(&r);
}
