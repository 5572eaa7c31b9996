/*
 * tree.h - what is killed: a process with much memory of its own, or one that has started many others
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_TREE_H
#define BENCH_TREE_H

#include <stdatomic.h>
#include <stdint.h>

enum tree_kind {
    TREE_BARE,  /* nothing */
    TREE_HEAVY, /* 512 MiB of private memory, all touched */
    TREE_OF_200 /* each process starts three others, until there are 200, each in a session of its own */
};

struct tree {
    enum tree_kind kind;
    struct tree_page *page; /* shared */
};

/* Before whoever grows it is forked. */
const struct tree *tree_of(enum tree_kind kind);

/* Where it is to be killed. */
void tree_grow_and_stay(const struct tree *tree);

void tree_wait_grown(const struct tree *tree); /* and for what is before the next one: all of it is where it stays */
void tree_check_gone(const struct tree *tree); /* ends the program if anything of it lives */

#endif
