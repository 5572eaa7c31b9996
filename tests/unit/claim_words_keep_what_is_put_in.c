/*
 * Generation, phase, life and worker come out of a claim word as they went in, none touches another, and the half that
 * waiters sleep on changes with generation and phase alone.
 */
#include "unit.h"

static const uint32_t generations[] = {0, 1, 2, 0x7fffff, 0x800000, GENERATION_MASK};
static const uint32_t lives[] = {0, 1, 0x7fff, 0x8000, WORD_LIVES - 1};
static const uint32_t workers[] = {0, 1, 1023, 1 << 19, WORD_WORKERS - 1};

static uint32_t upper_half_in_memory(uint64_t value)
{
    _Atomic uint64_t word = value;
    return atomic_load(word_futex(&word));
}

static void check_word(uint32_t generation, enum slot_phase phase, uint32_t life, uint32_t worker)
{
    uint64_t word = word_make(generation, phase, life, worker);
    CHECK_EQ(word_generation(word), generation);
    CHECK_EQ(word_phase(word), phase);
    CHECK_EQ(word_life(word), life);
    CHECK_EQ(word_worker(word), worker);
    CHECK_EQ(word_upper(word), upper_half_in_memory(word));
    for (enum slot_phase other = SLOT_FREE; other <= SLOT_OUT_OF_MEMORY; other++) {
        uint64_t changed = word_with_phase(word, other);
        CHECK_EQ(changed, word_make(generation, other, life, worker));
        CHECK_EQ(upper_half_in_memory(changed) == upper_half_in_memory(word), other == phase);
    }
    /* A claim by another worker is no news to who waits for the end. But another generation is. */
    CHECK_EQ(upper_half_in_memory(word_make(generation, phase, life ^ 1, worker ^ 1)) >> 8, generation);
    CHECK(upper_half_in_memory(word_make(generation ^ 1, phase, life, worker)) != upper_half_in_memory(word));
}

static void check_phases(void)
{
    for (enum slot_phase phase = SLOT_FREE; phase <= SLOT_OUT_OF_MEMORY; phase++) {
        bool waits = phase == SLOT_FREE || phase == SLOT_PENDING;
        bool runs = phase == SLOT_RUNNING || phase == SLOT_DYING;
        CHECK_EQ(phase_is_running(phase), runs);
        CHECK_EQ(phase_has_ended(phase), !waits && !runs);
    }
    CHECK(SLOT_OUT_OF_MEMORY < 16); /* four bits */
}

void test(void)
{
    check_phases();
    CHECK_EQ(GENERATION_BITS + 4 + LIFE_BITS + WORKER_BITS, 64);
    CHECK_EQ(word_make(0, SLOT_FREE, 0, 0), 0); /* fresh memory is a free slot */
    for (size_t g = 0; g < COUNT(generations); g++)
        for (enum slot_phase phase = SLOT_FREE; phase <= SLOT_OUT_OF_MEMORY; phase++)
            for (size_t l = 0; l < COUNT(lives); l++)
                for (size_t w = 0; w < COUNT(workers); w++)
                    check_word(generations[g], phase, lives[l], workers[w]);
    for (uint32_t i = 0; i < more_if_long(20000); i++) {
        uint64_t bits = dice();
        check_word((uint32_t)(bits & GENERATION_MASK), (enum slot_phase)(bits >> 24 & 15) % (SLOT_OUT_OF_MEMORY + 1),
                   (uint32_t)(bits >> 28) & (WORD_LIVES - 1), (uint32_t)(bits >> 44));
    }
    /* What does not fit is cut off and leaves the neighbours alone. */
    uint64_t cut = word_make(GENERATION_MASK + 6, SLOT_DONE, WORD_LIVES + 7, WORD_WORKERS + 8);
    CHECK_EQ(cut, word_make(5, SLOT_DONE, 7, 8));
    CHECK_EQ(queue_entry(77, GENERATION_MASK + 6), 5ull << 32 | 77);
}
