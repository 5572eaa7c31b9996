/*
 * tree.c - what is killed: a process with much memory of its own, or one that has started many others
 *
 * SPDX-License-Identifier: MIT
 */
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "measure.h"

#define HEAVY_BYTES (512u << 20)
#define PROCESSES 200u
#define BRANCHES 3u

struct tree_page {
    _Atomic uint32_t born, there;
    _Atomic uint32_t stop; /* nobody ever stores it */
    _Atomic int32_t  pids[PROCESSES];
};

const struct tree *tree_of(enum tree_kind kind) {
    static struct tree tree;

    tree.kind = kind;
    tree.page = shared_memory(sizeof *tree.page);
    return &tree;
}

static void touch_much(void) {
    char *memory = mmap(NULL, HEAVY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        measure_fail("no memory");
    madvise(memory, HEAVY_BYTES, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < HEAVY_BYTES; i += 4096)
        memory[i] = 1;
}

/* Not getpid(): it may be in a namespace of processes, where that is another number than the one to look for. */
static int32_t own_number(void) {
    char    text[32] = "";
    ssize_t got = readlink("/proc/self", text, sizeof text - 1);

    return got > 0 ? (int32_t)strtol(text, NULL, 10) : (int32_t)getpid();
}

/* Returns where it was called, in each process of the tree. */
static void branch(struct tree_page *page) {
    for (unsigned i = 0; i < BRANCHES; i++) {
        uint32_t number = atomic_fetch_add(&page->born, 1);

        if (number >= PROCESSES)
            break;
        if (fork() == 0) {
            setsid();
            atomic_store(&page->pids[number], own_number());
            i = (unsigned)-1;
        }
    }
}

void tree_grow_and_stay(const struct tree *tree) {
    struct tree_page *page = tree->page;
    pid_t             root = getpid();

    if (tree->kind == TREE_HEAVY)
        touch_much();
    if (tree->kind == TREE_OF_200)
        branch(page);
    atomic_fetch_add(&page->there, 1);
    while (getpid() != root)
        pause();
    while (atomic_load(&page->stop) == 0)
        ;
}

void tree_wait_grown(const struct tree *tree) {
    uint32_t processes = tree->kind == TREE_OF_200 ? PROCESSES + 1 : 1;

    while (atomic_load(&tree->page->there) < processes)
        sleep_ns(50000);
    sleep_ns(500000);
    atomic_store(&tree->page->there, 0);
    atomic_store(&tree->page->born, 0);
}

void tree_check_gone(const struct tree *tree) {
    for (unsigned i = 0; tree->kind == TREE_OF_200 && i < PROCESSES; i++)
        if (kill(atomic_load(&tree->page->pids[i]), 0) == 0 || errno != ESRCH)
            measure_fail("process %d of the tree is not gone", (int)atomic_load(&tree->page->pids[i]));
}
