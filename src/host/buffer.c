/* buffer.c - finding a buffer by what a task was told of it */
#include <errno.h>

#include "host/files.h"
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
    uint64_t offset = record->offset, count = record->bytes;
    uint32_t window = record->window;
    if (window >= WINDOW_FILES) {
        int error = files_find(task->worker->host, (uint32_t)number, handle.life);
        if (error != 0)
            return error;
    }
    if (address != NULL)
        *address = r->windows[window].base + offset;
    if (bytes != NULL)
        *bytes = count;
    return 0;
}

int mortal_task_slice(mortal_task *task, mortal_slice slice, void **address) {
    void *base = NULL;
    size_t bytes = 0;
    int error = mortal_task_buffer(task, slice.buffer, &base, &bytes);
    if (error != 0)
        return why_as("mortal_task_slice", error);
    if (slice.offset > bytes || slice.bytes > bytes - slice.offset)
        return why(-ERANGE, "mortal_task_slice: %llu bytes from %llu on do not lie in a buffer of %zu",
                   (unsigned long long)slice.bytes, (unsigned long long)slice.offset, bytes);
    if (address != NULL)
        *address = (uint8_t *)base + slice.offset;
    return 0;
}
