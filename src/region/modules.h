/*
 * modules.h - functions in a pool whose processes are another image of the program
 *
 * Each image has its own addresses, so a function travels as (module, offset). Which module that is stands in a table in
 * a segment of its own, to which the owner adds and from which nothing is ever taken away: a host that has not got the
 * module yet loads it by its path, and checks that it is the same file by its print.
 */
#ifndef REGION_MODULES_H
#define REGION_MODULES_H

#include <stdint.h>

#define MODULES_MOST 1024u
#define MODULE_PATH_BYTES 4080u
#define MODULE_PROGRAM 0u /* the program itself: it is always there, and its path is not needed */

struct module_entry {
    uint64_t print;              /* I  image.h */
    uint64_t reserved;
    char path[MODULE_PATH_BYTES];/* I */
};

struct module_table {
    struct module_entry entries[MODULES_MOST]; /* O */
};

#define MODULE_OFFSET_BITS 48

static inline uint64_t module_ref(uint32_t module, uint64_t offset) {
    return (uint64_t)module << MODULE_OFFSET_BITS | (offset & ((1ull << MODULE_OFFSET_BITS) - 1));
}
static inline uint32_t module_of(uint64_t ref) { return (uint32_t)(ref >> MODULE_OFFSET_BITS); }
static inline uint64_t module_offset(uint64_t ref) { return ref & ((1ull << MODULE_OFFSET_BITS) - 1); }

#endif
