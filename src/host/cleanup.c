/*
 * cleanup.c - what a task leaves to be done should it be cut, and doing it
 *
 * What is left lies in the host's own arena, and counts once its number is stored, last: a kill at any instant leaves
 * what was there before, or that and the new one. A host that dies can do nothing more; the supervisor gives what it
 * left to a host that was never active, one after the other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "host/guard.h"
#include "host/modules.h"
#include "host/shield.h"
#include "host/worker.h"
#include "region/plant.h"
#include "system/why.h"

/* ORD(*) the plain atomics here are read after this host's certain death only, and the kernel orders that. They stand in
 * the order in which a death must find them; a plain store between two of them is held there by a fence. */

static struct cleanups *cleanups_here(const struct mortal_task *task) {
    const struct worker *worker = task->worker;
    return cleanups_of(worker->region, worker->host->place.life, worker->index);
}

static bool are_of(const struct cleanups *left, const struct mortal_task *task) {
    return atomic_load(&left->word) == task->word && atomic_load(&left->slot) == task->slot;
}

/* What an earlier task of this worker left, and did not need, makes room. */
static void take_over(struct cleanups *left, const struct mortal_task *task) {
    if (are_of(left, task))
        return;
    atomic_store(&left->count, 0);
    atomic_store(&left->word, task->word);
    atomic_store(&left->slot, task->slot);
}

static void leave(struct cleanups *left, uint32_t at, uint64_t function, const void *input, size_t input_bytes,
                  bool is_ours) {
    struct cleanup *cleanup = &left->left[at];
    if (PLANTED(PLANT_COUNT_BEFORE_CLEANUP))
        atomic_store(&left->count, at + 1);
    /* ORD(cleanup:uncounted) pairs ORD(cleanup:complete): after the count that names it no more. For the compiler only:
     * what a dead thread did is seen up to one of its instructions, and none behind that. */
    atomic_signal_fence(memory_order_seq_cst);
    cleanup->input_bytes = (uint32_t)input_bytes;
    cleanup->is_ours = is_ours;
    if (input_bytes != 0)
        memcpy(cleanup->input, input, input_bytes);
    atomic_store(&cleanup->function, function);
    /* ORD(cleanup:complete) pairs ORD(cleanup:uncounted): before the count that names it again. */
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store(&left->count, at + 1);
}

/* Those behind the last one that stands: their places are free again. */
static void trim(struct cleanups *left) {
    uint32_t count = atomic_load(&left->count);
    while (count != 0 && count <= CLEANUPS && atomic_load(&left->left[count - 1].function) == 0)
        atomic_store(&left->count, --count);
}

int cleanup_leave(struct mortal_task *task, mortal_function *function, const void *input, size_t input_bytes) {
    struct cleanups *left = cleanups_here(task);
    int before = guard_open(task->worker->host);
    take_over(left, task);
    task->leaves = true;
    uint32_t at = atomic_load(&left->count);
    if (at < CLEANUPS)
        leave(left, at, (uintptr_t)function, input, input_bytes, true);
    guard_restore(task->worker->host, before);
    return at < CLEANUPS ? (int)at : -ENOBUFS;
}

void cleanup_take_back(struct mortal_task *task, int number) {
    struct cleanups *left = cleanups_here(task);
    int before = guard_open(task->worker->host);
    if (are_of(left, task)) {
        atomic_store(&left->left[number].function, 0);
        trim(left);
    }
    guard_restore(task->worker->host, before);
}

void cleanup_forget(struct mortal_task *task) {
    struct cleanups *left = cleanups_here(task);
    int before = guard_open(task->worker->host);
    atomic_store(&left->count, 0);
    guard_restore(task->worker->host, before);
    task->leaves = false;
}

static int take_back_last(struct cleanups *left, const struct mortal_task *task) {
    uint32_t count = are_of(left, task) ? atomic_load(&left->count) : 0;
    for (; count != 0 && count <= CLEANUPS; count--) {
        struct cleanup *cleanup = &left->left[count - 1];
        if (cleanup->is_ours || atomic_load(&cleanup->function) == 0)
            continue;
        atomic_store(&cleanup->function, 0);
        trim(left);
        return 0;
    }
    return -ENOENT;
}

static int on_death(struct mortal_task *task, mortal_function *function, const void *input, size_t input_bytes) {
    struct cleanups *left = cleanups_here(task);
    if (function == NULL)
        return take_back_last(left, task);
    take_over(left, task);
    task->leaves = true;
    uint32_t at = atomic_load(&left->count);
    if (at >= CLEANUPS)
        return -ENOBUFS;
    leave(left, at, modules_reference(task->worker->host->heritage, (uintptr_t)function), input, input_bytes, false);
    return 0;
}

int mortal_task_on_death(mortal_task *task, mortal_function *cleanup, const void *input, size_t input_bytes) {
    if (task == NULL || (input == NULL && input_bytes != 0) || (cleanup == NULL && input_bytes != 0))
        return why(-EINVAL, "mortal_task_on_death: %s", task == NULL ? "the task is null"
                            : input == NULL ? "the input is null and its size is not 0"
                                            : "without a function there is no input: it takes the last one back");
    if (task->is_cleanup || worker_self() != task->worker)
        return why(-EPERM, "mortal_task_on_death: called %s: only a task itself may leave a clean-up",
                   task->is_cleanup ? "in a clean-up" : "on another thread than the task's own");
    if (input_bytes > CLEANUP_INPUT_BYTES)
        return why(-EMSGSIZE, "mortal_task_on_death: the input is %zu bytes: it may have %u; leave a name or a number by "
                              "which the clean-up finds the rest", input_bytes, CLEANUP_INPUT_BYTES);
    int before = guard_open(task->worker->host);
    int error = on_death(task, cleanup, input, input_bytes);
    guard_restore(task->worker->host, before);
    if (error == -ENOBUFS)
        return why(error, "mortal_task_on_death: %u clean-ups are left: take back one that is not needed any more", CLEANUPS);
    if (error == -ENOENT)
        return why(error, "mortal_task_on_death: there is none to take back");
    return 0;
}

static int call(struct worker *worker, const struct errand *errand) {
    struct mortal_task *task = &worker->task;
    mortal_function *function = modules_resolve(worker->host->heritage, errand->function);
    *task = (struct mortal_task){.worker = worker, .order = order_of(worker->region, errand->slot),
                                 .slot = errand->slot, .word = errand->word, .result_offset = HEAP_NONE,
                                 .is_cleanup = true};
    guard_close(worker->host);
    int status = function == NULL ? -ENOEXEC : function(task, errand->input_bytes != 0 ? errand->input : NULL, errand->input_bytes);
    worker_end_descendant(worker->host);
    if (atomic_load_explicit(&worker->ear.state, memory_order_relaxed) != EAR_SHUT)
        ear_shut(worker);
    if (__fpending(stdout) != 0)
        (void)fflush(stdout);
    (void)guard_open(worker->host);
    if (task->sections != 0)
        shield_drop(task);
    task->order = NULL;
    return status;
}

bool cleanup_run(struct worker *worker) {
    /* ORD(errand:taken) pairs ORD(errand:given): whoever sees its number sees all of it. */
    uint32_t number = atomic_load_explicit(&worker->berth->errand, memory_order_acquire);
    if (worker->index != 0 || number == 0 || number == worker->errand_seen)
        return false;
    worker->errand_seen = number;
    const struct errand *errand = &control_head(worker->region)->errands[errand_place(number)];
    int status = call(worker, errand);
    /* ORD(errand:done) pairs ORD(errand:seen): after all that it did. */
    atomic_store_explicit(&worker->desk->errand, (uint64_t)number << 32 | (uint32_t)status, memory_order_release);
    worker_notify_supervisor(worker->host);
    return true;
}
