/*
 * stream.c - mortal_task_emit: parts of an answer that are there before the task ends
 *
 * A part is copied into the ring, and then the head is moved behind it: one store, before which nothing of it counts
 * and after which nothing is needed. The ring lies with the results, open to the task's own code; head and place lie
 * in the cell, which may be shut.
 */
#include "region/stream.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <mortal.h>

#include "host/guard.h"
#include "host/results.h"
#include "host/worker.h"
#include "region/plant.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/why.h"

#define LOOK_AGAIN_NS 100000000u

static uint8_t *ring_of(const struct mortal_task *task) {
    return heap_of(task->worker->region, task->worker->host->place.life) + task->stream_ring;
}

/* ORD(stream:room) pairs ORD(stream:take): the owner has copied what it took. Also the last look before a sleep, after
 * ORD(stream:wish). */
static uint64_t taken_of(const struct mortal_task *task) {
    uint64_t word = atomic_load_explicit(stream_taken_of(task->worker->region, task->slot), memory_order_seq_cst);
    return stream_taken_in(word, word_generation(task->word));
}

/* With the first part of an attempt. What stands in the cell may be an earlier task's, or an earlier start's. */
static int begin(struct mortal_task *task) {
    struct worker *worker = task->worker;
    struct cell *cell = task->cell;
    uint64_t base, taken = taken_of(task);
    if (taken == STREAM_GONE || (atomic_load_explicit(&task->order->flags, memory_order_relaxed) & ORDER_UNHEARD) != 0)
        return -EPIPE;
    if (!stream_has_room_for_attempt(worker->region, task->slot, word_generation(task->word), taken, &base))
        return -EAGAIN;
    int before = guard_open(worker->host); /* a task calls this */
    uint64_t ring = results_cell_exists(worker->host, task->slot) ? results_take_ring(task) : HEAP_NONE;
    if (ring != HEAP_NONE) {
        task->stream_ring = ring;
        task->stream_head = base;
        /* ORD(stream:first) pairs ORD(stream:any) */
        atomic_store_explicit(&host_head(worker->region, worker->host->place.life)->emitted, 1, memory_order_seq_cst);
        atomic_store_explicit(&cell->stream_word, 0, memory_order_relaxed);
        /* ORD(stream:nobody) pairs ORD(stream:whose): nobody takes what follows for the parts of an earlier start. */
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&cell->stream_base, base, memory_order_relaxed);
        atomic_store_explicit(&cell->stream_head, base, memory_order_relaxed);
        atomic_store_explicit(&cell->stream_ring, (uint32_t)(ring / HEAP_UNIT), memory_order_relaxed);
        atomic_store_explicit(&cell->stream_wants, 0, memory_order_relaxed);
        /* ORD(stream:begun) pairs ORD(stream:whose) */
        atomic_store_explicit(&cell->stream_word, task->word, memory_order_release);
        task->has_parts = true;
    }
    guard_restore(worker->host, before);
    return ring != HEAP_NONE ? 0 : -ENOMEM;
}

/* 0; -EAGAIN: not now; -EPIPE, -EFBIG: never. */
static int look_for_room(struct mortal_task *task, uint64_t needs) {
    int error = task->has_parts ? 0 : begin(task);
    if (error != 0)
        return error;
    uint64_t taken = taken_of(task);
    if (taken == STREAM_GONE)
        return -EPIPE;
    if (task->stream_head + needs >= STREAM_GONE)
        return -EFBIG;
    return task->stream_head + needs - taken <= task->worker->region->g.stream_bytes ? 0 : -EAGAIN;
}

static void say_wants(struct mortal_task *task, uint32_t wants) {
    if (!task->has_parts)
        return; /* its cell is not its own yet: it looks again by itself */
    int before = guard_open(task->worker->host);
    /* ORD(stream:wish) pairs ORD(stream:heed): before the last look for room. */
    atomic_store_explicit(&task->cell->stream_wants, wants, memory_order_seq_cst);
    guard_restore(task->worker->host, before);
}

static bool is_retired(const struct worker *worker) { /* only in tests, where a host is threads */
    return atomic_load_explicit(&worker->berth->doomed, memory_order_relaxed) == BERTH_RETIRED;
}

/* Until there is room, or nobody will make any. The task can be killed here as anywhere. */
static int wait_for_room(struct mortal_task *task, uint64_t needs, uint64_t deadline_ns) {
    const _Atomic uint64_t *taken = stream_taken_of(task->worker->region, task->slot);
    int error;
    for (;;) {
        say_wants(task, 1);
        /* ORD(stream:sleep) pairs ORD(stream:take): the value that is slept on is from before the look. */
        uint32_t seen = atomic_load_explicit(stream_futex(taken), memory_order_acquire);
        error = look_for_room(task, needs);
        if (error != -EAGAIN || is_retired(task->worker))
            break;
        if (mortal_task_should_stop(task)) {
            error = -ECANCELED;
            break;
        }
        uint64_t now = clock_ns();
        if (now >= deadline_ns)
            break;
        uint64_t again = now + LOOK_AGAIN_NS;
        (void)futex_wait(stream_futex(taken), seen, deadline_ns < again ? deadline_ns : again);
    }
    say_wants(task, 0);
    return error;
}

static void copy_in(uint8_t *ring, uint64_t ring_bytes, uint64_t at, const void *bytes, size_t count) {
    uint64_t first = ring_bytes - at;
    if (first > count)
        first = count;
    memcpy(ring + at, bytes, first);
    if (first != count)
        memcpy(ring, (const uint8_t *)bytes + first, count - first);
}

static void move_head(struct mortal_task *task, uint64_t head) {
    int before = guard_open(task->worker->host);
    /* ORD(stream:told) pairs ORD(stream:seen): the part is complete. Also a full barrier before the look for who
     * waits, ORD(stream:watched). */
    atomic_store_explicit(&task->cell->stream_head, head, memory_order_seq_cst);
    task->stream_head = head;
    guard_restore(task->worker->host, before);
}

static void add_part(struct mortal_task *task, const void *bytes, size_t count) {
    uint64_t ring_bytes = task->worker->region->g.stream_bytes, mask = ring_bytes - 1;
    uint64_t position = task->stream_head, needs = stream_needs(count);
    if (PLANTED(PLANT_HEAD_FIRST))
        move_head(task, position + needs);
    struct part_head *head = (struct part_head *)(void *)(ring_of(task) + (position & mask));
    head->mark = stream_mark(task->word, task->slot, position);
    head->bytes = (uint32_t)count;
    if (count != 0)
        copy_in(ring_of(task), ring_bytes, (position + sizeof *head) & mask, bytes, count);
    move_head(task, position + needs);
}

static void ring_group_of(const struct mortal_task *task) {
    uint32_t group = atomic_load_explicit(&task->order->group, memory_order_relaxed);
    int before = guard_open(task->worker->host);
    if (group != 0 && group <= GROUPS_MAX)
        worker_ring_group(task->worker, group - 1);
    guard_restore(task->worker->host, before);
}

static void ring_waiter(const struct mortal_task *task) {
    /* ORD(stream:watched) pairs ORD(stream:watch) and ORD(stream:group): a waiter that looked just before the head was moved
     * is seen here. */
    uint32_t watched = atomic_load_explicit(&task->order->watched, memory_order_seq_cst);
    if ((watched & WATCHED_GROUP) != 0)
        ring_group_of(task);
    if ((watched & WATCHED_PARTS) == 0)
        return;
    _Atomic uint32_t *bell = stream_bell_of(task->worker->region, task->slot);
    int before = guard_open(task->worker->host);
    /* ORD(stream:ring) pairs ORD(stream:watch): or it finds another value there and does not sleep. */
    atomic_fetch_add_explicit(bell, 1, memory_order_seq_cst);
    guard_restore(task->worker->host, before);
    futex_wake(bell, INT_MAX);
}

static int refuse(const mortal_task *task, int error) {
    switch (error) {
    case -EAGAIN:
        return why(error, "mortal_task_emit: nobody has taken enough of the parts before: %llu bytes of a task are "
                          "kept at most, which is stream_bytes of the pool, and of %u attempts beside this one",
                   (unsigned long long)task->worker->region->g.stream_bytes, STREAM_PASTS_KEPT);
    case -EPIPE:
        return why(error, "mortal_task_emit: nobody will ever take a part: the future was released, or there is none");
    case -ECANCELED:
        return why(error, "mortal_task_emit: the task was asked to stop while it waited for room");
    case -EFBIG:
        return why(error, "mortal_task_emit: this task has emitted 16 TiB");
    default:
        return why(error, "mortal_task_emit: no room for a stream in this host's results: release futures whose results "
                          "and parts were read, or open the pool with larger results_bytes or smaller stream_bytes");
    }
}

int mortal_task_emit(mortal_task *task, const void *bytes, size_t count, uint64_t timeout_ns) {
    if (task == NULL || (bytes == NULL && count != 0))
        return why(-EINVAL, "mortal_task_emit: %s is null", task == NULL ? "the task" : "bytes");
    if (task->is_cleanup)
        return why(-EPERM, "mortal_task_emit: called in a clean-up: its task was cut, and gives no more parts");
    if (task->worker != worker_self() || *task->worker->host->still_here == 0)
        return why(-EPERM, "mortal_task_emit: called on another thread, or in another process, than the task's own");
    uint64_t most = task->worker->region->g.stream_bytes - sizeof(struct part_head);
    if (count > most)
        return why(-EMSGSIZE, "mortal_task_emit: a part of %zu bytes: the largest is %llu, a little less than "
                              "stream_bytes of the pool. The result may be larger", count, (unsigned long long)most);
    uint64_t needs = stream_needs(count);
    int error = look_for_room(task, needs);
    if (error == -EAGAIN && timeout_ns != 0)
        error = wait_for_room(task, needs, clock_after(timeout_ns));
    if (error != 0)
        return refuse(task, error);
    add_part(task, bytes, count);
    ring_waiter(task);
    return 0;
}
