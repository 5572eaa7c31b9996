/*
 * Cache lines that cross between processors for each task are counted: what a submit changes of the region, and what the
 * worker changes. A task with up to eight bytes of input and no answer takes one line of orders and its claim word there, and
 * its claim word back; beside these only the queue's tail and every eighth time its next line there, the cursor and the
 * worker's own desk. An answer costs one line more, a larger input one line more.
 * Broken by: a field that moves to another line, one more word that workers share. As a control, larger inputs do.
 */
#include "by_hand.h"

enum { TASKS = 64 };

struct part {
    const char *name;
    uint8_t *base;
    size_t bytes;
    uint8_t *before;
    unsigned changed;
};

enum { ORDERS, RING, QUEUE, CLAIMS, HINTS, CONTROL, DESK, CELLS, PARTS };
static struct part parts[PARTS];

static void look_at_part(unsigned part, const char *name, void *base, size_t bytes)
{
    parts[part] = (struct part){.name = name, .base = base, .bytes = bytes, .before = malloc(bytes)};
    CHECK(parts[part].before != NULL);
}

static void look_at_all(const struct region *r)
{
    uint32_t life = by_hand.host.place.life;
    look_at_part(ORDERS, "orders", order_of(r, 0), r->g.slots * sizeof(struct order));
    look_at_part(RING, "ring", ring_entry(r, 0), PAGE_BYTES);
    look_at_part(QUEUE, "head of orders", orders_head(r), sizeof(struct orders_head));
    look_at_part(CLAIMS, "claim words", claim_of(r, 0), (size_t)r->g.slots * CLAIM_STRIDE);
    look_at_part(HINTS, "head of claims and bells", claims_head(r), r->g.claim_words);
    look_at_part(CONTROL, "control, but for cares", control_head(r), sizeof(struct control_head));
    look_at_part(DESK, "desk", desk_of(r, life, 0), sizeof(struct desk));
    look_at_part(CELLS, "cells", cell_of(r, life, 0), r->g.slots * sizeof(struct cell));
}

static void remember(void)
{
    for (unsigned i = 0; i < PARTS; i++)
        memcpy(parts[i].before, parts[i].base, parts[i].bytes);
}

static void count_changes(unsigned changed[PARTS])
{
    for (unsigned i = 0; i < PARTS; i++)
        for (size_t at = 0; at < parts[i].bytes; at += LINE)
            changed[i] += memcmp(parts[i].before + at, parts[i].base + at, LINE) != 0;
}

static void tell(const char *what, const unsigned changed[PARTS])
{
    char line[300] = "";
    for (unsigned i = 0; i < PARTS; i++)
        if (changed[i] != 0)
            snprintf(line + strlen(line), sizeof line - strlen(line), ", %s %.2f", parts[i].name, (double)changed[i] / TASKS);
    harness_note("%s%s", what, line);
}

/* Each task has another input and another answer, or an unchanged line would look untouched. */
static void run_tasks(mortal_pool *pool, mortal_function *function, size_t input_bytes, unsigned submits[PARTS],
                      unsigned steps[PARTS])
{
    memset(submits, 0, PARTS * sizeof *submits);
    memset(steps, 0, PARTS * sizeof *steps);
    for (unsigned i = 0; i < TASKS; i++) {
        uint64_t input[8] = {i + 1, 0, i + 2};
        remember();
        mortal_future future = submit(pool, function, input, input_bytes);
        count_changes(submits);
        remember();
        CHECK(worker_step(&by_hand.worker));
        count_changes(steps);
        CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    }
}

static void check_counts(const unsigned *changed, const unsigned *wanted)
{
    for (unsigned i = 0; i < PARTS; i++)
        CHECK(changed[i] <= wanted[i] * TASKS);
}

void test(void)
{
    mortal_pool *pool = by_hand_open((mortal_pool_options){.held_tasks = 64, .queue_tasks = 64, .inputs_bytes = 1 << 16,
                                                           .results_bytes = 1 << 16});
    unsigned submits[PARTS], steps[PARTS];
    look_at_all(twin_region());
    run_tasks(pool, task_nothing, 8, submits, steps); /* the first time memory is made */

    run_tasks(pool, task_nothing, 8, submits, steps);
    tell("submit, 8 bytes", submits);
    tell("and run, no answer", steps);
    check_counts(submits, (const unsigned[PARTS]){[ORDERS] = 1, [RING] = 1, [QUEUE] = 1, [CLAIMS] = 1});
    check_counts(steps, (const unsigned[PARTS]){[CLAIMS] = 1, [HINTS] = 1, [DESK] = 1});

    run_tasks(pool, task_echo, 8, submits, steps);
    tell("run, an answer of 8 bytes", steps);
    check_counts(steps, (const unsigned[PARTS]){[CLAIMS] = 1, [HINTS] = 1, [DESK] = 1, [CELLS] = 1});

    run_tasks(pool, task_nothing, 64, submits, steps);
    tell("submit, 64 bytes", submits);
    CHECK_EQ(submits[ORDERS], 2 * TASKS);
    for (unsigned i = 0; i < PARTS; i++)
        free(parts[i].before);
    by_hand_close(pool);
}
