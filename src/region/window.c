#include "region/window.h"

#include <errno.h>
#include <unistd.h>

#include "system/huge.h"
#include "system/memory.h"

#define WINDOW_LEAST (1ull << 20)
#define SPARE_MOST (16ull << 40)

/* At an address that is as far from a multiple of 2 MiB as its place in the segment is, or no page of it could be huge. */
static uint8_t *map_aligned(int fd, uint64_t bytes) {
    uint8_t *space = memory_space(bytes + HUGE_BYTES, NULL);
    if (space == NULL)
        return NULL;
    uint64_t before = (HUGE_BYTES - (uintptr_t)space % HUGE_BYTES) % HUGE_BYTES;
    uint8_t *base = memory_map(fd, 0, bytes, true, space + before);
    if (base == NULL) {
        memory_unmap(space, bytes + HUGE_BYTES);
        return NULL;
    }
    if (before != 0)
        memory_unmap(space, before);
    memory_unmap(base + bytes, HUGE_BYTES - before);
    return base;
}

static int open_one(struct window *window, uint64_t bytes, const char *name) {
    window->fd = memory_segment(name, bytes);
    if (window->fd < 0)
        return window->fd;
    window->base = map_aligned(window->fd, bytes);
    if (window->base == NULL) {
        close(window->fd);
        window->fd = -1;
        return -ENOMEM;
    }
    window->bytes = bytes;
    memory_want_huge(window->base, bytes);
    return 0;
}

static int open_files(struct window *window, uint64_t bytes) {
    window->base = memory_space(bytes, NULL);
    if (window->base == NULL)
        return -ENOMEM;
    window->bytes = bytes;
    return 0;
}

/* Addresses are plenty, not endless: what is left shall do for the program, and for as many pools as there can be. */
static int look_for_spare(uint64_t bytes) {
    uint64_t spare = bytes < SPARE_MOST / 16 ? 16 * bytes : SPARE_MOST;
    void *space = memory_space(spare, NULL);
    memory_unmap(space, spare);
    return space != NULL ? 0 : -ENOMEM;
}

static void close_one(struct window *window) {
    memory_unmap(window->base, window->bytes);
    if (window->fd >= 0)
        close(window->fd);
    *window = (struct window){.fd = -1};
}

void window_open(struct window windows[WINDOW_KINDS], uint64_t bytes) {
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        windows[kind] = (struct window){.fd = -1};
    uint64_t limit = memory_address_space() / 16; /* the program needs some too, and there are three of these */
    while (bytes > limit)
        bytes /= 2;
    for (; bytes >= WINDOW_LEAST; bytes /= 2) {
        int error = open_one(&windows[WINDOW_SHARED], bytes, "mortal:buffers");
        if (error == 0)
            error = open_one(&windows[WINDOW_GIVEN], bytes, "mortal:inputs");
        if (error == 0)
            error = open_files(&windows[WINDOW_FILES], bytes);
        if (error == 0)
            error = look_for_spare(bytes);
        if (error == 0)
            return;
        window_close(windows);
        if (error != -ENOMEM && error != -EFBIG)
            return;
    }
}

int window_map(struct window *window) {
    uint8_t *wanted = window->base;
    if (window->fd < 0) {
        window->base = memory_space(window->bytes, wanted);
        return window->base != NULL ? 0 : -ENOMEM;
    }
    window->base = memory_map_near(window->fd, window->bytes, wanted);
    if (window->base != NULL)
        memory_want_huge(window->base, window->bytes);
    return window->base != NULL ? 0 : -ENOMEM;
}

void window_close(struct window windows[WINDOW_KINDS]) {
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        close_one(&windows[kind]);
}

int window_give_up_writing(struct window windows[WINDOW_KINDS]) {
    const struct window *given = &windows[WINDOW_GIVEN];
    return given->bytes == 0 ? 0 : memory_map_read_only(given->fd, given->bytes, given->base);
}

void window_not_in_children(const struct window windows[WINDOW_KINDS]) {
    for (int i = 0; i < WINDOW_KINDS; i++)
        if (windows[i].bytes != 0)
            memory_not_in_children(windows[i].base, windows[i].bytes);
}
