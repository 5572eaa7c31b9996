/*
 * window.h - address space in which memory of any size appears later, in processes that exist already
 *
 * A window is one sparse segment that owner and hosts have mapped, at the same address, since before there was a host.
 * A buffer is a range of it whose pages the owner makes exist. Hosts that were there before have nothing to learn.
 */
#ifndef REGION_WINDOW_H
#define REGION_WINDOW_H

#include <stdint.h>

enum window_kind {
    WINDOW_SHARED = 0, /* tasks may write */
    WINDOW_GIVEN,      /* tasks may only read: hosts have it mapped from a descriptor that cannot write */
    WINDOWS,           /* so many have memory of their own */
    WINDOW_FILES = WINDOWS, /* nothing but addresses: for files that the program has, see files.h */
    WINDOW_KINDS
};

struct window {
    uint8_t *base;
    uint64_t bytes; /* 0: the system had no room for it */
    int fd;         /* the owner's; closed in every other process. Files: -1 */
};

/* All windows, of that size, or of as much less as the system grants. Never fails: what is not there cannot be used. */
void window_open(struct window windows[WINDOW_KINDS], uint64_t bytes);
void window_close(struct window windows[WINDOW_KINDS]);

/* From here on, in this process and those forked from it, the given window can only be read, whatever is tried. */
int  window_give_up_writing(struct window windows[WINDOW_KINDS]); /* 0 or a negative errno */

/* In a fresh image of the program: where the owner has it, if nothing else is there. 0 or a negative errno. */
int  window_map(struct window *window);

void window_not_in_children(const struct window windows[WINDOW_KINDS]);

#endif
