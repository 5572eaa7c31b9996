/*
 * mortal_trees.c - mortal: killing a task that has much memory, and one that has started many processes
 *
 * From the call of the kill to its return: until every thread of the task's host is certainly dead, and every process that
 * it started.
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>
#include <string.h>

#include "measure.h"
#include "tree.h"

static int grow(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input_bytes;
    tree_grow_and_stay(input);
    return 0;
}

static void check(int result, const char *what) {
    if (result != 0)
        measure_fail("%s: %s (%s)", what, strerror(-result), mortal_why());
}

static void wait_at_rest(mortal_pool *pool) {
    mortal_stats stats;

    do {
        sleep_ns(1000000);
        check(mortal_pool_stats(pool, &stats), "stats");
    } while (stats.hosts < 1 || stats.standby < 1 || stats.dying != 0);
    sleep_ns(50000000); /* the memory of the one before is given back meanwhile */
}

static void kill_grown(const struct bench_case *self, struct samples *out) {
    mortal_pool_options options = {.size = sizeof options, .workers = 1};
    const struct tree  *tree = tree_of((enum tree_kind)self->variant);
    mortal_pool        *pool;
    size_t              i, count = measure_size(10, 3);

    check(mortal_pool_open(&pool, &options), "open");
    for (i = 0; i < count; i++) {
        mortal_verdict verdict;
        mortal_future  grown;
        uint64_t       start;

        wait_at_rest(pool);
        check(mortal_pool_submit(pool, grow, tree, sizeof *tree, NULL, &grown), "submit");
        tree_wait_grown(tree);
        start = clock_ns();
        check(mortal_future_kill(grown, 0, MORTAL_FOREVER, &verdict), "kill");
        samples_add(out, (double)(clock_ns() - start) / 1e3);
        if (verdict.outcome != MORTAL_KILLED)
            measure_fail("the task ended %s", mortal_outcome_name(verdict.outcome));
        tree_check_gone(tree);
        check(mortal_future_release(grown), "release");
    }
    check(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL), "close");
}

static const struct bench_case cases[] = {
    {"kill-to-death-0m", "mortal", "us", kill_grown, 1, TREE_BARE},
    {"kill-to-death-512m", "mortal", "us", kill_grown, 1, TREE_HEAVY},
    {"kill-tree-200", "mortal", "us", kill_grown, 1, TREE_OF_200},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
