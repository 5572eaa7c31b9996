/*
 * notes.h - what a task says while it runs, and where a thread was when it crashed or was killed
 *
 * Written in the host's own arena without a system call, read after its death, the progress also before. A kill may fall
 * between any two stores: what was half written is not told. A task may have overwritten all of it: whoever reads it
 * bounds every length, and believes nothing.
 */
#ifndef REGION_NOTES_H
#define REGION_NOTES_H

#include "region/layout.h"

#define NOTE_LINES 8u        /* of each worker; a power of two */
#define NOTE_BYTES 160u      /* of a line */
#define PROGRESS_COPIES 8u   /* a power of two */
#define TRACE_FRAMES 64u
#define TRACE_MODULES 8u
#define MODULE_BYTES 248u

/* Several copies, so that one of them is whole at any instant, and stays so while the next ones are written. */
struct progress {
    _Atomic uint64_t word;        /* H  the claim word of the task that wrote it; with the slot, since words of different */
    _Atomic uint64_t done, total; /* H  slots may be equal */
    _Atomic uint32_t slot;        /* H */
    uint32_t reserved;
};

struct note_line {
    _Atomic uint64_t word; /* H  likewise; 0 while the rest is written, stored last */
    uint64_t at_ns;        /* H */
    uint32_t slot;         /* H */
    uint32_t number;       /* H  counts this worker's lines */
    uint32_t bytes;        /* H */
    uint32_t reserved;
    char text[NOTE_BYTES]; /* H */
};
static_assert(sizeof(struct note_line) == 3 * LINE, "three lines");

/* One per worker. */
struct notes {
    alignas(LINE) _Atomic uint32_t current; /* H  which copy of the progress is whole, in its lowest bits */
    _Atomic uint32_t lines;                 /* H  how many it wrote */
    uint32_t reserved[2];
    struct progress progress[PROGRESS_COPIES];
    alignas(LINE) struct note_line line[NOTE_LINES];
};

enum trace_state { TRACE_NONE = 0, TRACE_BEGUN, TRACE_DONE };

struct trace_module {
    uint64_t base;           /* H  what to subtract from an address */
    char path[MODULE_BYTES]; /* H  empty: the program itself */
};

/* One per host: of the first thread that crashed, or was asked where it is. */
struct trace {
    alignas(LINE) _Atomic uint32_t taken; /* H  the first wins */
    _Atomic uint32_t state;               /* H  enum trace_state; a crash within leaves what there is until then */
    _Atomic uint32_t module_count;        /* H */
    uint32_t reserved;
    uint64_t at, caller;                  /* H  the instruction; the word on top of the stack where that one is no code */
    uint64_t frames[TRACE_FRAMES];        /* H  innermost first, from the handler's own on; 0: no more */
    uint8_t module_of[TRACE_FRAMES];      /* H  index + 1; 0: none */
    uint8_t module_of_at, module_of_caller; /* H */
    struct trace_module modules[TRACE_MODULES]; /* H */
};

/* A task's name: in the orders, so that it is there also when the owner has let go of its future. */
#define NAME_BYTES 64u

static inline struct notes *notes_of(const struct region *r, uint32_t life, uint32_t worker) {
    return (struct notes *)(void *)(arena_of(r, life) + r->g.arena_notes) + worker;
}
static inline struct trace *trace_of(const struct region *r, uint32_t life) {
    return (struct trace *)(void *)(arena_of(r, life) + r->g.arena_trace);
}
static inline char *name_of(const struct region *r, uint32_t slot) { /* O  ended by a zero byte; not there until named */
    return (char *)(r->orders + r->g.order_names) + (uint64_t)slot * NAME_BYTES;
}

/* The progress that this task told last. False: none, or none that can be read. */
static inline bool progress_read(const struct notes *notes, uint64_t claim, uint32_t slot, uint64_t *done,
                                 uint64_t *total) {
    for (int attempt = 0; attempt < 256; attempt++) { /* a task may do nothing else but write it */
        /* ORD(progress:seen) pairs ORD(progress:told): who sees which copy is whole sees it whole. */
        uint32_t current = atomic_load_explicit(&notes->current, memory_order_acquire);
        const struct progress *p = &notes->progress[current & (PROGRESS_COPIES - 1)];
        bool is_its = atomic_load_explicit(&p->word, memory_order_relaxed) == claim &&
                      atomic_load_explicit(&p->slot, memory_order_relaxed) == slot;
        uint64_t seen_done = atomic_load_explicit(&p->done, memory_order_relaxed);
        uint64_t seen_total = atomic_load_explicit(&p->total, memory_order_relaxed);
        /* ORD(progress:again) pairs ORD(progress:reuse): the copy, then whether it could not yet be written again. */
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&notes->current, memory_order_relaxed) - current >= PROGRESS_COPIES - 1)
            continue;
        if (!is_its)
            return false;
        *done = seen_done;
        *total = seen_total;
        return true;
    }
    return false;
}

#endif
