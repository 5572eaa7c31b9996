/* buffer_look.c - what a buffer takes, and in which pages: for people and for tuning, not for each task */
#include <errno.h>
#include <string.h>

#include "owner/buffer.h"
#include "owner/seat.h"
#include "system/huge.h"
#include "system/why.h"

static int32_t rule_here(void) {
    switch (huge_rule()) {
    case HUGE_UNKNOWN:
        return MORTAL_HUGE_PAGES_UNKNOWN;
    case HUGE_REFUSED:
        return MORTAL_HUGE_PAGES_NEVER;
    default:
        return MORTAL_HUGE_PAGES_WANTED;
    }
}

static int look(const struct pool *pool, const struct buffer *buffer, mortal_buffer_info *now) {
    const struct window *window = &pool->region->windows[buffer->window];
    now->bytes = buffer->bytes;
    now->tasks = buffer->holders - 1; /* the other one is who asks */
    now->huge_pages = rule_here();
    if (buffer->window == WINDOW_FILES)
        return 0;
    int error = huge_count(window->fd, buffer->offset, buffer->room, !buffer->is_lazy, &now->memory_bytes, &now->huge_bytes);
    if (error == -ENOSYS)
        return why(error, "mortal_buffer_look: this kernel does not tell in which pages memory is: that needs Linux 5.14 and "
                          "/proc");
    return error == 0 ? 0 : why(error, "mortal_buffer_look: no addresses to map it once more: raise ulimit -v");
}

int mortal_buffer_look(mortal_buffer handle, mortal_buffer_info *info) {
    struct pool *pool;
    uint32_t number;
    if (info == NULL)
        return why(-EINVAL, "mortal_buffer_look: info is null");
    int error = seat_enter_buffer(handle, "mortal_buffer_look", &pool, &number);
    if (error != 0)
        return error;
    mortal_buffer_info now = {0};
    int saved = errno;
    error = look(pool, &pool->buffers[number], &now);
    seat_unlock(pool);
    errno = saved;
    if (error == 0)
        *info = now;
    return error;
}
