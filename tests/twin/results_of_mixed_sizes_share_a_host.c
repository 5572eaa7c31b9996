/*
 * Inputs and results from nothing to several pages, results that grow and shrink while they are made, read in place by
 * several threads and released late, in a heap that is too small to hold many: every byte arrives.
 * Broken by: a result's memory that is used again before its release was seen; a block known by slot only, when a slot is
 * used anew; two workers of one host in its heap at once.
 */
#include "twin.h"

enum { MOST = 20000, IN_FLIGHT_MOST = 12, IDLE = 15, THREADS = 3 };

struct customer {
    mortal_pool *pool;
    uint64_t dice;
    uint32_t tasks, in_flight;
    bool wants_views;
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
    const uint8_t *result; /* received: a view until the release */
};

static void send_letter(struct customer *me, struct sent *sent)
{
    struct letter letter = {.seed = below(&me->dice, 1 << 20), .result_bytes = some_length(&me->dice),
                            .detours = below(&me->dice, 4)};
    if (me->wants_views) /* what is not larger than a page is copied out */
        letter.result_bytes = 5000 + below(&me->dice, MOST - 5000);
    uint32_t length = some_length(&me->dice);
    for (uint32_t i = 0; i < length; i++)
        letter.bytes[i] = byte_at(letter.seed, i);
    *sent = (struct sent){.seed = letter.seed, .result_bytes = letter.result_bytes};
    sent->future = submit(me->pool, answer, &letter, offsetof(struct letter, bytes) + length);
}

static void read_it(const struct sent *sent)
{
    for (uint32_t i = 0; i < sent->result_bytes; i++)
        if (sent->result[i] != byte_at(sent->seed + 1, i))
            CHECK_EQ(sent->result[i], byte_at(sent->seed + 1, i));
}

/* True: it is released. */
static bool receive_or_release(struct sent *sent)
{
    if (sent->result == NULL) {
        mortal_verdict verdict = wait_for(sent->future);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, sent->result_bytes);
        CHECK_EQ((uintptr_t)verdict.result % 16, 0);
        sent->result = verdict.result;
        read_it(sent);
        if (sent->result_bytes != 0)
            return false;
    }
    read_it(sent); /* once more: it was held while others came and went */
    CHECK_OK(mortal_future_release(sent->future));
    return true;
}

/* Slots change hands, so that a letter's next one seldom is where the last one was: else a host sees at once that the old
 * result is not needed any more, and never has to look for such. */
static void mix_slots(struct customer *me, mortal_future *idle)
{
    mortal_future *one = &idle[below(&me->dice, IDLE)];
    if (one->place != 0)
        CHECK_OK(mortal_future_release(*one));
    *one = submit(me->pool, task_nothing, NULL, 0);
}

static void *correspond(void *argument)
{
    struct customer *me = argument;
    struct sent sent[IN_FLIGHT_MOST];
    mortal_future idle[IDLE] = {{0, 0}};
    uint32_t count = 0;
    for (uint32_t i = 0; i < me->tasks || count != 0;) {
        mix_slots(me, idle);
        if (i < me->tasks && count < me->in_flight && below(&me->dice, 100) < 60) {
            send_letter(me, &sent[count++]);
            i++;
        } else if (count != 0) { /* any of them: releases come in no order */
            uint32_t which = below(&me->dice, count);
            if (receive_or_release(&sent[which]))
                sent[which] = sent[--count];
        }
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t workers_per_host, uint32_t in_flight, size_t results_bytes)
{
    struct customer customers[THREADS];
    mortal_pool *pool = twin_open(workers, workers_per_host,
                                  (mortal_pool_options){.held_tasks = 128, .results_bytes = results_bytes, .inputs_bytes = 1 << 18});
    for (uint32_t i = 0; i < THREADS; i++) {
        customers[i] = (struct customer){.pool = pool, .dice = i, .tasks = more_if_long(600), .in_flight = in_flight,
                                         .wants_views = in_flight != IN_FLIGHT_MOST};
        customers[i].thread = thread_start(correspond, &customers[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(customers[i].thread, NULL);
    twin_close(pool);
}

void test(void)
{
    check(2, 1, IN_FLIGHT_MOST, 4 << 20);
    check(2, 2, IN_FLIGHT_MOST, 4 << 20);
    check(4, 4, IN_FLIGHT_MOST, 4 << 20);
    /* Just enough for what may be held and made at once, so that what was released has to be found all the time. */
    check(2, 1, 2, 512 << 10);
    check(4, 4, 2, 512 << 10);
}
