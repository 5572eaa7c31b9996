/*
 * Tasks start by priority, in submit order within each, and nobody starves: of 16 starts 12 are of high, 3 of normal and one
 * of low priority while all wait; also through a queue that is full all the time; a pool may have another default.
 * Broken by: a priority that is not passed on, a lane that others starve, room that is counted for one lane only.
 */
#include "tasks.h"

enum { EACH = 320, PRIORITIES = 3 };

struct record {
    struct gate gate;
    word next;
    struct start {
        int32_t priority;
        uint32_t number;
    } started[PRIORITIES * EACH];
};

struct order {
    struct record *record;
    struct start start;
};

static int note_start(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct order *order = input;
    order->record->started[atomic_fetch_add(&order->record->next, 1)] = order->start;
    return 0;
}

static void submit_with(mortal_pool *pool, struct record *record, int32_t priority, uint32_t number)
{
    mortal_task_options options = {.size = sizeof options, .priority = priority};
    struct order order = {record, {priority, number}};
    CHECK_OK(mortal_pool_submit(pool, note_start, &order, sizeof order, &options, NULL));
}

static void check_each_in_order(const struct record *record)
{
    uint32_t next[PRIORITIES] = {0};
    CHECK_EQ(atomic_load(&record->next), PRIORITIES * EACH);
    for (uint32_t i = 0; i < PRIORITIES * EACH; i++)
        CHECK_EQ(record->started[i].number, next[record->started[i].priority + 1]++);
    for (uint32_t i = 0; i < PRIORITIES; i++)
        CHECK_EQ(next[i], EACH);
}

/* All wait from the first start on: what turns there are follows exactly. */
static void check_turns(void)
{
    struct record *record = harness_shared(sizeof *record);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1});
    mortal_future held = submit_at(pool, task_held, &record->gate);
    word_await(&record->gate.arrived, 1);
    for (uint32_t i = 0; i < EACH; i++)
        for (int32_t priority = MORTAL_PRIORITY_LOW; priority <= MORTAL_PRIORITY_HIGH; priority++)
            submit_with(pool, record, priority, i);
    gate_open(&record->gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    drain(pool);
    check_each_in_order(record);
    uint32_t of_high = 0, i = 0;
    for (uint32_t window = 0; of_high + 12 <= EACH; window++) {
        uint32_t started[PRIORITIES] = {0};
        for (uint32_t end = i + 16; i < end; i++)
            started[record->started[i].priority + 1]++;
        CHECK_EQ(started[0], 1);
        CHECK_EQ(started[1], 3);
        CHECK_EQ(started[2], 12);
        of_high += 12;
    }
}

static void check_full_queue(void)
{
    struct record *record = harness_shared(sizeof *record);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = 7});
    for (uint32_t i = 0; i < EACH; i++)
        for (int32_t priority = MORTAL_PRIORITY_LOW; priority <= MORTAL_PRIORITY_HIGH; priority++)
            submit_with(pool, record, priority, i);
    drain(pool);
    check_each_in_order(record);
}

/* Seven may wait, whatever their priorities, and cancelled ones make room. */
static void check_room(void)
{
    struct record *record = harness_shared(sizeof *record);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = 7});
    mortal_future held = submit_at(pool, task_held, &record->gate), futures[7];
    word_await(&record->gate.arrived, 1);
    for (int turn = 0; turn < 50; turn++) {
        mortal_task_options options = {.size = sizeof options};
        for (int i = 0; i < 7; i++) {
            options.priority = (turn + i) % PRIORITIES - 1;
            CHECK_OK(mortal_pool_try_submit(pool, task_nothing, NULL, 0, &options, &futures[i]));
        }
        for (options.priority = MORTAL_PRIORITY_LOW; options.priority <= MORTAL_PRIORITY_HIGH; options.priority++)
            CHECK_ERR(mortal_pool_try_submit(pool, task_nothing, NULL, 0, &options, NULL), -EAGAIN);
        for (int i = 0; i < 7; i++) {
            CHECK_OK(mortal_future_cancel(futures[i]));
            CHECK_OK(mortal_future_release(futures[i]));
        }
        mortal_future waits = submit(pool, task_nothing, NULL, 0); /* which closes the gaps, at the latest */
        CHECK_OK(mortal_future_cancel(waits));
        CHECK_OK(mortal_future_release(waits));
    }
    gate_open(&record->gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    drain(pool);
}

/* The pool's own is low: a task that says nothing comes after one that says high. */
static void check_default(void)
{
    struct record *record = harness_shared(sizeof *record);
    mortal_task_options low = {.size = sizeof low, .priority = MORTAL_PRIORITY_LOW};
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .task = &low});
    mortal_future held = submit_at(pool, task_held, &record->gate);
    word_await(&record->gate.arrived, 1);
    for (uint32_t i = 0; i < 2; i++) {
        struct order order = {record, {MORTAL_PRIORITY_LOW, i}};
        CHECK_OK(mortal_pool_submit(pool, note_start, &order, sizeof order, NULL, NULL));
        submit_with(pool, record, MORTAL_PRIORITY_HIGH, i);
    }
    gate_open(&record->gate);
    CHECK_EQ(outcome_and_release(held), MORTAL_DONE);
    drain(pool);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQ(record->started[i].priority, i < 2 ? MORTAL_PRIORITY_HIGH : MORTAL_PRIORITY_LOW);
        CHECK_EQ(record->started[i].number, i % 2);
    }
}

void test(void)
{
    check_turns();
    check_full_queue();
    check_room();
    check_default();
}
