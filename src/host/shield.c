/*
 * shield.c - critical sections that kills and deadlines hold off
 *
 * The desk says that the task is in one. Nobody waits for what it says longer than a kill's grace or the task's own
 * shield_ns, so a section that never ends costs no more than that.
 */
#include <errno.h>

#include "host/guard.h"
#include "host/shield.h"
#include "host/worker.h"
#include "region/asked.h"
#include "region/plant.h"
#include "system/clock.h"
#include "system/futex.h"
#include "system/why.h"

#define LOOK_AGAIN_NS 10000000u

static bool is_retired(const struct worker *worker) { /* only in tests, where a host is threads */
    return atomic_load_explicit(&worker->berth->doomed, memory_order_relaxed) == BERTH_RETIRED;
}

/* Something waited for this: the supervisor is told, and ends the task here. Unless the kill is given up meanwhile. */
static void yield_to_the_end(struct mortal_task *task) {
    struct worker *worker = task->worker;
    struct desk *desk = worker->desk;
    /* Told by a signal too, and the kernel orders that. */
    atomic_store_explicit(&desk->yields, 1, memory_order_relaxed);
    while (asked_to_end_there(worker->region, task->slot, task->word) && !is_retired(worker)) {
        worker_notify_supervisor(worker->host);
        uint32_t bell = atomic_load_explicit(worker->bell, memory_order_relaxed);
        futex_wait(worker->bell, bell, clock_after(LOOK_AGAIN_NS));
    }
    atomic_store_explicit(&desk->yields, 0, memory_order_relaxed);
}

/* A clean-up has the word of the task that was cut, for which the end of its own section may have been waited. */
static bool ends_here(const struct mortal_task *task) {
    return !task->is_cleanup && asked_to_end_there(task->worker->region, task->slot, task->word);
}

static int begin_section(struct mortal_task *task) {
    if (task->sections == 0) {
        if (mortal_task_should_stop(task))
            return why(-ECANCELED, "mortal_task_shield: the task was asked to stop: end it instead of beginning this");
        int before = guard_open(task->worker->host); /* a task calls this */
        atomic_store_explicit(&task->worker->desk->section, 1, memory_order_relaxed);
        guard_restore(task->worker->host, before);
    }
    task->sections++;
    return 0;
}

static int end_section(struct mortal_task *task) {
    if (task->sections == 0)
        return why(-EINVAL, "mortal_task_shield: the task is in no critical section");
    if (--task->sections != 0)
        return 0;
    int before = guard_open(task->worker->host);
    if (PLANTED(PLANT_SECTION_LOOKS_FIRST) && ends_here(task))
        yield_to_the_end(task);
    /* ORD(section:end) pairs ORD(ask:overdue): before the look whether something waits for this. */
    atomic_store_explicit(&task->worker->desk->section, 0, memory_order_seq_cst);
    if (ends_here(task) && !PLANTED(PLANT_SECTION_LOOKS_FIRST))
        yield_to_the_end(task);
    guard_restore(task->worker->host, before);
    return 0;
}

void shield_drop(struct mortal_task *task) {
    task->sections = 0;
    atomic_store_explicit(&task->worker->desk->section, 0, memory_order_relaxed);
}

int mortal_task_shield(mortal_task *task, bool on) {
    if (task == NULL)
        return why(-EINVAL, "mortal_task_shield: the task is null: pass on the one that your function was given");
    if (task->worker != worker_self())
        return why(-EINVAL, "mortal_task_shield: called on another thread than the task's own");
    return on ? begin_section(task) : end_section(task);
}
