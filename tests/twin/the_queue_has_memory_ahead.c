/*
 * The memory of a place in the queue exists before a task is put there, for each priority, all the way around: a lack of it
 * is an error of the submit, and no SIGBUS.
 * Broken by: places that come to exist when they are written.
 */
#include <sys/mman.h>

#include "by_hand.h"

enum { HELD = 1 << 15, AROUND = HELD + HELD / 4 };

static int nothing(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 0;
}

static void check_next(enum lane lane)
{
    const struct region *r = twin_region();
    unsigned char is_there = 0;
    uintptr_t at = (uintptr_t)lane_entry(r, lane, atomic_load(lane_tail(r, lane)));
    CHECK_OK(mincore((void *)(at & ~(uintptr_t)4095), 1, &is_there)); /* NOLINT(performance-no-int-to-ptr) */
    CHECK(is_there & 1);
}

static void go_around(mortal_pool *pool, int32_t priority, enum lane lane)
{
    const mortal_task_options options = {.size = sizeof options, .priority = priority};
    for (int i = 0; i < AROUND; i++) {
        mortal_future future;
        CHECK_OK(mortal_pool_submit(pool, nothing, NULL, 0, &options, &future));
        if (((i + 1) & i) != 0 && (i + 1) % 8192 != 0) /* else the next submit makes the next places */
            check_next(lane);
        CHECK(worker_step(&by_hand.worker));
        CHECK_OK(mortal_future_release(future));
    }
}

void test(void)
{
    mortal_pool *pool = by_hand_open((mortal_pool_options){.queue_tasks = HELD, .held_tasks = HELD});
    go_around(pool, 0, LANE_NORMAL);
    go_around(pool, MORTAL_PRIORITY_HIGH, LANE_HIGH);
    go_around(pool, MORTAL_PRIORITY_LOW, LANE_LOW);
    by_hand_close(pool);
}
