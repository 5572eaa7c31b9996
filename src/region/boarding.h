/*
 * boarding.h - how a fresh image of the program becomes the supervisor
 *
 * A forked supervisor inherits its heritage as memory. A fresh image is handed it: over the link, which alone it
 * inherits, come one note and the descriptors of everything else, among them a sealed memfd with the heritage as bytes.
 * Arguments and environment only say where to look; nobody but its own parent, running the same program as the same
 * user, can have made what is found there.
 */
#ifndef REGION_BOARDING_H
#define REGION_BOARDING_H

#include "region/heritage.h"

#define BOARDING_MARK "MORTAL_SUPERVISOR_OF" /* in the environment: pid of the owner, a dot, number of the link */
#define BOARDING_MAGIC 0x6d6f7274616c2031ull
#define BOARDING_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define BOARDING_FDS 11u
#define BOARDING_MOST_BYTES (1ull << 40)

/* The first message over the link, with BOARDING_FDS descriptors. */
struct boarding_note {
    uint64_t magic;
    uint64_t bytes; /* of the card */
};

/* What the first descriptor holds: this, then the descriptors to keep and the flags of each, then the context. */
struct boarding_card {
    uint64_t magic;
    uint64_t library_print; /* of the file that this code came from: the next one may be another version */
    uint64_t context_offset;
    uint32_t card_bytes, version;
    uint64_t preload, init; /* references as in modules.h; with has_... */
    bool has_preload, has_init;
    struct heritage heritage; /* its pointers mean nothing over there, and are made anew */
};

/* Over the link to the owner if it cannot be: enum boarding_fault, and what it is about. */
enum boarding_fault { BOARDING_UNREADABLE = 1, BOARDING_OTHER_LIBRARY, BOARDING_THREADS, BOARDING_NO_MEMORY };
struct boarding_refusal {
    int32_t fault, value;
};

/* Every descriptor in the heritage that travels, the card's place first (null), in an order that both sides know. */
static inline void boarding_fds(struct heritage *h, int *fds[BOARDING_FDS]) {
    int *const all[BOARDING_FDS] = {NULL, &h->region.orders_fd, &h->region.claims_fd, &h->region.control_fd,
                                    &h->region.answers_fd, &h->modules_fd, &h->bell_fd, &h->owner_pidfd,
                                    &h->region.cells_fd, &h->region.windows[WINDOW_SHARED].fd,
                                    &h->region.windows[WINDOW_GIVEN].fd};
    for (uint32_t i = 0; i < BOARDING_FDS; i++)
        fds[i] = all[i];
}

/* The body of mortal_host_main in such an image; returns elsewhere. */
void boarding_enter(void);

#endif
