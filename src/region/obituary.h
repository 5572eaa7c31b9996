/*
 * obituary.h - what is known of each host that died: a ring of records in the control segment
 *
 * The supervisor writes one before any verdict tells of the death, and copies into it what the host left, since the
 * arena goes to another host. The owner takes a copy, and looks afterwards whether it was overwritten meanwhile.
 */
#ifndef REGION_OBITUARY_H
#define REGION_OBITUARY_H

#include "region/notes.h"

#define OBITUARIES 256u /* kept; a power of two */
#define OBITUARY_OTHERS 4u
#define OBITUARY_FRAMES 48u

struct obituary_task {
    uint64_t ticket;     /* S */
    uint32_t slot, generation, attempt; /* S */
    uint32_t reserved;
    char name[NAME_BYTES]; /* S */
};

struct obituary_line {
    uint64_t at_ns;        /* S */
    uint32_t bytes;        /* S */
    uint32_t reserved;
    char text[NOTE_BYTES]; /* S */
};

struct obituary_record {
    alignas(LINE) _Atomic uint64_t number; /* S  from 1; 0 while the rest is written */
    int32_t  pid;                          /* S */
    uint32_t birth;                        /* S */
    uint64_t born_ns, died_ns, died_wall_ns, asked_ns; /* S  asked_ns: when its end was asked for, or due */
    uint64_t user_ns, system_ns, peak_bytes;           /* S  as the kernel tells */
    uint64_t tasks;                        /* S  that it ran, as it says itself */
    int32_t  cause, signal, signal_code, exit_code;    /* S */
    uint64_t fault_address;                /* S */
    int32_t  asked;                        /* S  enum mortal_asked */
    int32_t  stage;                        /* S  enum mortal_stage */
    uint32_t has_culprit, condemned, collateral;       /* S */
    uint32_t has_progress;                 /* S */
    struct obituary_task culprit, others[OBITUARY_OTHERS]; /* S */
    uint64_t done, total;                  /* S */
    int32_t  backtrace;                    /* S  enum mortal_backtrace_state */
    uint32_t line_count, frame_count, module_count;    /* S */
    uint64_t frames[OBITUARY_FRAMES];      /* S  the first is an instruction, the others where calls return to */
    uint8_t  module_of[OBITUARY_FRAMES];   /* S  index + 1; 0: none */
    struct obituary_line lines[NOTE_LINES];/* S */
    struct trace_module modules[TRACE_MODULES]; /* S */
};

static inline struct obituary_record *obituary_of(const struct region *r, uint64_t number) {
    return (struct obituary_record *)(void *)(r->control + r->g.control_obituaries) + (number & (OBITUARIES - 1));
}

#endif
