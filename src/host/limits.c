#include "host/limits.h"

#include <errno.h>

#include "region/cap.h"
#include "system/usage.h"

/* ORD(*) the count of tasks is private to the host; what it tells is a hint. */

#define NEARLY_BYTES (256u << 10) /* with less left malloc can hardly have got what it asked for */

void limits_prepare(struct host *host) {
    const struct pool_caps *caps = &host->heritage->caps;
    const struct geometry *g = &host->region->g;
    host->counts_tasks = caps->recycle_tasks != 0 || caps->recycle_ns != 0;
    host->minds = caps->memory_bytes != 0 || (g->measure & (MORTAL_MEASURE_CPU | MORTAL_MEASURE_MEMORY)) != 0;
}

/* Its own memory is not limited here but by the supervisor, which alone knows when this host is complete. */
void limits_set(struct host *host) {
    const struct pool_caps *caps = &host->heritage->caps;
    if (caps->files != 0)
        usage_limit_files(caps->files);
    if (caps->file_bytes != 0)
        usage_limit_file_bytes(caps->file_bytes);
}

/* More memory than it holds now and may hold in all is refused. What the kernel counts and nobody touched (stacks, tables
 * of the owner) is not held against it. */
static void cap_memory_of(struct host *host, const struct cap *cap) {
    struct usage usage;
    if (host->data_untouched == 0) {
        if (!usage_read(0, &usage) || !usage_data_limit(&host->data_limit))
            return; /* the supervisor watches all the same */
        host->data_untouched = usage.data_bytes > usage.anon_bytes ? usage.data_bytes - usage.anon_bytes : 1;
    }
    uint64_t most = cap_memory(cap);
    (void)usage_limit_data(0, most < UINT64_MAX - host->data_untouched ? most + host->data_untouched : UINT64_MAX);
}

void limits_begin(struct mortal_task *task) {
    struct host *host = task->worker->host;
    const struct geometry *g = &host->region->g;
    uint32_t flags = atomic_load_explicit(&task->order->flags, memory_order_relaxed);
    bool alone = g->workers_per_host == 1;
    if ((flags & ORDER_CAPS_MEMORY) != 0 && alone) {
        cap_memory_of(host, cap_of(host->region, task->slot));
        task->has_caps = host->data_untouched != 0;
    }
    if ((g->measure & MORTAL_MEASURE_MEMORY) != 0 && alone)
        usage_reset_own_peak();
    if ((flags & ORDER_CAPS_CPU) != 0 || (g->measure & MORTAL_MEASURE_CPU) != 0) {
        task->cpu_began_ns = usage_own_cpu(!alone);
        atomic_store_explicit(&task->worker->desk->cpu_ns, task->cpu_began_ns, memory_order_relaxed);
    }
    errno = 0; /* what an earlier task was refused is no evidence about this one */
}

void limits_end(struct mortal_task *task) {
    if (task->has_caps)
        (void)usage_limit_data(0, task->worker->host->data_limit);
}

void limits_measure(const struct mortal_task *task, struct cell *cell) {
    const struct geometry *g = &task->worker->region->g;
    cell->cpu_ns = (g->measure & MORTAL_MEASURE_CPU) != 0 ? usage_own_cpu(g->workers_per_host > 1) - task->cpu_began_ns : 0;
    cell->peak_bytes = (g->measure & MORTAL_MEASURE_MEMORY) != 0 ? usage_own_peak_bytes() : 0;
}

void limits_count(struct host *host) {
    uint32_t enough = host->heritage->caps.recycle_tasks;
    uint32_t count = atomic_fetch_add_explicit(&host->served, 1, memory_order_relaxed) + 1;
    _Atomic uint32_t *told = &host_head(host->region, host->place.life)->served;
    if (count == 1)
        atomic_store_explicit(told, 1, memory_order_relaxed);
    if (enough == 0 || count != enough)
        return;
    atomic_store_explicit(told, 2, memory_order_relaxed);
    worker_notify_supervisor(host);
}

bool limits_lack_memory(const struct host *host, int error_number, bool null_ish) {
    const struct worker *worker = worker_self();
    bool has_caps = worker != NULL && worker->task.order != NULL && worker->task.has_caps;
    if (!has_caps && host->heritage->caps.memory_bytes == 0)
        return false; /* nobody here refuses memory */
    return error_number == ENOMEM || (null_ish && usage_data_left() < NEARLY_BYTES);
}
