/*
 * Inputs held at once are bounded by inputs_bytes: try_submit says -EAGAIN, and ended tasks give their room back.
 * Broken by: inputs without a bound, or memory that is not given back, so that a pool slowly suffocates.
 */
#include "tasks.h"

enum { PIECE = 200 * 1024, ROUNDS = 20, ENOUGH = 64 };

static unsigned fill(mortal_pool *pool, struct gate *gate, void *piece, mortal_future *futures)
{
    unsigned count = 0;
    int error = 0;
    memcpy(piece, &gate, sizeof gate);
    while (count < ENOUGH && error == 0) {
        error = mortal_pool_try_submit(pool, task_held, piece, PIECE, NULL, &futures[count]);
        count += error == 0;
    }
    CHECK_ERR(error, -EAGAIN);
    return count;
}

void test(void)
{
    struct gate *gates = gates_make(ROUNDS);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .inputs_bytes = 2 * 1024 * 1024});
    void *piece = calloc(1, PIECE);
    unsigned most = 0;
    CHECK(piece != NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        mortal_future futures[ENOUGH];
        unsigned count = fill(pool, &gates[round], piece, futures);
        CHECK(count > 0);
        CHECK(round == 0 || count == most);
        most = count;
        gate_open(&gates[round]);
        for (unsigned i = 0; i < count; i++)
            CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    }
    free(piece);
    drain(pool);
}
