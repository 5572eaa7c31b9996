/*
 * keys.h - memory protection keys: memory that a thread cannot write for as long as it says so itself
 *
 * A page carries a key, and each thread a register that says what it may do with pages of which key. Changing that
 * takes some 15 ns and no system call. Not a wall against an attacker, who can change the register too.
 */
#ifndef SYSTEM_KEYS_H
#define SYSTEM_KEYS_H

#include <stdbool.h>
#include <stdint.h>

int  keys_take(void);     /* a key of this process, open to the calling thread; 0: there is none, or none is left */
void keys_drop(int key);  /* no page may carry it any more */
bool keys_cover(int key, void *address, uint64_t bytes); /* give it to writable pages; key 0: take theirs away */

/* Of the calling thread only. Threads begin as their creator is at that moment, forked processes likewise, and signal
 * handlers with every key but 0 shut, for reading too. */
int  keys_open(int key);  /* returns how it was, for keys_set() */
void keys_close(int key); /* reading stays allowed */
void keys_set(int key, int as);

#endif
