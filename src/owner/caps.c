/* caps.c - how much hosts and tasks may take: what was asked for, checked and completed */
#include <errno.h>

#include "owner/pool.h"
#include "region/cap.h"
#include "system/process.h"
#include "system/why.h"

#define FILES_LEAST 4u /* the standard streams and one more */
#define MORE_MOST 1000u
#define TASKS_MOST 1000000u

static int check_task(const mortal_task_options *o, const char *call) {
    if (o->more_memory_percent > MORE_MOST)
        return why(-EINVAL, "%s: more_memory_percent is %u: it must be at most %u", call, o->more_memory_percent,
                   MORE_MOST);
    return 0;
}

int caps_plan(const mortal_pool_options *o, struct plan *plan) {
    if (o->files != 0 && o->files < FILES_LEAST)
        return why(-EINVAL, "mortal_pool_open: files is %u: it must be at least %u, or 0 for no cap", o->files, FILES_LEAST);
    if (o->recycle_tasks > TASKS_MOST)
        return why(-EINVAL, "mortal_pool_open: recycle_tasks is %u: it must be at most %u", o->recycle_tasks, TASKS_MOST);
    if (o->processes > TASKS_MOST && o->processes != MORTAL_NONE)
        return why(-EINVAL, "mortal_pool_open: processes is %u: it must be at most %u, or MORTAL_NONE", o->processes,
                   TASKS_MOST);
    if (o->reserved2 != 0)
        return why(-EINVAL, "mortal_pool_open: a reserved field of mortal_pool_options is not zero: clear the struct "
                            "first");
    plan->caps = (struct pool_caps){.memory_bytes = o->memory_bytes, .file_bytes = o->file_bytes,
                                    .recycle_ns = o->recycle_ns, .recycle_bytes = o->recycle_bytes,
                                    .processes = o->processes, .files = o->files, .recycle_tasks = o->recycle_tasks,
                                    .cpus = process_usable_cpus()};
    int error = check_task(&plan->task, "mortal_pool_open");
    if (error == 0 && plan->limits.workers_per_host > 1 &&
        (plan->task.memory_bytes != 0 || plan->task.more_memory_percent != 0))
        error = why(-EINVAL, "mortal_pool_open: task has a cap on memory of its own and workers_per_host is %u: only the "
                             "host as a whole can have one then, by the pool's memory_bytes",
                    plan->limits.workers_per_host);
    if (plan->task.cpu_ns == 0)
        plan->task.cpu_ns = o->cpu_ns;
    return error;
}

/* from: what the task itself asked for; out: what holds for it. */
int caps_complete(const struct pool *pool, const mortal_task_options *from, mortal_task_options *out) {
    const mortal_task_options *defaults = &pool->defaults;
    int error = check_task(from, "mortal_pool_submit");
    if (out->cpu_ns == 0)
        out->cpu_ns = defaults->cpu_ns;
    if (out->memory_bytes == 0)
        out->memory_bytes = defaults->memory_bytes;
    if (out->more_memory_percent == 0)
        out->more_memory_percent = defaults->more_memory_percent;
    return error;
}

/* The empty host's size is not known before there is one, so this is for the submit. */
int caps_check(const struct pool *pool, mortal_task_options *o) {
    if (o->more_memory_percent != 0 && o->memory_bytes == 0)
        o->memory_bytes = pool->heritage.caps.memory_bytes;
    if (o->more_memory_percent != 0 && o->memory_bytes == 0)
        return why(-EINVAL, "mortal_pool_submit: more_memory_percent is %u and there is no memory_bytes, neither of the task "
                            "nor of the pool: give the first attempt a cap", o->more_memory_percent);
    if (o->memory_bytes == 0)
        return 0;
    if (pool->region->g.workers_per_host > 1)
        return why(-EINVAL, "mortal_pool_submit: the task has a cap on memory of its own and workers_per_host is %u: only "
                            "the host as a whole can have one then, by the pool's memory_bytes",
                   pool->region->g.workers_per_host);
    /* ORD(*) set before the pool was ready, and by each host after it, for people. */
    uint64_t needs = atomic_load_explicit(&control_head(pool->region)->empty_host_bytes, memory_order_relaxed);
    if (needs == 0 || o->memory_bytes > needs)
        return 0;
    return why(-EINVAL, "mortal_pool_submit: memory_bytes is %zu and a host without any task needs %llu already: allow more",
               o->memory_bytes, (unsigned long long)needs);
}

uint32_t caps_fill(struct pool *pool, uint32_t slot, const mortal_task_options *o) {
    bool caps_cpu = o->cpu_ns != 0 && o->cpu_ns != MORTAL_FOREVER;
    uint32_t flags = (o->memory_bytes != 0 ? ORDER_CAPS_MEMORY : 0) | (caps_cpu ? ORDER_CAPS_CPU : 0);
    if (flags == 0)
        return 0;
    struct cap *cap = cap_of(pool->region, slot);
    cap->memory_bytes = o->memory_bytes;
    cap->cpu_ns = o->cpu_ns;
    cap->more_percent = o->more_memory_percent;
    /* ORD(*) as the rest of the order: ORD(submit) */
    atomic_store_explicit(&cap->grown, 0, memory_order_relaxed);
    return flags;
}

bool caps_note(struct pool *pool, const mortal_task_options *o) {
    bool has_own = o->memory_bytes != 0 || (o->cpu_ns != 0 && o->cpu_ns != MORTAL_FOREVER);
    /* ORD(*) a hint; ORD(submit:asleep) is the barrier that counts. */
    return has_own && atomic_exchange(&control_head(pool->region)->caps_used, 1) == 0;
}

uint64_t caps_earliest(const struct pool *pool, const mortal_task_options *o) {
    bool caps_cpu = o->cpu_ns != 0 && o->cpu_ns != MORTAL_FOREVER;
    uint64_t earliest = caps_cpu ? o->cpu_ns / pool->heritage.caps.cpus : MORTAL_FOREVER;
    return o->deadline_ns != 0 && o->deadline_ns < earliest ? o->deadline_ns : earliest;
}
