/* buffer.c - finding a buffer by what a task was told of it */
#include <errno.h>

#include "host/worker.h"
#include "system/why.h"

int mortal_task_buffer(mortal_task *task, mortal_buffer handle, void **address, size_t *bytes) {
    uint64_t number = handle.place & UINT32_MAX;
    if (task == NULL || handle.place == 0 || handle.life == 0 || number >= BUFFERS_MAX)
        return why(-EINVAL, "mortal_task_buffer: %s", task == NULL ? "the task is null" : "this is not a buffer");
    const struct region *r = task->worker->region;
    const struct buffer_record *record = buffer_of(r, (uint32_t)number);
    /* ORD(buffer:found) pairs ORD(buffer:told) */
    if (atomic_load_explicit(&record->life, memory_order_acquire) != handle.life)
        return why(-ESTALE, "mortal_task_buffer: this buffer was closed: name it in mortal_task_options.buffers to keep it");
    if (address != NULL)
        *address = r->windows[record->window].base + record->offset;
    if (bytes != NULL)
        *bytes = record->bytes;
    return 0;
}
