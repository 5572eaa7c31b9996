/*
 * Inputs and results from nothing to several pages, results that grow and shrink while they are made, read in place by
 * several threads and released late, in a heap that is too small to hold many: every byte arrives.
 * Broken by: a result's memory that is used again before its release was seen; a block known by slot only, when a slot is
 * used anew; two workers of one host in its heap at once.
 */
#include "twin.h"

enum { MOST = 20000, IN_FLIGHT = 12, THREADS = 3 };

struct customer {
    mortal_pool *pool;
    uint64_t dice;
    uint32_t tasks;
    pthread_t thread;
};

struct letter {
    uint32_t seed, result_bytes, detours;
    uint8_t bytes[MOST];
};

static uint8_t byte_at(uint32_t seed, uint32_t index)
{
    return (uint8_t)(seed * 31 + index * 7 + (index >> 8));
}

static void *resize(mortal_task *task, uint32_t bytes)
{
    void *memory;
    while ((memory = mortal_task_result(task, bytes)) == NULL && bytes != 0)
        sched_yield(); /* until enough of what others hold is released */
    return memory;
}

static int answer(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct letter *letter = input;
    uint32_t length = (uint32_t)(input_bytes - offsetof(struct letter, bytes));
    CHECK_EQ((uintptr_t)input % 16, 0);
    for (uint32_t i = 0; i < length; i++)
        if (letter->bytes[i] != byte_at(letter->seed, i))
            CHECK_EQ(letter->bytes[i], byte_at(letter->seed, i));
    /* Larger, smaller, gone: what was there before is kept as far as it fits. */
    for (uint32_t i = 0; i < letter->detours; i++) {
        uint8_t *memory = resize(task, 1 + letter->seed * (i + 3) % 5000);
        memory[0] = (uint8_t)i;
        memory = resize(task, 1 + letter->seed * (i + 5) % 100);
        CHECK_EQ(memory[0], (uint8_t)i);
    }
    uint8_t *memory = resize(task, letter->result_bytes);
    CHECK((memory == NULL) == (letter->result_bytes == 0));
    for (uint32_t i = 0; i < letter->result_bytes; i++)
        memory[i] = byte_at(letter->seed + 1, i);
    return 0;
}

static uint32_t some_length(uint64_t *dice)
{
    static const uint32_t limits[] = {1, 33, 65, 300, 5000, MOST};
    return below(dice, limits[below(dice, COUNT(limits))]);
}

struct sent {
    mortal_future future;
    uint32_t seed, result_bytes;
};

static void send_letter(struct customer *me, struct sent *sent)
{
    struct letter letter = {.seed = below(&me->dice, 1 << 20), .result_bytes = some_length(&me->dice),
                            .detours = below(&me->dice, 4)};
    uint32_t length = some_length(&me->dice);
    for (uint32_t i = 0; i < length; i++)
        letter.bytes[i] = byte_at(letter.seed, i);
    *sent = (struct sent){.seed = letter.seed, .result_bytes = letter.result_bytes};
    sent->future = submit(me->pool, answer, &letter, offsetof(struct letter, bytes) + length);
}

static void receive(struct sent *sent)
{
    mortal_verdict verdict = wait_for(sent->future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, sent->result_bytes);
    CHECK_EQ((uintptr_t)verdict.result % 16, 0);
    const uint8_t *bytes = verdict.result;
    for (uint32_t i = 0; i < sent->result_bytes; i++)
        if (bytes[i] != byte_at(sent->seed + 1, i))
            CHECK_EQ(bytes[i], byte_at(sent->seed + 1, i));
    CHECK_OK(mortal_future_release(sent->future));
}

static void *correspond(void *argument)
{
    struct customer *me = argument;
    struct sent sent[IN_FLIGHT];
    uint32_t count = 0;
    for (uint32_t i = 0; i < me->tasks || count != 0;) {
        if (i < me->tasks && count < IN_FLIGHT && below(&me->dice, 100) < 60) {
            send_letter(me, &sent[count++]);
            i++;
        } else if (count != 0) { /* any of them: releases come in no order */
            uint32_t which = below(&me->dice, count);
            receive(&sent[which]);
            sent[which] = sent[--count];
        }
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t workers_per_host)
{
    struct customer customers[THREADS];
    mortal_pool *pool = twin_open(workers, workers_per_host,
                                  (mortal_pool_options){.held_tasks = 64, .results_bytes = 2 << 20, .inputs_bytes = 1 << 18});
    for (uint32_t i = 0; i < THREADS; i++) {
        customers[i] = (struct customer){.pool = pool, .dice = i, .tasks = more_if_long(600)};
        customers[i].thread = thread_start(correspond, &customers[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(customers[i].thread, NULL);
    twin_close(pool);
}

void test(void)
{
    check(2, 1);
    check(2, 2);
    check(4, 4);
}
