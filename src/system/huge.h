/* huge.h - pages of 2 MiB for shared memory: whether the system gives them, and how much of a segment lies in them */
#ifndef SYSTEM_HUGE_H
#define SYSTEM_HUGE_H

#include <stdbool.h>
#include <stdint.h>

#define HUGE_BYTES (2ull << 20)

/* What /sys says to shared memory for which they were asked (memory_want_huge). */
enum huge_rule {
    HUGE_UNKNOWN, /* no /sys, or a kernel that has no such pages */
    HUGE_REFUSED,
    HUGE_ON_TOUCH, /* where a mapping that asked for them is touched, not where a page is reserved beforehand */
    HUGE_GIVEN
};
enum huge_rule huge_rule(void);

/* How many bytes of a range of a segment exist, and how many of these are in huge pages, whoever made them and whoever
 * has them mapped. is_whole: all of it exists; then it is not asked for holes, among which the kernel counts pages that
 * nobody has written yet. Creates no page. Some us for each 2 MiB, and as long as smaps takes.
 * 0; -ENOMEM: no addresses; -ENOSYS: the kernel does not tell (before 5.14, or without /proc). */
int huge_count(int fd, uint64_t offset, uint64_t bytes, bool is_whole, uint64_t *there, uint64_t *huge);

#endif
