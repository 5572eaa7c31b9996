/*
 * sitter.h - a process that keeps another one's address space alive
 *
 * A process that ends gives its memory back first and is known to be dead only after that: 26 ms for 512 MiB. While a
 * second process shares the address space nothing is given back, and the death is known in some 0.1 ms whatever the
 * memory; the rest follows when the sitter is killed, and nobody waits for it.
 *
 * It shares the address space and nothing else: no descriptors, no signal handlers, no thread group. It does nothing at
 * all. Without it (no such machine, no process to be had, somebody killed it) a death is slower, and that is all.
 */
#ifndef SYSTEM_SITTER_H
#define SYSTEM_SITTER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* A sitter for the caller's address space, as a child of the caller's parent, which must be `parent`, kill it and reap it;
 * it dies with that parent. *told gets its process id before it runs; stays as it is where there is no sitter. */
void sitter_start(pid_t parent, _Atomic int32_t *told);

#endif
