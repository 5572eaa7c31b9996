/*
 * mortal_trees.c - mortal: killing a task that has much memory, and one that has started many processes
 *
 * From the call of the kill to its return: until every thread of the task's host is certainly dead, and every process that
 * it started.
 *
 * SPDX-License-Identifier: MIT
 */
#include "measure.h"
#include "pool.h"
#include "tree.h"

enum { CGROUP = POOL_CONTAINMENT(MORTAL_CONTAIN_CGROUP), NAMESPACE = POOL_CONTAINMENT(MORTAL_CONTAIN_NAMESPACE) };

static int grow(mortal_task *task, const void *input, size_t input_bytes) {
    (void)task, (void)input_bytes;
    tree_grow_and_stay(input);
    return 0;
}

static void kill_grown(const struct bench_case *self, struct samples *out) {
    const struct tree *tree = tree_of((enum tree_kind)POOL_VARIANT_OF(self->variant));
    mortal_pool       *pool = pool_open((mortal_pool_options){.workers = 1, .containment = POOL_CONTAINMENT_OF(self->variant)});
    size_t             i, count = measure_size(10, 3);

    for (i = 0; i < count; i++) {
        mortal_verdict verdict;
        mortal_future  grown;
        uint64_t       start;

        pool_wait_at_rest(pool, 1, 1);
        sleep_ns(50000000); /* the memory of the one before is given back meanwhile */
        pool_check(mortal_pool_submit(pool, grow, tree, sizeof *tree, NULL, &grown), "submit");
        tree_wait_grown(tree);
        start = clock_ns();
        pool_check(mortal_future_kill(grown, 0, MORTAL_FOREVER, &verdict), "kill");
        samples_add(out, (double)(clock_ns() - start) / 1e3);
        if (verdict.outcome != MORTAL_KILLED)
            measure_fail("the task ended %s", mortal_outcome_name(verdict.outcome));
        tree_check_gone(tree);
        pool_check(mortal_future_release(grown), "release");
    }
    pool_close(pool);
}

static const struct bench_case cases[] = {
    {"kill-to-death-0m", "mortal", "us", kill_grown, 1, TREE_BARE},
    {"kill-to-death-0m", "mortal-cgroup", "us", kill_grown, 1, TREE_BARE | CGROUP},
    {"kill-to-death-0m", "mortal-namespace", "us", kill_grown, 1, TREE_BARE | NAMESPACE},
    {"kill-to-death-512m", "mortal", "us", kill_grown, 1, TREE_HEAVY},
    {"kill-to-death-512m", "mortal-cgroup", "us", kill_grown, 1, TREE_HEAVY | CGROUP},
    {"kill-to-death-512m", "mortal-namespace", "us", kill_grown, 1, TREE_HEAVY | NAMESPACE},
    {"kill-tree-200", "mortal", "us", kill_grown, 1, TREE_OF_200},
    {"kill-tree-200", "mortal-cgroup", "us", kill_grown, 1, TREE_OF_200 | CGROUP},
    {"kill-tree-200", "mortal-namespace", "us", kill_grown, 1, TREE_OF_200 | NAMESPACE},
};

int main(int argc, char **argv) {
    return measure_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
