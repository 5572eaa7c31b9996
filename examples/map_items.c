/*
 * map_items - one function over many items, two of which are trouble
 *
 * How long does each number's Collatz sequence take to come to 1? 0 never does, and a mistake makes one number crash. A loop
 * over threads would never return, or take the program with it. Here each item has an outcome of its own, and what the
 * others worked out is kept.
 */
#include <mortal.h>
#include <stdio.h>
#include <stdlib.h>

#define ITEMS 100000u

static int steps_to_one(mortal_task *task, const void *item, void *result) {
    uint32_t steps = 0;
    (void)task;
    if (*(const uint32_t *)item == 77777)
        abort(); /* the mistake */
    for (uint64_t n = *(const uint32_t *)item; n != 1; n = n % 2 != 0 ? 3 * n + 1 : n / 2)
        steps++;
    *(uint32_t *)result = steps;
    return 0;
}

static uint32_t numbers[ITEMS], steps[ITEMS];
static uint8_t outcomes[ITEMS];

int main(void) {
    mortal_pool *pool;
    mortal_task_options limits = {.size = sizeof limits, .deadline_ns = 1000000000}; /* of each item */
    uint32_t longest = 1;
    size_t done;
    for (uint32_t i = 0; i < ITEMS; i++)
        numbers[i] = i;
    if (mortal_pool_open(&pool, NULL) || mortal_pool_map(pool, steps_to_one, numbers, sizeof *numbers, steps, sizeof *steps,
                                                         ITEMS, &limits, outcomes, &done)) {
        return fprintf(stderr, "map_items: %s\n", mortal_why()), 1;
    }
    printf("%zu of %u items are done.\n", done, ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (outcomes[i] != MORTAL_DONE)
            printf("%u: %s\n", numbers[i], mortal_outcome_name(outcomes[i]));
        else if (steps[i] > steps[longest])
            longest = i;
    }
    printf("The longest: %u, %u steps.\n", numbers[longest], steps[longest]);
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0;
}
