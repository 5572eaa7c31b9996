/*
 * Tasks start in the order in which their submits succeeded.
 * Broken by: a queue that overtakes when it is full, empty, or wraps around.
 */
#include "tasks.h"

enum { TASKS = 20000, QUEUE = 100 };

struct record {
    word next;
    uint32_t started[TASKS];
};

struct order {
    struct record *record;
    uint32_t number;
};

static int note_start(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct order *order = input;
    order->record->started[atomic_fetch_add(&order->record->next, 1)] = order->number;
    return 0;
}

void test(void)
{
    struct record *record = harness_shared(sizeof *record);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .queue_tasks = QUEUE});
    for (uint32_t i = 0; i < TASKS; i++) {
        struct order order = {record, i};
        CHECK_OK(mortal_pool_submit(pool, note_start, &order, sizeof order, NULL, NULL));
    }
    drain(pool);
    CHECK_EQ(atomic_load(&record->next), TASKS);
    for (uint32_t i = 0; i < TASKS; i++)
        CHECK_EQ(record->started[i], i);
}
