/*
 * one_runner.h - a region with one worker that runs one runner of a map, in this process, to be cut
 *
 * The plan lies at the beginning of the window of buffers, the board behind it. Who includes this has said LIFE, ITEMS and
 * BOARD_BYTES.
 */
#ifndef ONE_RUNNER_H
#define ONE_RUNNER_H

#include "../unit/unit.h"

#include "host/worker.h"

static struct region   r;
static struct host     host;
static struct worker   worker;
static mortal_buffer   plan_buffer = {.place = 1ull << 32, .life = 5}, board_buffer = {.place = 1ull << 32 | 1, .life = 6};
static uint8_t        *board;
static unsigned        entered[ITEMS], left[ITEMS]; /* by the runners, really */

static int work(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task, (void)result;
    entered[number]++;
    __asm__ volatile("" ::: "memory");
    left[number]++;
    return 0;
}

static void have_buffer(uint32_t number, mortal_buffer buffer, uint64_t offset, uint64_t bytes)
{
    struct buffer_record *record = buffer_of(&r, number);
    record->offset = offset;
    record->bytes = bytes;
    record->window = WINDOW_SHARED;
    atomic_store(&record->life, buffer.life);
}

static void set_stage(uint64_t plan_bytes)
{
    struct limits limits = limits_of(8, 2, 1);
    limits.buffers_bytes = 1 << 20;
    region_make(&r, limits, 2);
    CHECK_EQ(memory_commit(buffer_of(&r, 0), 2 * sizeof(struct buffer_record), r.orders_fd, r.g.order_buffers), 0);
    CHECK(r.windows[WINDOW_SHARED].bytes != 0);
    have_buffer(0, plan_buffer, 0, plan_bytes);
    have_buffer(1, board_buffer, BOARD_BYTES, BOARD_BYTES);
    board = r.windows[WINDOW_SHARED].base + BOARD_BYTES;
    static struct heritage heritage;
    heritage.region = r;
    CHECK_EQ(host_prepare(&host, &heritage, (struct host_place){.berth = 0, .life = LIFE, .birth = 1}), 0);
    worker_prepare(&worker, &host, 0);
    worker_settle(&worker);
    atomic_store(&worker.berth->active, 1);
    worker.task = (struct mortal_task){.worker = &worker, .slot = 4, .word = word_make(1, SLOT_RUNNING, LIFE, 0),
                                       .order = order_of(&r, 4)};
}

#endif
