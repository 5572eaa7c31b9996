/* memory.h - shared memory without a name, and what happens to mappings across fork. */
#ifndef SYSTEM_MEMORY_H
#define SYSTEM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096u

static inline uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

/* A sparse memfd of that size, sealed against shrinking and growing: a stray ftruncate would turn reads into SIGBUS.
 * Returns the descriptor or a negative errno. Never raises SIGXFSZ: a file size limit that is too small is -EFBIG. */
int memory_segment(const char *name, uint64_t bytes);

/* Map a range of a segment shared; at: null, or the address to replace. Null when refused. */
void *memory_map(int fd, uint64_t offset, uint64_t bytes, bool writable, void *at);
void *memory_map_near(int fd, uint64_t bytes, void *wanted); /* writable, there if there is room, else anywhere; or null */
void  memory_unmap(void *address, uint64_t bytes);

/* Addresses with nothing behind them, for files to be mapped there later; at or near a place, or anywhere. Or null. */
void *memory_space(uint64_t bytes, void *wanted);

/* A file over a range of such a space; not in processes forked later. Where it is not writable, no mprotect() changes the
 * file either, whatever the descriptor allows: then writes go to a copy. 0 or a negative errno. */
int  memory_map_file(int fd, uint64_t offset, uint64_t bytes, bool writable, void *at);
void memory_unmap_file(void *at, uint64_t bytes);

/* Copy into a segment from memory that may not be there, such as that of a file that was cut off meanwhile: false, and no
 * signal. */
bool memory_copy_in(int fd, uint64_t offset, const void *from, uint64_t bytes);

/* Map a whole segment anew, at that address, such that no mprotect() makes it writable again: from a descriptor that
 * was opened for reading. Where /proc is not mounted it can only be protected. 0 or a negative errno. */
int memory_map_read_only(int fd, uint64_t bytes, void *at);

uint64_t memory_address_space(void); /* what this process may have (ulimit -v); no limit: UINT64_MAX */
uint64_t memory_available(void);     /* what the system could give without pushing anything out; unknown: UINT64_MAX */
void     memory_want_huge(void *address, uint64_t bytes); /* pages, where the system gives them for shared memory */

/* Make pages of a segment exist, without mapping them. Returns 0 or a negative errno. */
int memory_reserve(int fd, uint64_t offset, uint64_t bytes);

/* Make the pages of a writable mapping exist now, so that exhaustion is an error here and not SIGBUS at a later store.
 * fd: the segment at that offset for kernels without MADV_POPULATE_WRITE, or -1. Returns 0 or a negative errno. */
int memory_commit(void *address, uint64_t bytes, int fd, uint64_t offset);

uint64_t memory_used(int fd); /* bytes of a segment that exist, as the kernel counts them */

/* Give the pages of a range of a segment back to the system. They read as zero afterwards. */
void memory_punch(int fd, uint64_t offset, uint64_t bytes);

void memory_not_in_children(void *address, uint64_t bytes); /* later forks do not have this mapping */

/* A private page that reads as zero in every process forked later: the cheapest test of "am I still the one who ...". */
void *memory_wiped_in_children(uint64_t bytes);

void *memory_private(uint64_t bytes); /* zeroed, lazily backed; null when refused */

#endif
