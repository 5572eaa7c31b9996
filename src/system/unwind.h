/* unwind.h - where the calling thread is, as addresses */
#ifndef SYSTEM_UNWIND_H
#define SYSTEM_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Load what unwinding needs: the C library does so at its first use, which is no matter for a signal handler. Processes
 * that are forked later have it. */
void unwind_prepare(void);

/* Return addresses of the calling thread, innermost first, from the caller's own on; through signal handlers, too.
 * Async-signal-safe once prepared, and takes no lock with glibc 2.35 or later. A stack that was overwritten may crash it:
 * what it found until then is in frames. */
void unwind(uint64_t *frames, size_t most);

/* The module that an address lies in: what to subtract to get the address in its file, and its path, empty for the
 * program itself. Async-signal-safe. False: none, or the C library is older than 2.35. */
bool unwind_module(uint64_t address, uint64_t *base, const char **path);

/* Where a thread was when a signal came. */
struct unwind_place {
    uint64_t at;     /* the instruction; 0: this processor is not known */
    uint64_t caller; /* the word on top of its stack, 0 if that cannot be read */
};
struct unwind_place unwind_interrupted(const void *signal_context);

#endif
