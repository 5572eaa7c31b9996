/* image.h - the program file: what of it is loaded where, and starting it afresh. */
#ifndef SYSTEM_IMAGE_H
#define SYSTEM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A loaded file, the program itself or a shared object. Addresses differ between two images of one program, offsets from
 * the base do not, if the file is the same: that the print tells (program headers and build id). */
struct image_part {
    bool is_program;
    uintptr_t base, start, end; /* start, end: of the segment of code that was asked about */
    uint64_t print;
    char name[4000];            /* as the dynamic linker knows it; "": the program */
};

/* Whose code is at that address? False: nobody's, or no file's. */
bool image_find(uintptr_t address, struct image_part *part);
/* The part that is loaded at that base. */
bool image_at(uintptr_t base, struct image_part *part);
bool image_program(struct image_part *part);

/* The file behind an address, by the kernel's word: absolute, and not deleted. False: there is none. */
bool image_path(uintptr_t address, char *path, size_t path_bytes);

/* It has, or its file gives, other rights than who started it: not to be started by anybody's leave but the kernel's. */
bool image_is_privileged(void);
/* Whether that process runs the same file: -1 if nobody tells. */
int  image_is_same_as(pid_t pid);

/* Start the same program again in a new child, without running a line of the one that runs but our own: only the
 * descriptors 0, 1, 2 and keep[] (sorted) are there, under the same numbers, all signals are blocked, and it is in a
 * process group of its own. Returns its pid or a negative errno, and a pidfd. The caller may have threads. */
pid_t image_start(char *const *arguments, char *const *environment, const int *keep, size_t keep_count, int *pidfd);

#endif
